//! The one place that reads the clocks.

use std::time::Instant;

use pihook_core::{Moment, Timestamp};

/// Where now comes from: a seam, so that tests can bring their own time.
pub trait Clock: Send + Sync {
    /// Both clocks, read at once.
    fn now(&self) -> Moment;
}

/// The machine's clocks. Uptime counts from when this was made.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
impl SystemClock {
    /// Starts counting uptime.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment { uptime: self.start.elapsed(), wall: Timestamp::now() }
    }
}
