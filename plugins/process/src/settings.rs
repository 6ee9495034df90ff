//! What a service's `settings` may say.

use std::fmt;

use pihook_plugin::Problem;
use pihook_plugin::settings::{Ranges, Size};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// The settings of the `process` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The program's name.
    pub name: String,
    /// Text that must be in the command line too.
    pub command_contains: Option<String>,
    /// How many processes there must be; one or more without this.
    pub count: Option<Ranges>,
    /// More memory than this, all of them together, is degraded.
    pub max_memory: Option<Size>,
    /// More of a core's time than this, all of them together, is degraded.
    pub max_cpu: Option<OfACore>,
}

/// A share of one core's time in percent, written `80%`; several cores are more than 100%.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct OfACore(pub f64);

impl OfACore {
    /// The share that is written so; none if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<OfACore> {
        let number = text.trim().strip_suffix('%')?.trim_end();
        let plain = number.len() < 9 && number.chars().all(|c| c.is_ascii_digit() || c == '.');
        number.parse().ok().filter(|_| plain).map(OfACore)
    }
}

impl<'de> Deserialize<'de> for OfACore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OfACore, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = OfACore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share of one core, such as 80%, or 150% for one and a half")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OfACore, E> {
                OfACore::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let name = match self.name.as_str() {
            name if name.trim().is_empty() => Some(("is empty", "the program's name, such as mosquitto")),
            name if name.contains('/') => Some(("is a path", "the program's name alone, such as mosquitto")),
            name if holds_secret(name) => Some((NEVER_COMPARED, "write the name itself")),
            _ => None,
        };
        let text = match self.command_contains.as_deref() {
            Some("") => Some(("is empty", "the text to look for, or leave the key out")),
            Some(text) if holds_secret(text) => Some((NEVER_COMPARED, "write the text itself")),
            _ => None,
        };
        [("name", name), ("command_contains", text)]
            .into_iter()
            .filter_map(|(key, mistake)| mistake.map(|(what, remedy)| Problem::new(key, what, remedy)))
            .collect()
    }
}

const NEVER_COMPARED: &str = "holds a secret, which is never compared";

fn holds_secret(text: &str) -> bool {
    text.contains("${secret:")
}

#[cfg(test)]
mod tests;
