//! How old a flag is: one that was forgotten keeps everybody from hearing of an outage.

use std::time::Duration;

use crate::{Moment, Timestamp};

const DAY: Duration = Duration::from_secs(86_400);
/// No file of PiHook is older. A clock that claims so had not been set yet when the flag was.
const EARLIEST: i64 = 1_704_067_200;

/// What is known of when a flag was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagAge {
    /// When its file was written, by the wall clock of then.
    pub written: Timestamp,
    /// For how long this process has known it, by uptime.
    pub known_for: Duration,
}

/// A flag that is older than a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Whole days, at least one.
    pub days: u64,
}

impl FlagAge {
    /// How old the flag is. A time that cannot be, since the clock has jumped, counts for nothing: then the flag is as old
    /// as it has been known.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Duration {
        let plausible = self.written.as_second() >= EARLIEST;
        let claimed = Duration::try_from(now.duration_since(self.written)).unwrap_or_default();
        if plausible { claimed.max(self.known_for) } else { self.known_for }
    }

    /// Whether it is older than a day.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Option<Overdue> {
        let days = self.at(now).as_secs() / DAY.as_secs();
        (days > 0).then_some(Overdue { days })
    }
}

/// When an overdue flag was last mentioned in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NagState {
    mentioned: Option<Duration>,
}

impl NagState {
    /// Whether to mention it now: at once when it becomes overdue, and again after each day of uptime.
    pub fn mention(&mut self, age: FlagAge, now: Moment) -> Option<Overdue> {
        let Some(overdue) = age.overdue(now.wall) else {
            self.mentioned = None;
            return None;
        };
        if self.mentioned.is_some_and(|mentioned| now.since(mentioned) < DAY) {
            return None;
        }
        self.mentioned = Some(now.uptime);
        Some(overdue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn age(written: i64, known_for: u64) -> FlagAge {
        FlagAge { written: at(written), known_for: Duration::from_secs(known_for) }
    }

    #[test]
    fn a_day_is_too_long() {
        assert_eq!(age(START, 0).overdue(at(START + 86_399)), None);
        assert_eq!(age(START, 0).overdue(at(START + 86_400)), Some(Overdue { days: 1 }));
        assert_eq!(age(START, 0).overdue(at(START + 3 * 86_400 + 5)), Some(Overdue { days: 3 }));
    }

    #[test]
    fn a_time_that_cannot_be_counts_for_nothing() {
        assert_eq!(age(0, 10).at(at(START)), Duration::from_secs(10), "set before the clock was");
        assert_eq!(age(START, 10).at(at(START - 1000)), Duration::from_secs(10), "set in the future");
        assert_eq!(age(START, 90_000).overdue(at(0)), Some(Overdue { days: 1 }), "known for a day");
    }

    #[test]
    fn it_is_mentioned_once_a_day() {
        let mut nag = NagState::default();
        let mut mentioned = Vec::new();
        for hour in 0..80 {
            let uptime = Duration::from_secs(hour * 3600);
            // The clock jumps forward by years and back again.
            let jump = if hour == 60 { 400_000_000 } else { 0 };
            let wall = at(START + i64::try_from(hour).unwrap() * 3600 + jump);
            let age = FlagAge { written: at(START), known_for: uptime };
            mentioned.extend(nag.mention(age, Moment { uptime, wall }).map(|overdue| (hour, overdue.days)));
        }
        assert_eq!(mentioned, [(24, 1), (48, 2), (72, 3)]);
    }
}
