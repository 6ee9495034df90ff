//! What a service's `settings` may say.

use pihook_plugin::Problem;
use pihook_plugin::settings::Millis;
use serde::Deserialize;

const SHORTEST_PERIOD: u64 = 1_000;
const LONGEST: u64 = 400 * 86_400_000;

/// The settings of the `heartbeat` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What names the job in `/push/{token}`. PiHook compares it, and the plugin only ever sees the placeholder.
    pub token: String,
    /// How often a sign of life is expected.
    pub period: Millis,
    /// How much later one may come; a fifth of the period without it.
    pub grace: Option<Millis>,
}

impl Settings {
    /// How much later a sign of life may come, in milliseconds.
    #[must_use]
    pub fn grace_ms(&self) -> u64 {
        self.grace.map_or(self.period.0 / 5, |grace| grace.0)
    }

    /// The longest silence that is no reason to worry, in milliseconds.
    #[must_use]
    pub fn allowed_ms(&self) -> u64 {
        self.period.0.saturating_add(self.grace_ms())
    }

    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(SHORTEST_PERIOD..=LONGEST).contains(&self.period.0) {
            let what = format!("a period of {} is out of bounds", self.period);
            problems.push(Problem::new("period", what, "from 1s to 400d"));
        }
        if let Some(grace) = self.grace.filter(|grace| grace.0 > LONGEST) {
            problems.push(Problem::new("grace", format!("a grace of {grace} is too long"), "up to 400d"));
        }
        problems
    }
}

#[cfg(test)]
mod tests;
