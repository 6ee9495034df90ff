//! What a service's `settings` may say.

mod types;

use std::net::IpAddr;

use pihook_plugin::Problem;
use serde::Deserialize;

pub use types::{Address, Echo, Echoes, Name, Server};

/// The settings of the `wan-ip` check.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who is asked, in this order.
    #[serde(default)]
    pub echoes: Echoes,
    /// Which address is meant.
    #[serde(default)]
    pub family: Family,
    /// The address that it must be.
    pub expect: Option<Address>,
    /// A name that must lead to the address.
    pub expect_dns: Option<Name>,
    /// The server to ask for that name; the machine's own without it.
    pub dns_server: Option<Server>,
}

/// A version of the internet protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Version 4.
    #[default]
    Ipv4,
    /// Version 6.
    Ipv6,
}

impl Family {
    /// As it is written in services.yaml.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        }
    }

    /// As people write it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        }
    }

    /// The type of the DNS records that hold it.
    #[must_use]
    pub fn record(self) -> &'static str {
        match self {
            Family::Ipv4 => "A",
            Family::Ipv6 => "AAAA",
        }
    }
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.echoes.problems();
        if let Some(Address(address)) = self.expect
            && address.is_ipv4() != (self.family == Family::Ipv4)
        {
            let what = format!("{address} is not {}", self.family.title());
            let other = if matches!(address, IpAddr::V4(_)) { Family::Ipv4 } else { Family::Ipv6 };
            problems.push(Problem::new("expect", what, format!("with it goes `family: {}`", other.as_str())));
        }
        if self.family == Family::Ipv6 && self.echoes.are_default() {
            let what = "is missing: the echoes that are asked without it know IPv4 alone";
            let remedy = "such as [https://api6.ipify.org, https://ipv6.icanhazip.com]";
            problems.push(Problem::new("echoes", what, remedy));
        }
        if self.dns_server.is_some() && self.expect_dns.is_none() {
            problems.push(Problem::new(
                "dns_server",
                "is asked for nothing",
                "add `expect_dns`, or leave it out",
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
