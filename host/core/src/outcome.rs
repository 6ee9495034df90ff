//! The verdict of one run of a check, after its retries.

use std::time::Duration;

use crate::{Status, Timestamp};

/// A number that a check measured, with the unit that its documentation names.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Such as `used_percent`.
    pub name: String,
    /// Finite; whoever reads it from a plugin drops NaN and infinities.
    pub value: f64,
    /// Such as `percent`, `bytes`, `ms`, `seconds`, or empty for a count.
    pub unit: String,
}

/// The verdict of one run of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The verdict.
    pub status: Status,
    /// One line for a human: what was seen, and by how much it was off.
    pub summary: String,
    /// News that are an event and no outage, in one line: told once, and no incident.
    pub notice: Option<String>,
    /// How long the service took to answer in the last attempt; none where the check has no such notion.
    pub response_time: Option<Duration>,
    /// Attempts made, the retries included; at least 1.
    pub attempts: u32,
    /// What was measured in the last attempt.
    pub metrics: Vec<Metric>,
    /// When the first attempt began, by the wall clock.
    pub at: Timestamp,
}
