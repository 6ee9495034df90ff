//! The kernel's sockets for echo requests.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::super::NetError;
use super::super::net::{is_shortage, reason};

/// What makes it allowed, now and for good. The summary of a check has room for it.
const REMEDY: &str = "as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"; and to keep it so: echo \
                      'net.ipv4.ping_group_range = 0 2147483647' > /etc/sysctl.d/60-ping.conf";

/// A socket that sends to the address. The kernel gives it an identifier of its own, fills in checksums and hands over echo
/// replies with that identifier, from whichever address.
pub(super) fn open(address: IpAddr) -> Result<UdpSocket, NetError> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(protocol)).map_err(|error| unopened(&error))?;
    let connected = || {
        socket.set_nonblocking(true)?;
        socket.connect(&SocketAddr::new(address, 0).into())?;
        // Its sends and receives are those of UDP.
        UdpSocket::from_std(socket.into())
    };
    connected().map_err(|error: io::Error| {
        let text = format!("no echo request can be sent to {address}: {}", reason(&error));
        if is_shortage(&error) { NetError::Other(text) } else { NetError::Unreachable(text) }
    })
}

fn unopened(error: &io::Error) -> NetError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return NetError::Forbidden(format!(
            "PiHook's user may not send echo requests, for none of its groups is in net.ipv4.ping_group_range; {REMEDY}"
        ));
    }
    NetError::Other(format!("this machine cannot send echo requests: {}", reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forbidden_comes_with_its_remedy_and_fits_a_summary() {
        let error = unopened(&io::Error::from_raw_os_error(rustix::io::Errno::ACCESS.raw_os_error()));
        let NetError::Forbidden(text) = error else { panic!("{error:?}") };
        assert!(text.contains("sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""), "{text}");
        assert!(text.contains("/etc/sysctl.d/") && text.len() < 450, "{text}");
        let other = unopened(&io::Error::from_raw_os_error(rustix::io::Errno::AFNOSUPPORT.raw_os_error()));
        assert!(matches!(other, NetError::Other(_)));
    }
}
