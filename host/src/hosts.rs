//! Hosts, and the patterns that grant them: one spelling and one grammar for services.yaml and the probes. Pure.

mod canary;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

pub use canary::{Canary, CanaryError};

/// Plain or over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// The scheme of an address; none if it is neither.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        Self::named(url.scheme())
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            _ => None,
        }
    }
}

/// A host and a port, in one spelling: lower case, no brackets, no final dot, addresses in their shortest form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// Of a name or an address, with or without brackets.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: normal(host), port }
    }

    /// Of an address on the web; none if it has no host, or no port is known for its scheme.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        Some(Self::new(url.host_str()?, url.port_or_known_default()?))
    }

    /// The host alone, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The one spelling of a host. What no host can be called stays as it is, and so matches nothing.
fn normal(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return address.to_string();
    }
    let text = match Host::parse(bare) {
        Ok(Host::Domain(name)) => name,
        Ok(Host::Ipv4(address)) => address.to_string(),
        Ok(Host::Ipv6(address)) => address.to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    };
    text.strip_suffix('.').map(str::to_owned).unwrap_or(text)
}

/// A pattern of hosts, as it stands under `allow: { http: […] }`.
///
/// `nas.lan` is that host on the ports that http and https have by default, 80 and 443; `nas.lan:8080` on one port,
/// `nas.lan:*` on every port. `*.lan` is every name below `lan`, `*` every host. With a scheme, `https://*.lan`, only
/// that one is meant. Addresses match only themselves or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    scheme: Option<Scheme>,
    host: HostMatch,
    port: PortMatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PortMatch {
    /// The scheme's own.
    Usual,
    Any,
    Exactly(u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostMatch {
    Any,
    /// Everything that ends in this, its leading dot included.
    Below(String),
    Exactly(String),
}

/// Why a pattern is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The scheme is neither http nor https.
    #[error("its scheme is neither http nor https")]
    Scheme,
    /// More than a host and a port.
    #[error("it is not a host alone, without a path or a user")]
    Host,
    /// The port is neither a number from 1 to 65535 nor `*`.
    #[error("its port is not a number from 1 to 65535, nor `*`")]
    Port,
}

impl HostPattern {
    /// Whether a request to this host is meant.
    #[must_use]
    pub fn matches(&self, scheme: Scheme, to: &HostPort) -> bool {
        let port = match self.port {
            PortMatch::Usual => to.port == scheme.port(),
            PortMatch::Any => true,
            PortMatch::Exactly(port) => to.port == port,
        };
        port && self.matches_host(&to.host) && self.scheme.is_none_or(|wanted| wanted == scheme)
    }

    /// Whether something else than HTTP may go to this host, and to this port if there are ports. A pattern without a port
    /// means every port then, and one with a scheme means HTTP alone.
    #[must_use]
    pub fn matches_network(&self, host: &str, port: Option<u16>) -> bool {
        let granted = match (self.port, port) {
            (PortMatch::Usual | PortMatch::Any, _) | (PortMatch::Exactly(_), None) => true,
            (PortMatch::Exactly(granted), Some(port)) => granted == port,
        };
        granted && self.scheme.is_none() && self.matches_host(&normal(host))
    }

    fn matches_host(&self, to: &str) -> bool {
        match &self.host {
            HostMatch::Any => true,
            HostMatch::Exactly(host) => host == to,
            HostMatch::Below(suffix) => {
                to.len() > suffix.len() && to.ends_with(suffix.as_str()) && to.parse::<IpAddr>().is_err()
            }
        }
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((name, rest)) => {
                let known = Scheme::named(&name.to_ascii_lowercase());
                (Some(known.ok_or(PatternError::Scheme)?), rest)
            }
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        Ok(Self { scheme, host: host_match(host)?, port })
    }
}

fn split_port(text: &str) -> Result<(&str, PortMatch), PatternError> {
    // An address without brackets has colons of its own, and no port.
    if text.parse::<Ipv6Addr>().is_ok() || text.ends_with(']') {
        return Ok((text, PortMatch::Usual));
    }
    let Some((host, port)) = text.rsplit_once(':') else { return Ok((text, PortMatch::Usual)) };
    match port.parse::<u16>() {
        _ if port == "*" => Ok((host, PortMatch::Any)),
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((host, PortMatch::Exactly(number)))
        }
        _ => Err(PatternError::Port),
    }
}

fn host_match(host: &str) -> Result<HostMatch, PatternError> {
    if host == "*" {
        return Ok(HostMatch::Any);
    }
    let (below, name) = match host.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, host),
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let numeric = |name: &str| name.parse::<Ipv4Addr>().is_ok() || name.parse::<Ipv6Addr>().is_ok();
    let valid = (numeric(bare) && !below) || (Host::parse(name).is_ok() && !name.contains(['*', '@', '%']));
    if !valid || name.is_empty() {
        return Err(PatternError::Host);
    }
    Ok(if below { HostMatch::Below(format!(".{}", normal(name))) } else { HostMatch::Exactly(normal(name)) })
}

#[cfg(test)]
mod tests;
