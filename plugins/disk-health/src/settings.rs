//! What a service's `settings` may say.

use pihook_plugin::Problem;
use pihook_plugin::settings::{Share, invalid};
use pihook_plugin::text::one_line;
use serde::Deserialize;
use serde::de::Deserializer;

/// The settings of the `disk-health` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the machine's own filesystem is, if not at `/`: for PiHook in a container.
    pub root: Option<Folder>,
    /// Whether filesystems are looked at that turned read-only.
    #[serde(default = "yes")]
    pub filesystems: bool,
    /// Mount points that are meant to be read-only.
    #[serde(default)]
    pub read_only: Vec<Folder>,
    /// Whether the error counts of ext4 are looked at.
    #[serde(default = "yes")]
    pub ext4: bool,
    /// Whether the error counts of btrfs are looked at.
    #[serde(default = "yes")]
    pub btrfs: bool,
    /// Whether arrays of md are looked at.
    #[serde(default = "yes")]
    pub arrays: bool,
    /// Whether the granted commands whose name begins with `smart` are run.
    #[serde(default = "yes")]
    pub smart: bool,
    /// More reallocated sectors are degraded.
    #[serde(default)]
    pub reallocated_sectors: u64,
    /// More media errors of an NVMe disk are degraded.
    #[serde(default)]
    pub media_errors: u64,
    /// A more worn NVMe disk is degraded.
    #[serde(default = "ninety")]
    pub wear: Share,
    /// A warmer disk is degraded, in degrees Celsius.
    pub max_temperature: Option<u32>,
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(self.filesystems || self.ext4 || self.btrfs || self.arrays || self.smart) {
            problems.push(Problem::new(
                "",
                "nothing is left to be looked at",
                "set one of the parts to true",
            ));
        }
        if let Some(most) = self.max_temperature.filter(|most| !(20..=120).contains(most)) {
            let what = format!("{most} °C says nothing about a disk");
            problems.push(Problem::new("max_temperature", what, "from 20 to 120, such as 60"));
        }
        problems
    }

    /// A path of the machine as PiHook sees it.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        let root = self.root.as_ref().map_or("", |root| root.0.trim_end_matches('/'));
        format!("{root}{path}")
    }
}

/// An absolute path without needless parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(pub String);

impl<'de> Deserialize<'de> for Folder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Folder, D::Error> {
        let text = String::deserialize(deserializer)?;
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        let good = text.starts_with('/') && !names.contains(&"..") && !text.chars().any(char::is_control);
        if good && !text.contains("${") {
            return Ok(Folder(format!("/{}", names.join("/"))));
        }
        Err(invalid(
            format!("\"{}\" is no absolute path without `..`", one_line(&text, 60)),
            "such as /host or /boot/firmware",
        ))
    }
}

fn yes() -> bool {
    true
}

fn ninety() -> Share {
    Share(90.0)
}

#[cfg(test)]
mod tests;
