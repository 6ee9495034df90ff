//! The note that a message came late.

use std::fmt;
use std::time::Duration;

use jiff::Zoned;

/// Below this a delivery is not called late.
const TOLERANCE: Duration = Duration::from_secs(120);

/// A delivery long after the decision. Displays as `delivered late: decided at 10:02, 14 min ago`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    decided: Zoned,
    by: Duration,
}

impl Late {
    /// Whether what was decided then is late now; both by the wall clock, which may have jumped between them.
    #[must_use]
    pub fn of(decided: Zoned, now: pihook_core::Timestamp) -> Option<Self> {
        let by = Duration::try_from(now.duration_since(decided.timestamp())).ok()?;
        (by > TOLERANCE).then_some(Self { decided, by })
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.by.as_secs() / 60;
        let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
        let format = if days == 0 { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        write!(f, "delivered late: decided at {}, ", self.decided.strftime(format))?;
        match (days, hours, minutes % 60) {
            (0, 0, minutes) => write!(f, "{minutes} min ago"),
            (0, hours, minutes) => write!(f, "{hours} h {minutes} min ago"),
            (days, hours, _) => write!(f, "{days} d {hours} h ago"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: &str, expect: Option<&str>) {
        let decided: Zoned = "2026-11-22T10:02:30+01:00[Europe/Berlin]".parse().unwrap();
        let late = Late::of(decided, now.parse().unwrap());
        assert_eq!(late.map(|late| late.to_string()).as_deref(), expect);
    }

    #[test]
    fn two_minutes_are_tolerated() {
        check("2026-11-22T10:04:30+01:00", None);
        check("2026-11-22T10:04:31+01:00", Some("delivered late: decided at 10:02, 2 min ago"));
    }

    #[test]
    fn hours_and_days_are_worded() {
        check("2026-11-22T10:16:40+01:00", Some("delivered late: decided at 10:02, 14 min ago"));
        check("2026-11-22T13:07:00+01:00", Some("delivered late: decided at 10:02, 3 h 4 min ago"));
        check("2026-11-24T11:10:00+01:00", Some("delivered late: decided at 2026-11-22 10:02, 2 d 1 h ago"));
    }

    #[test]
    fn a_clock_that_went_back_is_not_late() {
        check("1970-01-01T00:00:00Z", None);
        check("-009999-01-02T01:59:59Z", None);
    }
}
