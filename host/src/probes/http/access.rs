//! What a request may reach, and where the service's secrets may go. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use pihook_core::Secret;
use url::{Host, Url};

/// What one service's requests may do.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The service's own hosts. Secrets and credentials are sent to these and nowhere else.
    pub own_hosts: Vec<HostPort>,
    /// What the placeholders `${secret:N}` stand for, by index.
    pub secrets: Vec<Secret>,
    /// Which hosts may be asked at all, redirects included.
    pub grant: HttpGrant,
}

/// Which hosts may be asked.
#[derive(Clone, Debug)]
pub enum HttpGrant {
    /// Every host: for plugins that come with PiHook.
    Any,
    /// Hosts that match one of the patterns; without patterns none.
    Hosts(Vec<HostPattern>),
}

impl Default for HttpGrant {
    fn default() -> Self {
        Self::Hosts(Vec::new())
    }
}

impl HttpGrant {
    /// Whether a request to this host may be made.
    #[must_use]
    pub fn allows(&self, scheme: Scheme, to: &HostPort) -> bool {
        match self {
            Self::Any => true,
            Self::Hosts(patterns) => patterns.iter().any(|pattern| pattern.matches(scheme, to)),
        }
    }
}

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
/// `nas.lan` is that host on every port, `nas.lan:8080` on one; `*.lan` is every name below `lan`, `*` every host.
/// With a scheme, `https://*.lan`, the port is the scheme's own unless it is given. Addresses match only themselves or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    scheme: Option<Scheme>,
    host: HostMatch,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostMatch {
    Any,
    /// Everything that ends in this, its leading dot included.
    Below(String),
    Exactly(String),
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The scheme is neither http nor https.
    #[error("`{0}` is not http or https")]
    Scheme(String),
    /// More than a host and a port.
    #[error(
        "`{0}` is not a host; a grant names hosts, such as `nas.lan:8080` or `*.lan`, without a path or a user"
    )]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
}

impl HostPattern {
    /// Whether a request to this host is meant.
    #[must_use]
    pub fn matches(&self, scheme: Scheme, to: &HostPort) -> bool {
        let host = match &self.host {
            HostMatch::Any => true,
            HostMatch::Exactly(host) => *host == to.host,
            HostMatch::Below(suffix) => {
                to.host.len() > suffix.len()
                    && to.host.ends_with(suffix.as_str())
                    && to.host.parse::<IpAddr>().is_err()
            }
        };
        host && self.scheme.is_none_or(|wanted| wanted == scheme)
            && self.port.is_none_or(|port| port == to.port)
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((name, rest)) => {
                let known = Scheme::named(&name.to_ascii_lowercase());
                (Some(known.ok_or_else(|| PatternError::Scheme(name.to_owned()))?), rest)
            }
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        let port = port.or(scheme.map(Scheme::port));
        Ok(Self { scheme, host: host_match(host, text)?, port })
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), PatternError> {
    // An address without brackets has colons of its own, and no port.
    if text.parse::<Ipv6Addr>().is_ok() || text.ends_with(']') {
        return Ok((text, None));
    }
    let Some((host, port)) = text.rsplit_once(':') else { return Ok((text, None)) };
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((host, Some(number)))
        }
        _ => Err(PatternError::Port(port.to_owned())),
    }
}

fn host_match(host: &str, pattern: &str) -> Result<HostMatch, PatternError> {
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
        return Err(PatternError::Host(pattern.to_owned()));
    }
    Ok(if below { HostMatch::Below(format!(".{}", normal(name))) } else { HostMatch::Exactly(normal(name)) })
}

#[cfg(test)]
mod tests;
