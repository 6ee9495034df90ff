//! Calendar weeks by ISO 8601, Monday to Sunday on the machine's own clock, and what is due of them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use jiff::civil::{ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// After a week's end so long is waited for what is still on its way to the disk, in milliseconds.
const GRACE_MS: i64 = 15 * 60 * 1000;

/// One week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week {
    year: i16,
    number: i8,
}

impl Week {
    /// The week of that instant, where the zone is.
    #[must_use]
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let date = at.to_zoned(zone.clone()).date().iso_week_date();
        Self { year: date.year(), number: date.week() }
    }

    /// Reads `2026-W47`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, number) = text.split_once("-W")?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|it| it.is_ascii_digit());
        if !digits(year, 4) || !digits(number, 2) {
            return None;
        }
        let week = Self { year: year.parse().ok()?, number: number.parse().ok()? };
        week.monday().map(|_| week)
    }

    /// From its first instant to the first one after it. With daylight saving it has an hour more or less.
    #[must_use]
    pub fn bounds(self, zone: &TimeZone) -> Range<Timestamp> {
        let start = |week: Week| {
            let midnight = week.monday()?.date().to_zoned(zone.clone()).ok()?;
            Some(midnight.timestamp())
        };
        let first = start(self).unwrap_or(Timestamp::MIN);
        first..start(self.next()).unwrap_or(Timestamp::MAX)
    }

    /// The week after it.
    #[must_use]
    pub fn next(self) -> Self {
        self.shifted(1)
    }

    /// The week before it.
    #[must_use]
    pub fn before(self) -> Self {
        self.shifted(-1)
    }

    fn shifted(self, weeks: i64) -> Self {
        let date = self.monday().and_then(|monday| monday.date().checked_add(Span::new().weeks(weeks)).ok());
        let date = date.map(jiff::civil::Date::iso_week_date);
        date.map_or(self, |date| Self { year: date.year(), number: date.week() })
    }

    fn monday(self) -> Option<ISOWeekDate> {
        ISOWeekDate::new(self.year, self.number, Weekday::Monday).ok()
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.number)
    }
}

/// The newest week that is over, some minutes ago.
#[must_use]
pub fn newest_over(now: Timestamp, zone: &TimeZone) -> Week {
    let settled = Timestamp::from_millisecond(now.as_millisecond().saturating_sub(GRACE_MS));
    Week::of(settled.unwrap_or(Timestamp::MIN), zone).before()
}

/// The weeks that are over, have data and were not written yet, oldest first. `hours` are the hours with data, as
/// their beginnings.
#[must_use]
pub fn due(
    now: Timestamp,
    zone: &TimeZone,
    hours: impl IntoIterator<Item = Timestamp>,
    written: &BTreeSet<Week>,
) -> Vec<Week> {
    let last = newest_over(now, zone);
    let with_data: BTreeSet<Week> = hours.into_iter().map(|hour| Week::of(hour, zone)).collect();
    with_data.into_iter().filter(|week| *week <= last && !written.contains(week)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central European time without a time zone database.
    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_are_read_as_they_are_shown() {
        for text in ["2026-W47", "2026-W01", "2020-W53"] {
            assert_eq!(Week::parse(text).unwrap().to_string(), text);
        }
        for text in ["2026-W00", "2026-W54", "2021-W53", "2026W47", "26-W47", "2026-W7", "2026-W+7", ""] {
            assert_eq!(Week::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_week_begins_on_monday_where_people_are() {
        let week = Week::parse("2026-W47").unwrap();
        assert_eq!(week.bounds(&berlin()), time("2026-11-15T23:00:00Z")..time("2026-11-22T23:00:00Z"));
        assert_eq!(Week::of(time("2026-11-15T22:59:59Z"), &berlin()).to_string(), "2026-W46");
        assert_eq!(Week::of(time("2026-11-15T23:00:00Z"), &berlin()), week);
        let first = Week::parse("2026-W53").unwrap();
        assert_eq!((first.next().to_string(), first.next().before()), ("2027-W01".to_owned(), first));
    }

    #[test]
    fn daylight_saving_makes_weeks_longer_and_shorter() {
        for (week, hours) in [("2026-W13", 167), ("2026-W43", 169), ("2026-W44", 168)] {
            let bounds = Week::parse(week).unwrap().bounds(&berlin());
            assert_eq!((bounds.end.as_second() - bounds.start.as_second()) / 3600, hours, "{week}");
        }
    }

    #[test]
    fn after_a_month_off_the_weeks_with_data_are_due_once() {
        let hours = ["2026-10-06T12:00:00Z", "2026-10-14T12:00:00Z", "2026-11-24T12:00:00Z"].map(time);
        let now = time("2026-11-24T13:00:00Z");
        let due_now = due(now, &berlin(), hours, &BTreeSet::new());
        assert_eq!(due_now.iter().map(Week::to_string).collect::<Vec<_>>(), ["2026-W41", "2026-W42"]);
        assert_eq!(due(now, &berlin(), hours, &due_now.into_iter().collect()), []);
    }

    #[test]
    fn a_week_is_waited_for_a_little_after_its_end() {
        let hours = [time("2026-11-20T12:00:00Z")];
        let due_at = |now| due(time(now), &berlin(), hours, &BTreeSet::new()).len();
        assert_eq!(due_at("2026-11-22T23:14:59Z"), 0);
        assert_eq!(due_at("2026-11-22T23:15:00Z"), 1);
        assert_eq!(due_at("1970-01-01T00:00:00Z"), 0, "a clock that was not set yet");
    }

    proptest::proptest! {
        /// Whatever the zone does with its clocks, weeks follow each other without a gap, and each moment is in its week.
        #[test]
        fn weeks_leave_no_moment_out(
            second in 1_600_000_000_i64..2_000_000_000,
            zone in proptest::sample::select(vec![
                "UTC0",
                "CET-1CEST,M3.5.0,M10.5.0/3",
                "EST5EDT,M3.2.0,M11.1.0",
                "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                // Midnight itself is left out, on a Monday.
                "XXX4YYY,M3.5.1/0,M10.5.1/0",
            ]),
        ) {
            let zone = TimeZone::posix(zone).unwrap();
            let at = Timestamp::from_second(second).unwrap();
            let week = Week::of(at, &zone);
            let bounds = week.bounds(&zone);
            proptest::prop_assert!(bounds.contains(&at), "{:?}", bounds);
            proptest::prop_assert_eq!(bounds.end, week.next().bounds(&zone).start);
            let hours = (bounds.end.as_second() - bounds.start.as_second()) / 3600;
            proptest::prop_assert!((167..=169).contains(&hours), "{} hours", hours);
        }
    }
}
