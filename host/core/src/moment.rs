//! The only notion of now: two clocks, handed in by the caller.

use std::time::Duration;

pub use jiff::Timestamp;

/// One instant, read from two clocks.
///
/// Decisions use `uptime` alone. A Raspberry Pi has no battery-backed clock: it boots with the wrong wall time and
/// jumps when NTP answers, so `wall` is for display and history only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Time since an arbitrary start, monotonic within one run of the process.
    pub uptime: Duration,
    /// The calendar's time, which may jump either way between two moments.
    pub wall: Timestamp,
}

impl Moment {
    /// Uptime that has passed since `earlier`; zero if `earlier` lies in the future.
    #[must_use]
    pub fn since(&self, earlier: Duration) -> Duration {
        self.uptime.saturating_sub(earlier)
    }
}
