//! What TLS handshakes of all probes share: the name that is asked for, and why there is no handshake.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use url::Host;

use super::net::{NetError, is_shortage, reason};
use super::trust::Rejection;

/// The host as TLS names it.
///
/// # Errors
/// [`NetError::InvalidRequest`] if no certificate could have this name.
pub(super) fn server_name(host: Host<&str>) -> Result<ServerName<'static>, NetError> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(address))),
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| {
            NetError::InvalidRequest(format!("`{name}` is not a name that a certificate could have"))
        }),
    }
}

/// Why our verifier refused the certificate, if that is why the handshake failed.
pub(super) fn rejection(error: &io::Error) -> Option<&Rejection> {
    match error.get_ref()?.downcast_ref::<Error>()? {
        Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref::<Rejection>(),
        _ => None,
    }
}

/// Why the handshake failed, for any reason but the verifier's.
pub(super) fn failed(error: &io::Error, remote: SocketAddr) -> NetError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            NetError::Tls(format!("{remote} does not speak TLS on this port"))
        }
        Some(
            Error::AlertReceived(AlertDescription::ProtocolVersion)
            | Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
        ) => NetError::Tls(format!("{remote} speaks no version of TLS from 1.2 on")),
        Some(Error::AlertReceived(alert)) => {
            NetError::Tls(format!("{remote} refused the TLS handshake ({alert:?})"))
        }
        Some(other) => NetError::Tls(format!("the TLS handshake with {remote} failed: {other}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            NetError::Tls(format!("{remote} closed the connection within the TLS handshake"))
        }
        None if is_shortage(error) => {
            NetError::Other(format!("this machine cannot shake hands with {remote}: {}", reason(error)))
        }
        None => NetError::Tls(format!("the TLS handshake with {remote} failed: {}", reason(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_worded() {
        let remote = SocketAddr::from(([192, 0, 2, 7], 443));
        let told =
            |error: Error| failed(&io::Error::new(io::ErrorKind::InvalidData, error), remote).to_string();
        assert_eq!(
            told(Error::AlertReceived(AlertDescription::ProtocolVersion)),
            "192.0.2.7:443 speaks no version of TLS from 1.2 on"
        );
        assert_eq!(
            told(Error::AlertReceived(AlertDescription::UnrecognisedName)),
            "192.0.2.7:443 refused the TLS handshake (UnrecognisedName)"
        );
        assert_eq!(
            told(InvalidMessage::InvalidContentType.into()),
            "192.0.2.7:443 does not speak TLS on this port"
        );
        assert!(told(Error::DecryptError).starts_with("the TLS handshake with 192.0.2.7:443 failed: "));
        let shortage = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert!(matches!(failed(&shortage, remote), NetError::Other(_)));
        let ended = failed(&io::ErrorKind::UnexpectedEof.into(), remote);
        assert_eq!(ended.to_string(), "192.0.2.7:443 closed the connection within the TLS handshake");
        assert_eq!(rejection(&shortage), None);
    }

    #[test]
    fn names_are_what_a_certificate_could_have() {
        assert!(server_name(Host::Domain("nas.lan")).is_ok());
        assert!(server_name(Host::Ipv6(std::net::Ipv6Addr::LOCALHOST)).is_ok());
        assert!(matches!(server_name(Host::Domain("")), Err(NetError::InvalidRequest(_))));
    }
}
