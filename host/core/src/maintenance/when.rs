//! The times of a window: once, or again and again by the clock on some wall.
//!
//! A recurring window begins on each of its days when the clock shows its start, and ends when the clock shows its end.
//! Where the clock is set forward or back this means:
//! - A start that is shown twice counts the first time, an end that is shown twice the second time: the window covers all
//!   that anybody may mean.
//! - An end that is skipped comes as much later as the clock was set forward.
//! - A start that is skipped is the moment of the skip, and the window then lasts as long as on any other day.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Minutes between two midnights, as the clock shows them.
pub const MINUTES_A_DAY: u16 = 24 * 60;

/// No day of a window is further from the next than this, save those of February 29 and the like, which do not exist: the
/// 31st comes after 62 days at the most. Twice of it is enough to find an end behind a beginning.
const HORIZON: i16 = 130;
/// An occurrence that covers a moment began on the day before it at the earliest; one more for clocks that skip a day.
const LOOK_BACK: i16 = 2;

/// The times of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Once, from the first moment to before the second.
    Once(Range<Timestamp>),
    /// Again and again.
    Recurring(Recurrence),
}

/// Occurrences that repeat by a wall's clock; each lasts a day at the most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    days: Days,
    from: u16,
    until: u16,
    zone: TimeZone,
}

/// On which days occurrences begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// On each.
    Daily,
    /// On these of the week, from Monday, which is 0.
    Weekly(BTreeSet<i8>),
    /// On this of the month, from 1; months that are shorter are left out.
    OfMonth(i8),
    /// On one of these weekdays, from Monday, which is 0, of the month.
    WeekdayOfMonth(Which, i8),
}

/// Which of a month's Sundays, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number, 1 to 4: each month has them.
    Nth(i8),
    /// The last.
    Last,
}

/// The times of day do not make a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window begins within a day, ends at midnight at the latest, and does not end when it begins")]
pub struct InvalidSpan;

impl When {
    /// Whether it is open at this moment.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        match self {
            When::Once(span) => span.contains(&at),
            When::Recurring(recurrence) => recurrence.around(at).any(|span| span.contains(&at)),
        }
    }

    /// The first moment after this one at which it opens if it is closed, or closes if it is open; none if that never
    /// happens, or not for months.
    #[must_use]
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            When::Once(span) => [span.start, span.end].into_iter().find(|bound| *bound > after),
            When::Recurring(recurrence) => recurrence.next_change(after),
        }
    }
}

impl Recurrence {
    /// Occurrences on these days, by the clock of this zone, `from` and `until` minutes after midnight. An `until` before
    /// `from` is on the next day.
    ///
    /// # Errors
    /// If `from` is no time of a day, `until` is beyond the midnight that ends it, or both are the same.
    pub fn new(days: Days, from: u16, until: u16, zone: TimeZone) -> Result<Self, InvalidSpan> {
        let valid = from < MINUTES_A_DAY && until <= MINUTES_A_DAY && from != until;
        if valid { Ok(Self { days, from, until, zone }) } else { Err(InvalidSpan) }
    }

    /// The occurrences that may cover this moment.
    fn around(&self, at: Timestamp) -> impl Iterator<Item = Range<Timestamp>> {
        self.occurrences(at).take_while(move |span| span.start <= at)
    }

    fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let mut open_until: Option<Timestamp> = None;
        for span in self.occurrences(after).filter(|span| span.end > after) {
            match open_until {
                None if span.start > after => return Some(span.start),
                // What begins where another ends goes on.
                Some(end) if span.start > end => return Some(end),
                _ => open_until = open_until.max(Some(span.end)),
            }
        }
        // Without a gap up to the horizon it is open for good; a lonely end before it was returned above.
        open_until.filter(|_| !self.is_endless())
    }

    fn is_endless(&self) -> bool {
        let every_day = match &self.days {
            Days::Daily => true,
            Days::Weekly(days) => days.len() == 7,
            Days::OfMonth(_) | Days::WeekdayOfMonth(..) => false,
        };
        every_day && self.length() == i64::from(MINUTES_A_DAY)
    }

    /// From the last that may have begun before this moment, in order, up to the horizon.
    fn occurrences(&self, at: Timestamp) -> impl Iterator<Item = Range<Timestamp>> {
        let today = at.to_zoned(self.zone.clone()).date();
        (-LOOK_BACK..HORIZON)
            .filter_map(move |days| today.checked_add(i32::from(days).days()).ok())
            .filter(|date| self.days.contain(*date))
            .filter_map(|date| self.on(date))
    }

    /// The occurrence that begins on this day.
    fn on(&self, date: Date) -> Option<Range<Timestamp>> {
        let from = at_minute(date, self.from)?;
        let until = if self.until > self.from {
            at_minute(date, self.until)?
        } else {
            at_minute(date.tomorrow().ok()?, self.until)?
        };
        let first = self.zone.to_ambiguous_timestamp(from);
        if let AmbiguousOffset::Gap { before, .. } = first.offset() {
            let shown_later = before.to_timestamp(from).ok()?;
            let just_after = shown_later.checked_add(SignedDuration::from_nanos(1)).ok()?;
            let start = self.zone.preceding(just_after).next()?.timestamp();
            return Some(start..start.checked_add(SignedDuration::from_mins(self.length())).ok()?);
        }
        let last = self.zone.to_ambiguous_timestamp(until);
        let end = match last.offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Gap { before: offset, .. } => offset,
            AmbiguousOffset::Fold { after, .. } => after,
        };
        Some(first.earlier().ok()?..end.to_timestamp(until).ok()?)
    }

    /// How many minutes the clock shows between start and end.
    fn length(&self) -> i64 {
        let (from, until) = (i64::from(self.from), i64::from(self.until));
        if until > from { until - from } else { until + i64::from(MINUTES_A_DAY) - from }
    }
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        let is = |weekday: i8| date.weekday() == weekday_of(weekday);
        match self {
            Days::Daily => true,
            Days::Weekly(weekdays) => weekdays.contains(&date.weekday().to_monday_zero_offset()),
            Days::OfMonth(day) => date.day() == *day,
            Days::WeekdayOfMonth(Which::Nth(nth), weekday) => {
                is(*weekday) && (date.day() - 1) / 7 + 1 == *nth
            }
            Days::WeekdayOfMonth(Which::Last, weekday) => {
                is(*weekday) && date.day() + 7 > date.days_in_month()
            }
        }
    }
}

fn weekday_of(offset: i8) -> Weekday {
    Weekday::from_monday_zero_offset(offset.rem_euclid(7)).unwrap_or(Weekday::Monday)
}

/// The time so many minutes after midnight; 24:00 is the next midnight.
fn at_minute(date: Date, minute: u16) -> Option<DateTime> {
    let date = if minute >= MINUTES_A_DAY { date.tomorrow().ok()? } else { date };
    let minute = minute % MINUTES_A_DAY;
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    Some(date.at(hour, minute, 0, 0))
}

#[cfg(test)]
mod tests;
