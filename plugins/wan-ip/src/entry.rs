//! A name in DNS that must lead to the public address.

use std::net::IpAddr;
use std::time::Duration;

use pihook_plugin::Run;
use pihook_plugin::dns::{Answer, Query};
use pihook_plugin::text::{one_line, span};

use crate::settings::Settings;

/// How long DNS may take at most; the rest is for the echoes.
const PATIENCE: Duration = Duration::from_secs(10);

const MINUTE_MS: u64 = 60_000;

/// What the name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// To these addresses; without any, nowhere.
    Addresses(Vec<IpAddr>),
    /// There is no such name.
    NoSuchName,
    /// It cannot be told, and why.
    Failed(String),
}

/// The question to DNS, if there is one.
#[must_use]
pub fn query(settings: &Settings, run: &Run) -> Option<Query> {
    settings.expect_dns.as_ref().map(|name| Query {
        name: name.0.clone(),
        kind: settings.family.record().to_owned(),
        server: settings.dns_server.as_ref().map(|server| server.0.clone()),
        timeout: run.read_timeout.min(PATIENCE),
    })
}

/// What DNS said about records of this type.
#[must_use]
pub fn resolved(kind: &str, answer: &Answer) -> Lookup {
    match answer.code.as_str() {
        "NOERROR" => {
            let records = answer.records.iter().filter(|record| record.kind == kind);
            Lookup::Addresses(records.filter_map(|record| record.value.parse().ok()).collect())
        }
        "NXDOMAIN" => Lookup::NoSuchName,
        code => Lookup::Failed(format!("the DNS server {} answers {}", answer.server, one_line(code, 20))),
    }
}

/// A name in DNS and what it leads to.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) lookup: Lookup,
}

/// Where it leads.
pub(crate) enum Leads {
    Here,
    Elsewhere,
    CannotTell,
}

impl Entry<'_> {
    /// Whether it leads to this address.
    pub(crate) fn leads_to(&self, address: IpAddr) -> Leads {
        match &self.lookup {
            Lookup::Addresses(found) if found.contains(&address) => Leads::Here,
            Lookup::Addresses(_) | Lookup::NoSuchName => Leads::Elsewhere,
            Lookup::Failed(_) => Leads::CannotTell,
        }
    }

    /// What is wrong with it. It is *still* so if it led to the address `before`, or was wrong `for_ms` ago.
    pub(crate) fn fault(
        &self,
        address: IpAddr,
        before: Option<IpAddr>,
        for_ms: Option<u64>,
    ) -> Option<String> {
        let name = self.name;
        let since = for_ms.map(|ms| match ms - ms % MINUTE_MS {
            0 => String::from(" (for less than a minute)"),
            ms => format!(" (for {})", span(ms)),
        });
        let what = match &self.lookup {
            Lookup::Failed(_) => return None,
            Lookup::Addresses(found) if found.contains(&address) => return None,
            Lookup::NoSuchName => format!("{name} does not exist"),
            Lookup::Addresses(found) if found.is_empty() => format!("{name} leads nowhere"),
            Lookup::Addresses(found) => {
                let still = since.is_some() || before.is_some_and(|before| found.contains(&before));
                let found: Vec<String> = found.iter().take(3).map(IpAddr::to_string).collect();
                format!("{name} {}leads to {}", if still { "still " } else { "" }, found.join(" and "))
            }
        };
        Some(format!("{what}, the address is {address}{}", since.unwrap_or_default()))
    }

    /// Why it cannot be told where it leads.
    pub(crate) fn doubt(&self) -> Option<String> {
        match &self.lookup {
            Lookup::Failed(why) => Some(format!("what {} leads to cannot be told: {why}", self.name)),
            Lookup::Addresses(_) | Lookup::NoSuchName => None,
        }
    }
}
