//! What the interfaces for the network share: where to, how a connection came about, and why nothing came back.

use std::fmt;
use std::time::Duration;

use crate::{Failure, Outcome, Run};

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
    /// A host and a port, with the timeouts of the run.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, run: &Run) -> Target {
        Target {
            host: host.into(),
            port,
            connect_timeout: run.connect_timeout,
            read_timeout: run.read_timeout,
        }
    }
}

/// How a connection came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connection {
    /// The address that was connected to, such as `192.0.2.7:443`.
    pub remote_address: String,
    /// Name resolution, in milliseconds; none for an address.
    pub dns_ms: Option<f64>,
    /// The TCP connection, in milliseconds.
    pub connect_ms: f64,
}

/// Why nothing came back. Each text is a phrase for humans that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// What was asked cannot be sent: a name or a number that is none.
    InvalidRequest(String),
    /// services.yaml does not allow it; the text says which grant is missing.
    Denied(String),
    /// The name does not resolve.
    Dns(String),
    /// Nobody listens.
    Refused(String),
    /// The host or network is unreachable, or the connection failed in another way.
    Unreachable(String),
    /// Resolving and connecting took longer than the connect timeout.
    ConnectTimeout(String),
    /// The answer took longer than the read timeout.
    ReadTimeout(String),
    /// The connection ended within the answer.
    Closed(String),
    /// The TLS handshake failed for another reason than the certificate.
    Tls(String),
    /// What came is not the protocol that was expected.
    Protocol(String),
    /// The machine does not let PiHook's user do that; the text says what would help.
    Forbidden(String),
    /// Anything else: what PiHook or its machine could not do. It says nothing about the service.
    Other(String),
}

impl Error {
    /// What a check usually makes of it: a [`Failure`] if the configuration, PiHook or its machine is at fault, else
    /// [`Outcome::down`].
    ///
    /// # Errors
    /// [`Failure::Settings`] for what cannot be asked, [`Failure::Denied`] for a missing grant, [`Failure::Other`] for
    /// what the host or its machine could not do.
    pub fn into_verdict(self) -> Result<Outcome, Failure> {
        let text = self.to_string();
        match self {
            Error::InvalidRequest(_) => Err(Failure::Settings(text)),
            Error::Denied(_) => Err(Failure::Denied(text)),
            Error::Forbidden(_) | Error::Other(_) => Err(Failure::Other(text)),
            Error::Dns(_)
            | Error::Refused(_)
            | Error::Unreachable(_)
            | Error::ConnectTimeout(_)
            | Error::ReadTimeout(_)
            | Error::Closed(_)
            | Error::Tls(_)
            | Error::Protocol(_) => Ok(Outcome::down(text)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, fallback) = match self {
            Error::InvalidRequest(text) => (text, "this cannot be asked"),
            Error::Denied(text) => (text, "this is not allowed"),
            Error::Dns(text) => (text, "the name does not resolve"),
            Error::Refused(text) => (text, "connection refused"),
            Error::Unreachable(text) => (text, "the host is unreachable"),
            Error::ConnectTimeout(text) => (text, "no connection in time"),
            Error::ReadTimeout(text) => (text, "no answer in time"),
            Error::Closed(text) => (text, "the connection ended within the answer"),
            Error::Tls(text) => (text, "the TLS handshake failed"),
            Error::Protocol(text) => (text, "the answer is not what this protocol says"),
            Error::Forbidden(text) => (text, "this machine does not let PiHook do that"),
            Error::Other(text) => (text, "PiHook could not ask"),
        };
        f.write_str(if text.is_empty() { fallback } else { text })
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_service_did_is_its_fault() {
        let text = || String::from("x");
        assert_eq!(Error::InvalidRequest(text()).into_verdict(), Err(Failure::Settings(text())));
        assert_eq!(Error::Denied(text()).into_verdict(), Err(Failure::Denied(text())));
        for error in [Error::Forbidden(text()), Error::Other(text())] {
            assert_eq!(error.into_verdict(), Err(Failure::Other(text())));
        }
        for error in [
            Error::Dns(text()),
            Error::Refused(text()),
            Error::Unreachable(text()),
            Error::ConnectTimeout(text()),
            Error::ReadTimeout(text()),
            Error::Closed(text()),
            Error::Tls(text()),
            Error::Protocol(text()),
        ] {
            assert_eq!(error.into_verdict(), Ok(Outcome::down("x")));
        }
    }

    #[test]
    fn an_error_without_text_still_says_something() {
        assert_eq!(Error::Refused(String::new()).to_string(), "connection refused");
        assert_eq!(
            Error::Other(String::new()).into_verdict(),
            Err(Failure::Other(String::from("PiHook could not ask")))
        );
    }
}
