//! The times that a plot can show.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Zoned};
use pihook_core::Timestamp;

use super::super::plot::Axis;

pub(super) const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Labels below a plot at most.
const TICKS: usize = 16;

/// How much a plot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Range {
    pub(super) const ALL: [Range; 5] = [Range::Hour, Range::Day, Range::Week, Range::Month, Range::Year];

    /// As the address has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Range::Hour => "1h",
            Range::Day => "24h",
            Range::Week => "7d",
            Range::Month => "30d",
            Range::Year => "1y",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == text)
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Range::Hour => "last hour",
            Range::Day => "last 24 hours",
            Range::Week => "last 7 days",
            Range::Month => "last 30 days",
            Range::Year => "last year",
        }
    }

    fn length_ms(self) -> i64 {
        match self {
            Range::Hour => HOUR_MS,
            Range::Day => DAY_MS,
            Range::Week => 7 * DAY_MS,
            Range::Month => 30 * DAY_MS,
            Range::Year => 365 * DAY_MS,
        }
    }

    /// How long a span is: whole hours and days where sums are kept by them. Of a service that is checked more seldom
    /// each span has a check, though, as long as that leaves some spans.
    fn step_ms(self, interval: Option<Duration>) -> i64 {
        let usual = match self {
            Range::Hour => MINUTE_MS,
            Range::Day => 10 * MINUTE_MS,
            Range::Week => HOUR_MS,
            Range::Month => 4 * HOUR_MS,
            Range::Year => DAY_MS,
        };
        let twice =
            interval.map_or(0, |interval| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX / 2));
        let needed = twice.saturating_mul(2).min(self.length_ms() / 8);
        usual * (needed.saturating_add(usual - 1) / usual).max(1)
    }

    /// Where spans begin and end; the last one has begun.
    pub(super) fn edges(self, now: Timestamp, interval: Option<Duration>) -> Vec<Timestamp> {
        let step = self.step_ms(interval);
        let end = (now.as_millisecond().div_euclid(step) + 1).saturating_mul(step);
        let count = self.length_ms() / step;
        (0..=count).rev().map(|back| instant(end.saturating_sub(back * step))).collect()
    }

    /// The time that is shown, with its labels on the clock of this zone.
    pub(super) fn axis(self, from_ms: i64, to_ms: i64, zone: &TimeZone) -> Axis {
        let ticks = self.ticks(from_ms, to_ms, zone).unwrap_or_default();
        Axis { from_ms, to_ms, ticks }
    }

    /// None at the ends of the calendar.
    fn ticks(self, from_ms: i64, to_ms: i64, zone: &TimeZone) -> Option<Vec<(i64, String)>> {
        let from = instant(from_ms).to_zoned(zone.clone());
        let (first, step, format): (Zoned, Span, &str) = match self {
            Range::Hour => {
                let full = from_ms.div_euclid(10 * MINUTE_MS) * 10 * MINUTE_MS;
                (instant(full).to_zoned(zone.clone()), 10.minutes(), "%H:%M")
            }
            Range::Day => (from.start_of_day().ok()?, 3.hours(), "%H:%M"),
            Range::Week => (from.start_of_day().ok()?, 1.day(), "%a %-d"),
            Range::Month => (from.start_of_day().ok()?, 3.days(), "%-d %b"),
            Range::Year => (from.first_of_month().ok()?.start_of_day().ok()?, 1.month(), "%b"),
        };
        let mut ticks = Vec::new();
        let mut at = first;
        while at.timestamp().as_millisecond() < to_ms && ticks.len() < TICKS {
            if at.timestamp().as_millisecond() >= from_ms {
                ticks.push((at.timestamp().as_millisecond(), at.strftime(format).to_string()));
            }
            // By the clock on the wall, which keeps labels at full hours where it is put forward or back.
            at = match self {
                Range::Hour => at.checked_add(step).ok()?,
                _ => at.datetime().checked_add(step).ok()?.to_zoned(zone.clone()).ok()?,
            };
        }
        Some(ticks)
    }
}

/// So many milliseconds earlier; the calendar's beginning if that is before it.
pub(super) fn before(at: Timestamp, ms: i64) -> Timestamp {
    instant(at.as_millisecond().saturating_sub(ms))
}

pub(super) fn instant(ms: i64) -> Timestamp {
    let nearest = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_stand_at_full_hours_days_and_months_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        // The clock goes back on 2026-10-25.
        let to: Timestamp = "2026-10-26T10:07:00Z".parse().unwrap();
        let labels = |range: Range| -> Vec<String> {
            let edges = range.edges(to, Some(Duration::from_secs(60)));
            let from = edges[0].as_millisecond();
            range.axis(from, to.as_millisecond(), &zone).ticks.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(labels(Range::Hour), ["10:10", "10:20", "10:30", "10:40", "10:50", "11:00"]);
        assert_eq!(
            labels(Range::Day),
            ["12:00", "15:00", "18:00", "21:00", "00:00", "03:00", "06:00", "09:00"]
                .map(|label| label.to_owned())
        );
        assert_eq!(
            labels(Range::Week),
            ["Tue 20", "Wed 21", "Thu 22", "Fri 23", "Sat 24", "Sun 25", "Mon 26"]
        );
        assert_eq!(labels(Range::Year).len(), 12);
        assert_eq!(labels(Range::Year)[0], "Nov");
    }

    proptest! {
        #[test]
        fn spans_ascend_reach_now_and_are_few(
            second in -100_000_000_000..100_000_000_000_i64,
            interval in prop::option::of(0..10_000_000_u64),
            range in prop::sample::select(Range::ALL.to_vec()),
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let edges = range.edges(now, interval.map(Duration::from_secs));
            prop_assert!(edges.is_sorted() && edges.len() <= 366, "{}", edges.len());
            let last = &edges[edges.len() - 2..];
            prop_assert!(last[0] <= now && now < last[1]);
            let axis = range.axis(edges[0].as_millisecond(), now.as_millisecond(), &TimeZone::UTC);
            prop_assert!(axis.ticks.len() <= TICKS);
        }
    }
}
