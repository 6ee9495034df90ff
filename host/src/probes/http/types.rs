//! What goes into a request and what comes out of it, as `wit/host.wit` describes it to plugins.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One request, redirects included. Address, header values, body and credentials may hold placeholders `${secret:N}`.
#[derive(Clone)]
pub struct HttpRequest {
    /// Such as `GET`.
    pub method: String,
    /// Absolute, `http` or `https`. User and password in it work as basic credentials.
    pub url: String,
    /// In order; a name may occur more than once.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Option<Vec<u8>>,
    /// Sent to the service's own hosts only; an `authorization` among the headers goes before it.
    pub credentials: Option<Credentials>,
    /// Bounds name resolution, connecting and TLS together, for each hop.
    pub connect_timeout: Duration,
    /// Bounds the time from sending the request to the end of the body, for each hop.
    pub read_timeout: Duration,
    /// Whether the certificate must be valid for the host.
    pub verify: bool,
    /// A file of PEM certificates that are trusted beside the system's. An absolute path.
    pub ca_file: Option<PathBuf>,
    /// How many redirects to follow; 0 returns the redirect itself.
    pub max_redirects: u32,
    /// How many bytes of the body to keep; [`super::MAX_BODY_BYTES`] is the host's own limit.
    pub max_body_bytes: u32,
}

/// Credentials. The text may be a placeholder of a secret.
#[derive(Clone)]
pub enum Credentials {
    /// HTTP basic authentication.
    Basic {
        /// The user, without a colon.
        user: String,
        /// The password.
        password: String,
    },
    /// A bearer token.
    Bearer(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Bearer(_) => "Bearer(***)",
        })
    }
}

/// How long each part took. Parts of the last hop, `total` of all hops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Name resolution; none for an address.
    pub dns: Option<Duration>,
    /// The TCP connection.
    pub connect: Duration,
    /// The TLS handshake; none for http.
    pub tls: Option<Duration>,
    /// From sending the request to the head of the response.
    pub first_byte: Duration,
    /// All of it, to the end of the body.
    pub total: Duration,
}

/// The certificate that the server showed, verified or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, such as `CN=nas.lan`.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Start of its validity, in milliseconds since 1970 UTC.
    pub not_before_ms: i64,
    /// End of its validity, likewise.
    pub not_after_ms: i64,
}

/// What came back. The service's secrets are masked as `***` in headers, body and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// Such as 200.
    pub status: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as sent, not decompressed, up to the limit.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub body_truncated: bool,
    /// The address that answered in the end, without credentials.
    pub url: String,
    /// Redirects followed.
    pub redirects: u32,
    /// How long each part took.
    pub timings: Timings,
    /// The address that was connected to.
    pub remote_address: SocketAddr,
    /// The certificate that the server showed; none for http, or if it cannot be read.
    pub certificate: Option<Certificate>,
}
