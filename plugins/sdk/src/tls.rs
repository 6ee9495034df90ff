//! A TLS handshake, whatever the certificate is worth.

use crate::net::{Connection, Error, Target};

/// What is said in plain text before the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Starttls {
    /// Nothing.
    #[default]
    None,
    /// SMTP's `STARTTLS`.
    Smtp,
    /// IMAP's `STARTTLS`.
    Imap,
}

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub target: Target,
    /// The name that the certificate is to be valid for, when it is not the host.
    pub server_name: Option<String>,
    /// What is said before.
    pub starttls: Starttls,
    /// A file of PEM certificates that are trusted beside the system's. An absolute path.
    pub ca_file: Option<String>,
}

impl Request {
    /// A handshake at once, for the host's own name, with the trust of the system.
    #[must_use]
    pub fn new(target: Target) -> Request {
        Request { target, server_name: None, starttls: Starttls::None, ca_file: None }
    }
}

/// A certificate of the chain that the server showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The names that it is valid for.
    pub names: Vec<String>,
    /// Start of its validity, in milliseconds since 1970 UTC.
    pub not_before_ms: i64,
    /// End of its validity, likewise.
    pub not_after_ms: i64,
}

/// Why a certificate is not to be trusted. Each text is a phrase for humans that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Its chain does not end at an issuer that is trusted.
    UnknownIssuer(String),
    /// It is not valid for the name.
    WrongName(String),
    /// Its time, or that of its issuers, is not now; or another reason.
    Other(String),
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The connection.
    pub connection: Connection,
    /// The words before the handshake, in milliseconds; none without any.
    pub starttls_ms: Option<f64>,
    /// The handshake, in milliseconds.
    pub handshake_ms: f64,
    /// Such as `TLS 1.3`.
    pub version: String,
    /// The cipher suite's name.
    pub cipher: String,
    /// The server's own certificate first; at most 10.
    pub chain: Vec<Certificate>,
    /// Why it is not to be trusted; none if it is.
    pub distrust: Option<Distrust>,
}

/// Makes a handshake and closes the connection.
///
/// # Errors
/// An [`Error`] if the handshake did not come about. That the certificate is not to be trusted is none.
pub fn handshake(request: &Request) -> Result<Answer, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::tls::handshake(request);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to shake hands with {}: this is a native build", request.target.host)))
}
