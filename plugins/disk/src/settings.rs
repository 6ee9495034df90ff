//! What a service's `settings` may say.

use std::fmt;

use pihook_plugin::Problem;
use pihook_plugin::settings::{Share, Size, invalid};
use pihook_plugin::text::one_line;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// The settings of the `disk` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the filesystem is mounted.
    pub mount: MountPoint,
    /// Fuller is degraded.
    pub warn: Option<Limit>,
    /// Fuller is down.
    pub critical: Option<Limit>,
    /// More used inodes are degraded.
    pub inodes_warn: Option<Share>,
    /// More used inodes are down.
    pub inodes_critical: Option<Share>,
    /// Whether something must be mounted right there.
    #[serde(default = "yes")]
    pub mounted: bool,
}

/// How full is too full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Used at least to this share.
    Used(Share),
    /// Less than this is free.
    Free(Size),
}

/// The thresholds in force: what the settings say, and the defaults that go with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits<T> {
    /// From here on degraded.
    pub warn: Option<T>,
    /// From here on down.
    pub critical: Option<T>,
}

const WARN: Share = Share(80.0);
const CRITICAL: Share = Share(90.0);

impl Settings {
    /// The thresholds for space. A default that would contradict what is said is none.
    #[must_use]
    pub fn space(&self) -> Limits<Limit> {
        let fits = |default: Share, said: Option<Limit>, fits: fn(&f64, &f64) -> bool| match said {
            None => Some(Limit::Used(default)),
            Some(Limit::Used(said)) if fits(&default.0, &said.0) => Some(Limit::Used(default)),
            Some(_) => None,
        };
        Limits {
            warn: self.warn.or_else(|| fits(WARN, self.critical, f64::le)),
            critical: self.critical.or_else(|| fits(CRITICAL, self.warn, f64::ge)),
        }
    }

    /// The thresholds for inodes, likewise.
    #[must_use]
    pub fn inodes(&self) -> Limits<Share> {
        let warn = Some(WARN).filter(|warn| self.inodes_critical.is_none_or(|said| warn.0 <= said.0));
        let critical =
            Some(CRITICAL).filter(|critical| self.inodes_warn.is_none_or(|said| critical.0 >= said.0));
        Limits { warn: self.inodes_warn.or(warn), critical: self.inodes_critical.or(critical) }
    }

    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match (self.warn, self.critical) {
            (Some(Limit::Used(warn)), Some(Limit::Used(critical))) if warn.0 > critical.0 => {
                problems.push(beyond("warn", warn, critical, "less"));
            }
            (Some(Limit::Free(warn)), Some(Limit::Free(critical))) if warn.0 < critical.0 => {
                problems.push(beyond("warn", warn, critical, "more"));
            }
            _ => {}
        }
        if let (Some(warn), Some(critical)) = (self.inodes_warn, self.inodes_critical)
            && warn.0 > critical.0
        {
            problems.push(beyond("inodes_warn", warn, critical, "less"));
        }
        problems
    }
}

fn beyond(path: &str, warn: impl fmt::Display, critical: impl fmt::Display, way: &str) -> Problem {
    let what = format!("{warn} is beyond the critical {critical}, so nothing would ever be degraded");
    Problem::new(path, what, format!("{way} than {critical}"))
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share that is used, such as 80%, or an amount that is free, such as 5GiB")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
                let share = Share::parse(text).map(Limit::Used);
                share.or_else(|| Size::parse(text).map(Limit::Free)).ok_or_else(|| {
                    invalid(
                        format!("\"{}\" is neither a share nor an amount", one_line(text, 40)),
                        "a share that is used, such as 80%, or an amount that is free, such as 5GiB",
                    )
                })
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// An absolute path without needless parts, such as `/mnt/usb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint(pub String);

impl<'de> Deserialize<'de> for MountPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MountPoint, D::Error> {
        const REMEDY: &str = "the folder where it is mounted, such as / or /mnt/usb";
        let text = String::deserialize(deserializer)?;
        let shown = one_line(&text, 60);
        if text.contains("${") {
            return Err(invalid("comes from a secret, which is not filled in here", "write the path itself"));
        }
        if !text.starts_with('/') || text.chars().any(char::is_control) {
            return Err(invalid(format!("\"{shown}\" is no absolute path"), REMEDY));
        }
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        if names.contains(&"..") {
            return Err(invalid(format!("\"{shown}\" goes up by `..`"), REMEDY));
        }
        Ok(MountPoint(format!("/{}", names.join("/"))))
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
