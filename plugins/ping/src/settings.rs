//! What a service's `settings` may say.

mod types;

use pihook_plugin::Problem;
use pihook_plugin::icmp::{MAX_COUNT, MAX_PAYLOAD_BYTES, MIN_INTERVAL};
use pihook_plugin::settings::Millis;
use serde::Deserialize;

pub use types::{Host, Loss};

/// The longest time between two echo requests, in milliseconds.
const MAX_INTERVAL_MS: u64 = 2_000;

/// The settings of the `ping` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name or address to ask.
    pub host: Host,
    /// How many echo requests.
    #[serde(default = "three")]
    pub count: u32,
    /// The time between two.
    #[serde(default = "a_fifth_of_a_second")]
    pub interval: Millis,
    /// How many bytes each carries.
    #[serde(default = "usual_payload")]
    pub payload: u32,
    /// What the answers must be like.
    #[serde(default)]
    pub expect: Expect,
}

/// What the answers must be like.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// A greater loss is degraded.
    #[serde(default)]
    pub max_loss: Loss,
    /// A longer round trip on average is degraded.
    pub max_round_trip: Option<Millis>,
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_COUNT).contains(&self.count) {
            let remedy = format!("from 1 to {MAX_COUNT}");
            problems.push(Problem::new("count", format!("{} cannot be sent", self.count), remedy));
        }
        if self.payload > MAX_PAYLOAD_BYTES {
            let what = format!("{} bytes do not go into one packet everywhere", self.payload);
            problems.push(Problem::new(
                "payload",
                what,
                format!("a number of bytes up to {MAX_PAYLOAD_BYTES}"),
            ));
        }
        if self.interval.0 > MAX_INTERVAL_MS || u128::from(self.interval.0) < MIN_INTERVAL.as_millis() {
            let what = format!("{} is too short or too long", self.interval);
            problems.push(Problem::new("interval", what, "between 10ms and 2s"));
        }
        problems
    }
}

fn three() -> u32 {
    3
}

fn a_fifth_of_a_second() -> Millis {
    Millis(200)
}

fn usual_payload() -> u32 {
    56
}

#[cfg(test)]
mod tests;
