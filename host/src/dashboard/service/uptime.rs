//! The table of uptimes.

use std::time::Duration;

use pihook_core::plain::humanise;
use pihook_core::{Summary, Timestamp};

use super::super::plot::milliseconds;
use super::range::{HOUR_MS, before};

/// The rows: what they are called, and how many hours they are.
const ROWS: [(&str, i64); 5] =
    [("24 hours", 24), ("7 days", 7 * 24), ("30 days", 30 * 24), ("90 days", 90 * 24), ("1 year", 365 * 24)];

/// A row, in words.
pub(super) struct Row {
    pub(super) span: &'static str,
    pub(super) uptime: String,
    pub(super) checks: u64,
    pub(super) down_for: String,
    pub(super) middle: String,
    pub(super) high: String,
    pub(super) incidents: u64,
}

/// Where the rows begin, the longest first, and where all of them end: after a check of this very moment.
pub(super) fn edges(now: Timestamp) -> Vec<Timestamp> {
    let begins = ROWS.iter().rev().map(|(_, hours)| before(now, hours * HOUR_MS));
    begins.chain([before(now, -1)]).collect()
}

/// The rows from what lies between the edges.
pub(super) fn rows(spans: &[(Summary, u64)]) -> Vec<Row> {
    let mut all = Summary::default();
    let mut incidents = 0;
    let newest_first = spans.iter().rev();
    newest_first
        .zip(ROWS)
        .map(|((summary, begun), (span, _))| {
            all.merge(summary);
            incidents += begun;
            Row::of(span, &all, incidents)
        })
        .collect()
}

impl Row {
    fn of(span: &'static str, summary: &Summary, incidents: u64) -> Self {
        let time = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), milliseconds);
        Self {
            span,
            uptime: summary.uptime_percent().map_or_else(|| "–".to_owned(), percent),
            checks: summary.checks(),
            down_for: if summary.down_for == Duration::ZERO {
                "none".to_owned()
            } else {
                humanise(summary.down_for)
            },
            middle: time(summary.responses.percentile_ms(50)),
            high: time(summary.responses.percentile_ms(95)),
            incidents,
        }
    }
}

/// A share that is never rounded up: a hundred percent is all of it.
pub(in crate::dashboard) fn percent(share: f64) -> String {
    let cut = (share * 1000.0).floor() / 1000.0;
    let text = format!("{cut:.3}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_all_of_it() {
        assert_eq!(
            [100.0, 99.999_99, 99.5, 0.0, 33.333_333].map(percent),
            ["100 %", "99.999 %", "99.5 %", "0 %", "33.333 %"]
        );
    }

    #[test]
    fn each_row_has_what_the_shorter_ones_have() {
        let part = |up, down| (Summary { up, down, ..Summary::default() }, down);
        let spans = [part(1000, 0), part(100, 1), part(50, 0), part(20, 5), part(10, 0)];
        let rows = rows(&spans);
        let of: Vec<_> = rows.iter().map(|row| (row.span, row.checks, row.incidents)).collect();
        let expected = [
            ("24 hours", 10, 0),
            ("7 days", 35, 5),
            ("30 days", 85, 5),
            ("90 days", 186, 6),
            ("1 year", 1186, 6),
        ];
        assert_eq!(of, expected);
        assert_eq!((rows[0].uptime.as_str(), rows[1].uptime.as_str()), ("100 %", "85.714 %"));
        assert_eq!(edges(Timestamp::UNIX_EPOCH).len(), ROWS.len() + 1);
    }
}
