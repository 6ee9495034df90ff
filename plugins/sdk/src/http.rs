//! HTTP as a monitor needs it: raw observations with timings, and no judgement.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::calendar::Civil;
use crate::{Ext, Failure, Outcome, Run};

/// The most of a body that the host keeps, in bytes.
pub const MAX_BODY_BYTES: u32 = 256 * 1024;

/// Credentials. A text may be the placeholder of a secret, which the host fills in for the service's own host only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// HTTP basic authentication.
    Basic {
        /// The user's name.
        user: String,
        /// Their password.
        password: String,
    },
    /// A bearer token.
    Bearer(String),
}

/// One request, redirects included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Absolute, `http` or `https`.
    pub url: String,
    /// In order; a name may occur more than once.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Option<Vec<u8>>,
    /// Sent to the service's own host only.
    pub credentials: Option<Credentials>,
    /// Bounds name resolution, connecting and TLS together, for each hop.
    pub connect_timeout: Duration,
    /// Bounds the time from sending the request to the end of the body, for each hop.
    pub read_timeout: Duration,
    /// Whether the certificate must be valid for the host.
    pub verify: bool,
    /// A file of PEM certificates that are trusted beside the system's. An absolute path.
    pub ca_file: Option<String>,
    /// How many redirects to follow; 0 returns the redirect itself.
    pub max_redirects: u32,
    /// How many bytes of the body to keep, at most [`MAX_BODY_BYTES`].
    pub max_body_bytes: u32,
}

impl Request {
    /// A request with the timeouts of the run that verifies certificates and follows up to 10 redirects.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>, run: &Run) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            credentials: None,
            connect_timeout: run.connect_timeout,
            read_timeout: run.read_timeout,
            verify: true,
            ca_file: None,
            max_redirects: 10,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }

    /// The same for `GET`.
    #[must_use]
    pub fn get(url: impl Into<String>, run: &Run) -> Request {
        Request::new("GET", url, run)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// How long each part took, in milliseconds. The parts are the last hop's, `total` is of all hops.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// Name resolution; none for an address.
    pub dns_ms: Option<f64>,
    /// The TCP connection.
    pub connect_ms: f64,
    /// The TLS handshake; none for http.
    pub tls_ms: Option<f64>,
    /// From the request's end to the head of the response.
    pub first_byte_ms: f64,
    /// All of it, to the end of the body.
    pub total_ms: f64,
}

/// The certificate that the server showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Start of its validity, in milliseconds since 1970 UTC.
    pub not_before_ms: i64,
    /// End of its validity, likewise.
    pub not_after_ms: i64,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// In order, names in lower case. The service's secrets are masked in them and in the body.
    pub headers: Vec<(String, String)>,
    /// The body as sent, up to the limit.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub body_truncated: bool,
    /// The address that answered in the end, without credentials.
    pub url: String,
    /// Redirects followed.
    pub redirects: u32,
    /// How long each part took.
    pub timings: Timings,
    /// The address that was connected to, such as `192.0.2.7:443`.
    pub remote_address: String,
    /// The certificate that the server showed; none for http.
    pub certificate: Option<Certificate>,
    /// What a later host may add.
    pub ext: Ext,
}

impl Response {
    /// The first header of that name, which is compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Why nothing came back. Each text is a phrase for humans that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The request itself cannot be sent: an address or a header that is none.
    InvalidRequest(String),
    /// services.yaml does not allow it; the text says which grant is missing.
    Denied(String),
    /// The name does not resolve.
    Dns(String),
    /// Nobody listens.
    Refused(String),
    /// The host or network is unreachable, or the connection failed in another way.
    Unreachable(String),
    /// Resolving, connecting and TLS took longer than the connect timeout.
    ConnectTimeout(String),
    /// The answer took longer than the read timeout.
    ReadTimeout(String),
    /// The connection ended within the answer.
    Closed(String),
    /// The TLS handshake failed for another reason than the certificate.
    Tls(String),
    /// The certificate is not trusted: unknown issuer, wrong name.
    CertificateInvalid(String),
    /// The certificate's time is over, since then if it is known.
    CertificateExpired {
        /// The end of its validity, in milliseconds since 1970 UTC.
        since_ms: Option<i64>,
    },
    /// What came is not HTTP.
    Protocol(String),
    /// More redirects than allowed, or one that leads nowhere.
    Redirect(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What a check usually makes of it: a [`Failure`] if the configuration or PiHook is at fault, else
    /// [`Outcome::down`].
    ///
    /// # Errors
    /// [`Failure::Settings`] for a request that is none, [`Failure::Denied`] for a missing grant, [`Failure::Other`]
    /// for what the host itself could not do.
    pub fn into_verdict(self) -> Result<Outcome, Failure> {
        match self {
            Error::InvalidRequest(text) => Err(Failure::Settings(text)),
            Error::Denied(text) => Err(Failure::Denied(text)),
            Error::Other(text) => Err(Failure::Other(text)),
            error => Ok(Outcome::down(error.to_string())),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, fallback) = match self {
            Error::InvalidRequest(text) => (text, "the request cannot be sent"),
            Error::Denied(text) => (text, "the request is not allowed"),
            Error::Dns(text) => (text, "the name does not resolve"),
            Error::Refused(text) => (text, "connection refused"),
            Error::Unreachable(text) => (text, "the host is unreachable"),
            Error::ConnectTimeout(text) => (text, "no connection in time"),
            Error::ReadTimeout(text) => (text, "no answer in time"),
            Error::Closed(text) => (text, "the connection ended within the answer"),
            Error::Tls(text) => (text, "the TLS handshake failed"),
            Error::CertificateInvalid(text) => (text, "the certificate is not trusted"),
            Error::CertificateExpired { since_ms: Some(ms) } => {
                return write!(f, "the certificate expired on {}", Civil::from_ms(*ms).date());
            }
            Error::CertificateExpired { since_ms: None } => {
                return f.write_str("the certificate has expired");
            }
            Error::Protocol(text) => (text, "the answer is not HTTP"),
            Error::Redirect(text) => (text, "the redirects lead nowhere"),
            Error::Other(text) => (text, "the request failed"),
        };
        f.write_str(if text.is_empty() { fallback } else { text })
    }
}

impl std::error::Error for Error {}

/// Sends the request over a new connection and returns what was observed.
///
/// # Errors
/// An [`Error`] if no complete answer came. An answer such as 500 is none.
pub fn send(request: &Request) -> Result<Response, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::http::send(request);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to send {} {}: this is a native build", request.method, request.url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_configurations_and_pihooks_faults_are_failures() {
        let text = || String::from("x");
        assert_eq!(Error::InvalidRequest(text()).into_verdict(), Err(Failure::Settings(text())));
        assert_eq!(Error::Denied(text()).into_verdict(), Err(Failure::Denied(text())));
        assert_eq!(Error::Other(text()).into_verdict(), Err(Failure::Other(text())));
        for error in [
            Error::Dns(text()),
            Error::Refused(text()),
            Error::Unreachable(text()),
            Error::ConnectTimeout(text()),
            Error::ReadTimeout(text()),
            Error::Closed(text()),
            Error::Tls(text()),
            Error::CertificateInvalid(text()),
            Error::Protocol(text()),
            Error::Redirect(text()),
        ] {
            assert_eq!(error.into_verdict(), Ok(Outcome::down("x")));
        }
    }

    #[test]
    fn an_error_without_text_still_says_something() {
        assert_eq!(Error::Refused(String::new()).to_string(), "connection refused");
        assert_eq!(Error::CertificateExpired { since_ms: None }.to_string(), "the certificate has expired");
        let known = Error::CertificateExpired { since_ms: Some(1_795_824_000_000) };
        assert_eq!(known.to_string(), "the certificate expired on 2026-11-28");
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let headers =
            vec![("content-type".into(), "text/html".into()), ("content-type".into(), "second".into())];
        let response = Response { headers, ..Response::default() };
        assert_eq!(response.header("Content-Type"), Some("text/html"));
        assert_eq!(response.header("etag"), None);
    }
}
