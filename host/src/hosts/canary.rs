//! An address whose answer shows that a part of the network can be reached.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::{HostPort, Scheme};

/// An address that is asked whether anybody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary {
    /// An address on the web, `http` or `https`, without a login: any answer shows that it can be reached.
    Web(Url),
    /// A port: that it takes a connection shows it.
    Port(HostPort),
}

/// Why a text is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CanaryError {
    /// It is neither of the two forms.
    #[error("is neither a web address nor a host with a port")]
    NoAddress,
    /// It would have to be kept secret.
    #[error("has a login in it, and a canary needs none")]
    Login,
}

impl FromStr for Canary {
    type Err = CanaryError;

    fn from_str(text: &str) -> Result<Self, CanaryError> {
        if !text.contains("://") {
            return port(text).map(Canary::Port).ok_or(CanaryError::NoAddress);
        }
        let url = Url::parse(text).ok().filter(|url| Scheme::of(url).is_some() && url.has_host());
        let url = url.ok_or(CanaryError::NoAddress)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CanaryError::Login);
        }
        Ok(Canary::Web(url))
    }
}

fn port(text: &str) -> Option<HostPort> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    // An address with colons in it has brackets around it, or the last part could not be told from a port.
    Host::parse(host).ok()?;
    Some(HostPort::new(host, port))
}

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Canary::Web(url) => f.write_str(url.as_str().trim_end_matches('/')),
            Canary::Port(to) => to.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_and_ports_are_canaries_and_nothing_else() {
        for (text, shown) in [
            ("https://1.1.1.1", "https://1.1.1.1"),
            ("http://Router.lan:8080/x", "http://router.lan:8080/x"),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]"),
            ("192.168.1.1:53", "192.168.1.1:53"),
            ("Router.lan:443", "router.lan:443"),
            ("[fd00::1]:22", "[fd00::1]:22"),
        ] {
            let canary: Canary = text.parse().unwrap_or_else(|error| panic!("{text} {error}"));
            assert_eq!(canary.to_string(), shown);
        }
        for text in
            ["", "1.1.1.1", "ftp://a/", "https://", "a:0", "a:65536", "fd00::1:22", ":80", "a b:80", "/x:80"]
        {
            assert_eq!(text.parse::<Canary>(), Err(CanaryError::NoAddress), "{text}");
        }
        assert_eq!("https://me:x@a/".parse::<Canary>(), Err(CanaryError::Login));
    }
}
