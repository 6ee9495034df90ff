//! How what is used has grown, and when the filesystem will be full if it goes on so.
//!
//! A sample is kept every two hours, so that an SD card is written to rarely.

use pihook_plugin::filesystems::Usage;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: f64 = 86_400_000.0;

/// The least time between two samples.
const BETWEEN_MS: i64 = 2 * HOUR_MS;
/// Older samples say nothing any more.
const OLDEST_MS: i64 = 7 * 24 * HOUR_MS;
/// No forecast is made from less.
const LEAST_SPAN_MS: i64 = 6 * HOUR_MS;
const LEAST_SAMPLES: usize = 4;
const MOST_SAMPLES: usize = 96;
/// How well the samples must lie on a line, from 0 to 1. What goes up and down, such as backups, does not.
const LEAST_FIT: f64 = 0.7;
/// What is further away is no use to say.
const FURTHEST_DAYS: f64 = 365.0;

/// Samples of one filesystem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    total: u64,
    /// When the clock was first seen to stand before the newest sample.
    set_back: Option<i64>,
    /// Time in milliseconds since 1970 UTC, and bytes in use, the oldest first.
    samples: Vec<(i64, u64)>,
}

impl Growth {
    /// What was kept. What makes no sense is as if there were nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Growth {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let (total, set_back) = head.split_once(' ').unwrap_or((head, ""));
        let pair = |line: &str| {
            let (at, used) = line.split_once(' ')?;
            Some((at.parse().ok()?, used.parse().ok()?))
        };
        let mut samples: Vec<(i64, u64)> = lines.filter_map(pair).take(MOST_SAMPLES).collect();
        samples.sort_unstable();
        Growth { total: total.parse().unwrap_or(0), set_back: set_back.parse().ok(), samples }
    }

    /// What is to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let set_back = self.set_back.map(|at| format!(" {at}")).unwrap_or_default();
        let samples = self.samples.iter().map(|(at, used)| format!("\n{at} {used}"));
        format!("{}{set_back}{}", self.total, samples.collect::<String>()).into_bytes()
    }

    /// Takes a sample, if it is time for one. Says whether anything changed that is to be kept.
    pub fn note(&mut self, usage: &Usage, now: i64) -> bool {
        let before = self.clone();
        if self.total != usage.total_bytes {
            // Another disk, or a larger one.
            *self = Growth { total: usage.total_bytes, ..Growth::default() };
        }
        let newest = self.samples.last().map(|(at, _)| *at);
        if newest.is_some_and(|newest| newest > now) {
            // A Pi boots with a clock that is behind and soon set right. If it stays so, the samples were wrong.
            match self.set_back {
                Some(since) if now.saturating_sub(since) >= BETWEEN_MS => {
                    self.samples.retain(|(at, _)| *at <= now);
                    self.set_back = None;
                }
                Some(since) if since <= now => return *self != before,
                _ => {
                    self.set_back = Some(now);
                    return true;
                }
            }
        }
        let newest = self.samples.last().map(|(at, _)| *at);
        if newest.is_none_or(|newest| now.saturating_sub(newest) >= BETWEEN_MS) {
            self.set_back = None;
            self.samples.retain(|(at, _)| now.saturating_sub(*at) <= OLDEST_MS);
            self.samples.push((now, used(usage)));
            let excess = self.samples.len().saturating_sub(MOST_SAMPLES);
            self.samples.drain(..excess);
        }
        *self != before
    }

    /// In how many days it will be full; none if it does not grow, or not evenly enough to tell.
    #[must_use]
    pub fn full_in_days(&self, usage: &Usage, now: i64) -> Option<f64> {
        let fits = self.total == usage.total_bytes;
        let mut samples: Vec<(i64, u64)> = self
            .samples
            .iter()
            .copied()
            .filter(|(at, _)| fits && *at < now && now.saturating_sub(*at) <= OLDEST_MS)
            .collect();
        samples.push((now, used(usage)));
        let first = samples.first()?;
        if samples.len() < LEAST_SAMPLES
            || now.saturating_sub(first.0) < LEAST_SPAN_MS
            || first.1 >= used(usage)
        {
            return None;
        }
        let points: Vec<(f64, f64)> = samples
            .iter()
            .map(|(at, used)| (at.saturating_sub(first.0) as f64 / DAY_MS, *used as f64 - first.1 as f64))
            .collect();
        let (slope, fit) = line(&points)?;
        let days = usage.available_bytes as f64 / slope;
        (slope > 0.0 && fit >= LEAST_FIT && days.is_finite() && days <= FURTHEST_DAYS).then_some(days)
    }
}

/// Bytes in use.
pub(crate) fn used(usage: &Usage) -> u64 {
    usage.total_bytes.saturating_sub(usage.free_bytes)
}

/// The slope of the line through the points by least squares, and how well they lie on it.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (x_mean, y_mean) = (mean(|point| point.0), mean(|point| point.1));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points.iter().map(|(x, y)| (x - x_mean, y - y_mean)) {
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    let fit = xy * xy / (xx * yy);
    (xx > 0.0 && fit.is_finite()).then(|| (xy / xx, fit))
}

/// Such as `full in about 9 days`.
pub(crate) fn worded(days: f64) -> String {
    match days * 24.0 {
        hours if hours < 1.5 => "full within the hour at this pace".into(),
        hours if hours < 48.0 => format!("full in about {} hours", hours.round()),
        _ => format!("full in about {} days", days.round()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_795_348_800_000;
    const GIB: u64 = 1 << 30;

    fn usage(used: u64) -> Usage {
        let free = 100 * GIB - used;
        Usage { total_bytes: 100 * GIB, free_bytes: free, available_bytes: free, ..Usage::default() }
    }

    /// Sampled every ten minutes for so many hours, as a function of the hour.
    fn grown(hours: i64, used: impl Fn(f64) -> u64) -> (Growth, i64) {
        let mut growth = Growth::default();
        for minute in (0..=hours * 60).step_by(10) {
            growth.note(&usage(used(minute as f64 / 60.0)), NOW + minute * 60_000);
            growth = Growth::parse(&growth.to_bytes());
        }
        (growth, NOW + hours * HOUR_MS)
    }

    fn days(hours: i64, used: impl Fn(f64) -> u64) -> Option<f64> {
        let (growth, now) = grown(hours, &used);
        growth.full_in_days(&usage(used(hours as f64)), now)
    }

    #[test]
    fn even_growth_is_foretold() {
        let day = |hour: f64| 50 * GIB + (hour / 24.0 * 4.0 * GIB as f64) as u64;
        let in_days = days(48, day).unwrap();
        assert!((in_days - 42.0 / 4.0).abs() < 0.1, "{in_days}");
        assert_eq!(worded(in_days), "full in about 11 days");
        assert!(days(7, day).is_some());
        assert_eq!(days(5, day), None, "too short a time");
    }

    #[test]
    fn what_does_not_grow_evenly_or_not_at_all_is_not() {
        assert_eq!(days(48, |_| 50 * GIB), None);
        assert_eq!(days(48, |hour| 50 * GIB - hour as u64), None);
        assert_eq!(days(48, |hour| 50 * GIB + ((hour as u64) % 6) * GIB), None);
        assert_eq!(days(48, |hour| 50 * GIB + hour as u64 * 100), None, "in thousands of years");
    }

    #[test]
    fn samples_are_few_and_recent() {
        let (growth, _) = grown(24 * 20, |hour| hour as u64);
        assert!(growth.samples.len() <= 85 && growth.to_bytes().len() < 4_000, "{}", growth.samples.len());
        let mut again = growth.clone();
        assert!(!again.note(&usage(1), growth.samples.last().unwrap().0 + 1), "nothing to write");
        again.note(&Usage { total_bytes: 7, ..Usage::default() }, NOW);
        assert_eq!(again.samples.len(), 1, "another disk");
    }

    #[test]
    fn a_clock_that_is_set_back_for_a_while_changes_nothing() {
        let (mut growth, now) = grown(48, |hour| hour as u64 * GIB);
        let before = growth.clone();
        assert!(growth.note(&usage(49 * GIB), now - 400 * HOUR_MS));
        assert!(!growth.note(&usage(49 * GIB), now - 399 * HOUR_MS), "written once");
        assert_eq!(growth.full_in_days(&usage(49 * GIB), now - 399 * HOUR_MS), None);
        growth.note(&usage(49 * GIB), now + 2 * HOUR_MS);
        assert_eq!(growth.samples.len(), before.samples.len() + 1);
        // And one that stays there was wrong before.
        growth.note(&usage(49 * GIB), now - 400 * HOUR_MS);
        growth.note(&usage(49 * GIB), now - 397 * HOUR_MS);
        assert_eq!(growth.samples, [(now - 397 * HOUR_MS, 49 * GIB)]);
    }

    #[test]
    fn a_clock_that_jumps_ahead_leaves_no_forecast() {
        let (mut growth, now) = grown(48, |hour| hour as u64 * GIB);
        growth.note(&usage(49 * GIB), now + 9_000 * HOUR_MS);
        assert_eq!(growth.samples.len(), 1);
        assert_eq!(growth.full_in_days(&usage(50 * GIB), now + 9_001 * HOUR_MS), None);
    }

    #[test]
    fn the_pace_is_worded() {
        assert_eq!(worded(0.0), "full within the hour at this pace");
        assert_eq!(worded(0.5), "full in about 12 hours");
        assert_eq!(worded(9.2), "full in about 9 days");
    }

    proptest! {
        #[test]
        fn any_state_and_any_clock_is_borne(
            bytes in any::<Vec<u8>>(), text in "[0-9 \n-]{0,200}", used in any::<u64>(), total in any::<u64>(),
            times in prop::collection::vec(any::<i64>(), 0..20),
        ) {
            for kept in [bytes, text.into_bytes()] {
                let mut growth = Growth::parse(&kept);
                for now in &times {
                    let usage = Usage { total_bytes: total, free_bytes: used, available_bytes: used, ..Usage::default() };
                    growth.note(&usage, *now);
                    let days = growth.full_in_days(&usage, *now);
                    prop_assert!(days.is_none_or(|days| (0.0..=FURTHEST_DAYS).contains(&days)));
                    prop_assert!(growth.samples.len() <= MOST_SAMPLES);
                }
                prop_assert_eq!(Growth::parse(&growth.to_bytes()), growth);
            }
        }
    }
}
