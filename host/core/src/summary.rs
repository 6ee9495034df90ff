//! What many checks of a service come to. Summaries of parts add up to the summary of the whole.
//!
//! Time is counted in checks: each one stands for one interval of its service. So a machine that was off has no
//! downtime, and a clock that jumps changes nothing.

use std::time::Duration;

use crate::monitor::Muting;
use crate::sketch::Sketch;
use crate::{Status, Timestamp};

/// One check, as far as summaries care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was.
    pub at: Timestamp,
    /// Its verdict.
    pub status: Status,
    /// Whether maintenance covered the service.
    pub maintenance: Muting,
    /// How long the service took to answer.
    pub response: Option<Duration>,
    /// The time that it stands for: its service's interval.
    pub stands_for: Duration,
}

/// Response times: how many, how long, and how spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Responses {
    /// How many there were.
    pub count: u64,
    /// All of them together, in microseconds.
    pub sum: u64,
    /// The shortest, in microseconds; 0 if there is none.
    pub min: u64,
    /// The longest, in microseconds; 0 if there is none.
    pub max: u64,
    /// For percentiles, in microseconds.
    pub sketch: Sketch,
}

/// What many checks come to. Those during maintenance count for nothing but `maintained`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Checks that found it up.
    pub up: u64,
    /// Checks that found it degraded.
    pub degraded: u64,
    /// Checks that found it down.
    pub down: u64,
    /// Checks that could not tell.
    pub unknown: u64,
    /// Checks during maintenance, whatever they found.
    pub maintained: u64,
    /// How long it was down.
    pub down_for: Duration,
    /// How long nobody could tell.
    pub unknown_for: Duration,
    /// How long maintenance lasted.
    pub maintained_for: Duration,
    /// How fast it answered outside of maintenance.
    pub responses: Responses,
}

impl Summary {
    /// Counts a check in.
    pub fn record(&mut self, sample: &Sample) {
        if sample.maintenance == Muting::Muted {
            self.maintained = self.maintained.saturating_add(1);
            self.maintained_for = self.maintained_for.saturating_add(sample.stands_for);
            return;
        }
        let count = match sample.status {
            Status::Up => &mut self.up,
            Status::Degraded => &mut self.degraded,
            Status::Down => &mut self.down,
            Status::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
        match sample.status {
            Status::Down => self.down_for = self.down_for.saturating_add(sample.stands_for),
            Status::Unknown => self.unknown_for = self.unknown_for.saturating_add(sample.stands_for),
            Status::Up | Status::Degraded => {}
        }
        if let Some(response) = sample.response {
            self.responses.record(u64::try_from(response.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Adds what another one has counted.
    pub fn merge(&mut self, other: &Summary) {
        for (count, more) in [
            (&mut self.up, other.up),
            (&mut self.degraded, other.degraded),
            (&mut self.down, other.down),
            (&mut self.unknown, other.unknown),
            (&mut self.maintained, other.maintained),
        ] {
            *count = count.saturating_add(more);
        }
        for (time, more) in [
            (&mut self.down_for, other.down_for),
            (&mut self.unknown_for, other.unknown_for),
            (&mut self.maintained_for, other.maintained_for),
        ] {
            *time = time.saturating_add(more);
        }
        self.responses.merge(&other.responses);
    }

    /// All checks.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.judged().saturating_add(self.unknown).saturating_add(self.maintained)
    }

    /// The share of checks that found it up or degraded, of those that could tell, in percent; none without any.
    #[must_use]
    pub fn uptime_percent(&self) -> Option<f64> {
        let well = self.up.saturating_add(self.degraded);
        (self.judged() > 0).then(|| 100.0 * ratio(well, self.judged()))
    }

    /// The worst that was seen outside of maintenance; none if nothing was.
    #[must_use]
    pub fn worst(&self) -> Option<Status> {
        let seen = [
            (Status::Down, self.down),
            (Status::Degraded, self.degraded),
            (Status::Unknown, self.unknown),
            (Status::Up, self.up),
        ];
        seen.into_iter().find(|(_, count)| *count > 0).map(|(status, _)| status)
    }

    fn judged(&self) -> u64 {
        self.up.saturating_add(self.degraded).saturating_add(self.down)
    }
}

impl Responses {
    /// Counts a response time in, in microseconds.
    fn record(&mut self, micros: u64) {
        let first = self.count == 0;
        self.min = if first { micros } else { self.min.min(micros) };
        self.max = self.max.max(micros);
        self.sum = self.sum.saturating_add(micros);
        self.count = self.count.saturating_add(1);
        self.sketch.record(micros);
    }

    fn merge(&mut self, other: &Responses) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.count = self.count.saturating_add(other.count);
        self.sketch.merge(&other.sketch);
    }

    /// The mean in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.sum, self.count) / 1000.0)
    }

    /// The longest in milliseconds.
    #[must_use]
    pub fn max_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| ratio(self.max, 1000))
    }

    /// A percentile in milliseconds, off by [`Sketch::ERROR`] at the most and never beyond what was seen.
    #[must_use]
    pub fn percentile_ms(&self, percent: u8) -> Option<f64> {
        let micros = self.sketch.percentile(percent)?;
        Some(ratio(micros.clamp(self.min, self.max.max(self.min)), 1000))
    }
}

/// By how much the mean response time has changed, in percent; none if one of them has none.
#[must_use]
pub fn change_percent(before: &Summary, now: &Summary) -> Option<f64> {
    let before = before.responses.mean_ms().filter(|before| *before > 0.0)?;
    Some(100.0 * (now.responses.mean_ms()? - before) / before)
}

#[expect(clippy::cast_precision_loss, reason = "counts far beyond 2^52 are no homelab's")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests;
