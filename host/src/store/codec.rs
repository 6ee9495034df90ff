//! Core's values as columns and back.

use std::time::Duration;

use pihook_core::{Status, Timestamp};

/// The code of a status in `checks`. The common ones are 0 and 1, which take no room in a row.
pub(super) fn status_code(status: Status) -> i64 {
    match status {
        Status::Up => 0,
        Status::Down => 1,
        Status::Degraded => 2,
        Status::Unknown => 3,
    }
}

/// The reverse of [`status_code`]; what is not known is `Unknown`, as the view `check_log` has it.
pub(super) fn status_of(code: i64) -> Status {
    Status::ALL.into_iter().find(|status| status_code(*status) == code).unwrap_or(Status::Unknown)
}

/// Milliseconds since 1970 UTC.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The reverse of [`millis`]; what lies outside the calendar becomes its end.
pub(super) fn instant(millis: i64) -> Timestamp {
    let nearest = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(millis).unwrap_or(nearest)
}

/// Whole microseconds.
pub(super) fn micros(duration: Duration) -> i64 {
    integer(duration.as_micros())
}

/// The nearest integer that SQLite can hold.
pub(super) fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A count out of a column.
pub(super) fn count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}
