//! What a service's `settings` may say.

use pihook_plugin::settings::invalid;
use pihook_plugin::text::one_line;
use serde::{Deserialize, Deserializer};

/// The settings of the `systemd-unit` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The unit.
    pub unit: UnitName,
    /// The states that are good.
    #[serde(default = "active")]
    pub states: Vec<ActiveState>,
    /// The substates that are good; all of them if there are none.
    #[serde(default)]
    pub substates: Vec<String>,
}

/// A unit's name with its suffix; `.service` if none is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitName(pub String);

/// The kinds of units.
const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".timer",
    ".mount",
    ".target",
    ".path",
    ".swap",
    ".automount",
    ".slice",
    ".scope",
    ".device",
];
const REMEDY: &str = "such as nginx, nginx.service or backup.timer";

impl<'de> Deserialize<'de> for UnitName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UnitName, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = match SUFFIXES.iter().any(|suffix| text.ends_with(suffix)) {
            true => text,
            false => format!("{text}.service"),
        };
        let shown = one_line(&name, 60);
        let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let known = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        match () {
            () if stem.is_empty() || name.len() > 255 || !name.chars().all(known) => {
                Err(invalid(format_args!("\"{shown}\" is no name of a unit"), REMEDY))
            }
            () if stem.ends_with('@') => Err(invalid(
                format_args!("\"{shown}\" is a template"),
                "with what it stands for, such as openvpn@home.service",
            )),
            () => Ok(UnitName(name)),
        }
    }
}

/// A unit's state, whatever its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActiveState {
    /// It runs, or has done what it should and counts as running.
    Active,
    /// It runs and reads its configuration anew.
    Reloading,
    /// It does not run.
    Inactive,
    /// It has ended with an error.
    Failed,
    /// It is being started.
    Activating,
    /// It is being stopped.
    Deactivating,
    /// It is being cleaned.
    Maintenance,
    /// It is being mounted anew.
    Refreshing,
}

impl ActiveState {
    /// In systemd's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ActiveState::Active => "active",
            ActiveState::Reloading => "reloading",
            ActiveState::Inactive => "inactive",
            ActiveState::Failed => "failed",
            ActiveState::Activating => "activating",
            ActiveState::Deactivating => "deactivating",
            ActiveState::Maintenance => "maintenance",
            ActiveState::Refreshing => "refreshing",
        }
    }
}

fn active() -> Vec<ActiveState> {
    vec![ActiveState::Active]
}

#[cfg(test)]
mod tests;
