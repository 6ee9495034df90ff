//! What the probes for the network share: why nothing came back, and how that is worded.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use url::Host;

use super::NetworkGrant;
use crate::hosts::HostPort;

/// The longest timeout, whatever a request asks for.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// Where to, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Bounds name resolution and connecting together.
    pub connect_timeout: Duration,
    /// Bounds everything after that.
    pub read_timeout: Duration,
}

impl Target {
    /// The host, read, and in the one spelling that grants compare, if it may be reached.
    ///
    /// # Errors
    /// [`NetError::InvalidRequest`] if it is none, [`NetError::Denied`] if it is not granted.
    pub(super) fn within(&self, grant: &NetworkGrant) -> Result<(Host, HostPort), NetError> {
        grant.reaches(&self.host, Some(self.port)).map_err(NetError::Denied)?;
        if self.port == 0 {
            return Err(NetError::InvalidRequest("0 is no port: from 1 to 65535".to_owned()));
        }
        let to = HostPort::new(&self.host, self.port);
        let host = match to.host().parse() {
            Ok(address) => Host::Ipv6(address),
            Err(_) => Host::parse(to.host()).map_err(|_| {
                NetError::InvalidRequest(format!("`{}` is neither a name nor an address", self.host))
            })?,
        };
        Ok((host, to))
    }

    /// The timeouts for connecting and for reading, within reason.
    pub(super) fn timeouts(&self) -> (Duration, Duration) {
        let bounded = |timeout: Duration| timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT);
        (bounded(self.connect_timeout), bounded(self.read_timeout))
    }
}

/// How a connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The address that was connected to.
    pub remote_address: SocketAddr,
    /// Name resolution; none for an address.
    pub dns: Option<Duration>,
    /// The TCP connection.
    pub connect: Duration,
}

/// Why nothing came back. Each text is a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// What was asked cannot be sent: a name or a number that is none.
    #[error("{0}")]
    InvalidRequest(String),
    /// services.yaml does not allow it; the text says which grant is missing.
    #[error("{0}")]
    Denied(String),
    /// The name does not resolve.
    #[error("{0}")]
    Dns(String),
    /// Nobody listens.
    #[error("{0}")]
    Refused(String),
    /// The host or network is unreachable, or the connection failed in another way.
    #[error("{0}")]
    Unreachable(String),
    /// Resolving and connecting took longer than the connect timeout.
    #[error("{0}")]
    ConnectTimeout(String),
    /// The answer took longer than the read timeout.
    #[error("{0}")]
    ReadTimeout(String),
    /// The connection ended within the answer.
    #[error("{0}")]
    Closed(String),
    /// The TLS handshake failed for another reason than the certificate.
    #[error("{0}")]
    Tls(String),
    /// What came is not the protocol that was expected.
    #[error("{0}")]
    Protocol(String),
    /// The machine does not let PiHook's user do that; the text says what would help.
    #[error("{0}")]
    Forbidden(String),
    /// Anything else: what PiHook or its machine could not do.
    #[error("{0}")]
    Other(String),
}

/// A timeout as its owner would write it: `10 s`, `1.5 s`, `250 ms`.
pub(super) fn spelled(timeout: Duration) -> String {
    if timeout < Duration::from_secs(1) {
        format!("{} ms", timeout.as_millis())
    } else {
        format!("{} s", timeout.as_millis() as f64 / 1000.0)
    }
}

/// Whether this machine, and not the other one, has run out of something: files, buffers, memory.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

/// What went wrong, without the operating system's numbers.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "the connection was reset".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "no route to its network".to_owned(),
        io::ErrorKind::TimedOut => "the host does not answer".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_spelled_with_the_unit_that_fits() {
        assert_eq!(spelled(Duration::from_secs(10)), "10 s");
        assert_eq!(spelled(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(spelled(Duration::from_millis(250)), "250 ms");
    }
}
