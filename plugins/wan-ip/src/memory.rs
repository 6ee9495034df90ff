//! What the check knows from its runs before.

use std::net::IpAddr;

use pihook_plugin::state;

use crate::settings::Family;

/// The key of the time since when the name is stale.
const STALE: &str = "dns-stale-since";

/// What was found before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The public address; none before the first run that found one.
    pub address: Option<IpAddr>,
    /// Since when the name in DNS leads elsewhere, in milliseconds since 1970 UTC; none while it does not.
    pub stale_since_ms: Option<i64>,
}

impl Memory {
    /// What the run before has kept. What cannot be read is taken for nothing.
    pub(crate) fn load(family: Family) -> Memory {
        Memory { address: read(family.as_str()), stale_since_ms: read(STALE) }
    }

    /// Keeps what differs from the memory before.
    pub(crate) fn save_over(&self, before: &Memory, family: Family) -> Result<(), String> {
        if self.address != before.address {
            write(family.as_str(), self.address)?;
        }
        if self.stale_since_ms != before.stale_since_ms {
            write(STALE, self.stale_since_ms)?;
        }
        Ok(())
    }
}

fn read<T: std::str::FromStr>(key: &str) -> Option<T> {
    let bytes = state::get(key)?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}

fn write(key: &str, value: Option<impl ToString>) -> Result<(), String> {
    let text = value.map(|value| value.to_string());
    state::set(key, text.as_ref().map(String::as_bytes))
}
