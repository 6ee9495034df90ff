//! The last hour of a service, in half minutes.

use std::collections::VecDeque;

use pihook_core::{Outcome, Status};

/// Milliseconds that one point stands for.
const SPAN_MS: i64 = 30_000;
/// Points that are kept: an hour, however often the service is checked.
const POINTS: usize = 120;

/// The phases of a request, as checks name their durations in milliseconds. The last is what all of them have.
pub const PHASES: [&str; 4] = ["dns_ms", "connect_ms", "tls_ms", "first_byte_ms"];

/// The outcomes of one half minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When the first of them began, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The worst of them.
    pub status: Status,
    /// The longest response time in microseconds, if any had one.
    pub response_us: Option<u32>,
    /// Of the slowest of them the [`PHASES`] in microseconds, if it was a request.
    pub phases_us: Option<[u32; PHASES.len()]>,
}

/// The last hour, the oldest point first. A clock that is set back begins anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent(VecDeque<Point>);

impl Recent {
    /// Takes an outcome in.
    pub fn add(&mut self, outcome: &Outcome) {
        let new = Point {
            at_ms: outcome.at.as_millisecond(),
            status: outcome.status,
            response_us: outcome
                .response_time
                .map(|time| u32::try_from(time.as_micros()).unwrap_or(u32::MAX)),
            phases_us: phases(outcome),
        };
        if self.0.back().is_some_and(|last| last.at_ms > new.at_ms) {
            self.0.clear();
        }
        let since = new.at_ms.saturating_sub(SPAN_MS * i64::try_from(POINTS).unwrap_or(0));
        while self.0.front().is_some_and(|first| first.at_ms <= since) {
            self.0.pop_front();
        }
        match self.0.back_mut().filter(|last| last.at_ms.div_euclid(SPAN_MS) == new.at_ms.div_euclid(SPAN_MS))
        {
            Some(last) => last.merge(new),
            None => self.0.push_back(new),
        }
    }

    /// The points, the oldest first; at most 120.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &Point> + Clone {
        self.0.iter()
    }
}

impl Point {
    fn merge(&mut self, other: Point) {
        if other.status.badness() > self.status.badness() {
            self.status = other.status;
        }
        if other.response_us > self.response_us {
            self.response_us = other.response_us;
            self.phases_us = other.phases_us;
        }
    }
}

fn phases(outcome: &Outcome) -> Option<[u32; PHASES.len()]> {
    let measured = |name: &str| {
        let metric = outcome.metrics.iter().find(|metric| metric.name == name)?;
        // Saturates; what is negative becomes 0.
        Some((metric.value * 1000.0) as u32)
    };
    let [.., last] = PHASES;
    measured(last)?;
    Some(PHASES.map(|name| measured(name).unwrap_or(0)))
}
