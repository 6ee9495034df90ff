//! What a service's `settings` may say.

use std::fmt;

use pihook_plugin::Problem;
use pihook_plugin::settings::{Millis, invalid};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// The settings of the `apt-updates` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// So many pending updates are degraded.
    #[serde(default)]
    pub warn: Threshold,
    /// So many pending security fixes are down.
    #[serde(default)]
    pub security_critical: Threshold,
    /// Older lists are degraded.
    #[serde(default = "a_week")]
    pub lists_max_age: Millis,
    /// What it means that the machine wants to be restarted.
    #[serde(default)]
    pub reboot_required: Reboot,
    /// The root of the machine that is looked at.
    #[serde(default)]
    pub root: Root,
}

fn a_week() -> Millis {
    Millis(7 * 86_400_000)
}

/// A number from which on it counts; none if it never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(pub Option<u64>);

impl Default for Threshold {
    fn default() -> Threshold {
        Threshold(Some(1))
    }
}

impl Threshold {
    /// Whether so many are enough.
    #[must_use]
    pub fn reached(self, count: usize) -> bool {
        self.0.is_some_and(|threshold| count as u64 >= threshold)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Threshold, D::Error> {
        struct NumberOrOff;
        impl Visitor<'_> for NumberOrOff {
            type Value = Threshold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 1 on, or off")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Threshold, E> {
                if number == 0 {
                    return Err(invalid("0 would always be reached", "a number from 1 on, or off"));
                }
                Ok(Threshold(Some(number)))
            }

            // `off` without quotes is a truth value in some YAML, and text in other.
            fn visit_bool<E: Error>(self, on: bool) -> Result<Threshold, E> {
                if on {
                    Err(invalid("`on` is no number", "a number from 1 on, or off"))
                } else {
                    Ok(Threshold(None))
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Threshold, E> {
                match text {
                    "off" => Ok(Threshold(None)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrOff)
    }
}

/// What it means that the machine wants to be restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reboot {
    /// Degraded.
    #[default]
    Warn,
    /// Nothing but a number among the metrics.
    Ignore,
}

/// The root of the machine that is looked at, without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Root(pub String);

impl<'de> Deserialize<'de> for Root {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Root, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err(invalid(
                format!("\"{}\" is no absolute path", pihook_plugin::text::one_line(&text, 60)),
                "such as /host",
            ));
        }
        Ok(Root(text.trim_end_matches('/').to_owned()))
    }
}

impl Settings {
    /// What no single value tells.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.lists_max_age.0 < 3_600_000 {
            problems.push(Problem::new(
                "lists_max_age",
                "apt fetches its lists once a day at the most",
                "1h or more, such as 7d",
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
