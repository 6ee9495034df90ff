//! Why nothing came back.

use crate::probes::net::NetError;

/// Why nothing came back. The texts are for humans and hold no secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The request itself cannot be sent: an address or a header that is none.
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
    /// Resolving, connecting and TLS took longer than the connect timeout.
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
    /// The certificate is not trusted: not yet valid, unknown issuer, self-signed, wrong name.
    #[error("{0}")]
    CertificateInvalid(String),
    /// The certificate's time is over, since this many milliseconds after 1970 UTC (0 if not known).
    #[error("the certificate {}", expired(*.0))]
    CertificateExpired(i64),
    /// What came is not HTTP.
    #[error("{0}")]
    Protocol(String),
    /// More redirects than allowed, or one that leads nowhere.
    #[error("{0}")]
    Redirect(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl HttpError {
    /// The same error with its text passed through `change`.
    #[must_use]
    pub(super) fn map_text(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::InvalidRequest(text) => Self::InvalidRequest(change(text)),
            Self::Denied(text) => Self::Denied(change(text)),
            Self::Dns(text) => Self::Dns(change(text)),
            Self::Refused(text) => Self::Refused(change(text)),
            Self::Unreachable(text) => Self::Unreachable(change(text)),
            Self::ConnectTimeout(text) => Self::ConnectTimeout(change(text)),
            Self::ReadTimeout(text) => Self::ReadTimeout(change(text)),
            Self::Closed(text) => Self::Closed(change(text)),
            Self::Tls(text) => Self::Tls(change(text)),
            Self::CertificateInvalid(text) => Self::CertificateInvalid(change(text)),
            Self::CertificateExpired(at_ms) => Self::CertificateExpired(at_ms),
            Self::Protocol(text) => Self::Protocol(change(text)),
            Self::Redirect(text) => Self::Redirect(change(text)),
            Self::Other(text) => Self::Other(change(text)),
        }
    }
}

fn expired(at_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(at_ms) {
        Ok(at) if at_ms != 0 => format!("expired on {}", at.strftime("%Y-%m-%d at %H:%M UTC")),
        _ => "has expired".to_owned(),
    }
}

/// What goes wrong below HTTP.
impl From<NetError> for HttpError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::InvalidRequest(text) => Self::InvalidRequest(text),
            NetError::Denied(text) => Self::Denied(text),
            NetError::Dns(text) => Self::Dns(text),
            NetError::Refused(text) => Self::Refused(text),
            NetError::Unreachable(text) => Self::Unreachable(text),
            NetError::ConnectTimeout(text) => Self::ConnectTimeout(text),
            NetError::ReadTimeout(text) => Self::ReadTimeout(text),
            NetError::Closed(text) => Self::Closed(text),
            NetError::Tls(text) => Self::Tls(text),
            NetError::Protocol(text) => Self::Protocol(text),
            NetError::Forbidden(text) | NetError::Other(text) => Self::Other(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_certificate_says_since_when() {
        assert_eq!(
            HttpError::CertificateExpired(1_000_000_000_000).to_string(),
            "the certificate expired on 2001-09-09 at 01:46 UTC"
        );
        assert_eq!(HttpError::CertificateExpired(0).to_string(), "the certificate has expired");
        assert_eq!(HttpError::CertificateExpired(i64::MAX).to_string(), "the certificate has expired");
    }
}
