//! What a service's `settings` may say.

mod types;

use pihook_plugin::Problem;
use pihook_plugin::settings::Share;
use serde::Deserialize;

pub use types::{Degrees, Limits, Load};

/// The settings of the `system` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How busy the processors may be, all together, between two checks.
    #[serde(default)]
    pub cpu: Limits<Share>,
    /// How much memory may be used: what programs could not have any more.
    #[serde(default = "memory")]
    pub memory: Limits<Share>,
    /// How much swap may be used.
    #[serde(default)]
    pub swap: Limits<Share>,
    /// How high the load average of a minute may be, for each core.
    #[serde(default)]
    pub load_per_core: Limits<Load>,
    /// How hot it may be. Without this, [`TEMPERATURE`] where there is a sensor.
    pub temperature: Option<Limits<Degrees>>,
    /// Part of the sensor's name; the first one without it, which is the processor's.
    pub sensor: Option<String>,
    /// What becomes of a reboot since the check before.
    #[serde(default)]
    pub reboot: Reboot,
    /// What a Raspberry Pi that slows itself down is.
    #[serde(default)]
    pub throttling: Verdict,
}

/// What becomes of a reboot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reboot {
    /// It is told once, as news: it is an event and no fault that lasts.
    #[default]
    Notice,
    /// Nothing.
    Ignore,
}

/// What is made of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Worth a look.
    #[default]
    Degraded,
    /// Nothing.
    Ignore,
}

/// A Raspberry Pi begins to slow down at 80 °C and does so with force at 85 °C.
pub const TEMPERATURE: Limits<Degrees> = Limits { warn: Some(Degrees(80.0)), critical: Some(Degrees(85.0)) };

fn memory() -> Limits<Share> {
    Limits { warn: Some(Share(90.0)), critical: Some(Share(95.0)) }
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = [
            disorder("cpu", &self.cpu),
            disorder("memory", &self.memory),
            disorder("swap", &self.swap),
            disorder("load_per_core", &self.load_per_core),
            self.temperature.as_ref().and_then(|limits| disorder("temperature", limits)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.sensor.as_ref().is_some_and(|name| name.trim().is_empty()) {
            problems.push(Problem::new("sensor", "is empty", "part of a sensor's name, such as cpu_thermal"));
        }
        problems
    }
}

fn disorder<T: PartialOrd>(key: &str, limits: &Limits<T>) -> Option<Problem> {
    let (warn, critical) = limits.warn.as_ref().zip(limits.critical.as_ref())?;
    (warn > critical).then(|| {
        Problem::new(
            format!("{key}.warn"),
            "is above `critical`",
            "a limit that is reached before `critical`",
        )
    })
}

#[cfg(test)]
mod tests;
