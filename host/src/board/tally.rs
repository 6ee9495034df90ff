//! What is counted of a service's outcomes while the process runs.

use std::time::Duration;

use pihook_core::{Outcome, Status};

/// Upper bounds of the response times' classes, in seconds. Beyond the last there is one more class.
pub const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What was counted. Counts only go up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    up: u64,
    degraded: u64,
    down: u64,
    unknown: u64,
    /// Outcomes by their response time; the last class is that beyond all bounds.
    classes: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Tally {
    /// Counts an outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        let of_status = match outcome.status {
            Status::Up => &mut self.up,
            Status::Degraded => &mut self.degraded,
            Status::Down => &mut self.down,
            Status::Unknown => &mut self.unknown,
        };
        *of_status = of_status.saturating_add(1);
        let Some(time) = outcome.response_time else { return };
        let class = BOUNDS.iter().position(|bound| time.as_secs_f64() <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.classes.get_mut(class) {
            *count = count.saturating_add(1);
        }
        self.sum = self.sum.saturating_add(time);
    }

    /// Outcomes with this status.
    #[must_use]
    pub fn outcomes(&self, status: Status) -> u64 {
        match status {
            Status::Up => self.up,
            Status::Degraded => self.degraded,
            Status::Down => self.down,
            Status::Unknown => self.unknown,
        }
    }

    /// How many response times were at most as long as each of [`BOUNDS`], and at last how many there were.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.classes.iter().scan(0_u64, |sum, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        })
    }

    /// All response times together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}
