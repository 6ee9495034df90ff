//! The last thirty days of a service as a bar: a stroke a day, the higher the worse.

use std::fmt::Write as _;

use super::super::service::percent;
use crate::store::DayMarks;

/// Width of a day, its gap included.
const DAY: usize = 4;
const HEIGHT: usize = 16;

/// What a day was like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// At least 99.9 % up.
    Up,
    /// At least 95 % up, or one check in twenty found it degraded.
    Degraded,
    /// Less.
    Down,
    /// Mostly nobody could tell.
    Unknown,
    /// All of it was maintenance.
    Maintained,
    /// There were no checks.
    Nothing,
}

impl Kind {
    pub(super) fn of(day: DayMarks) -> Self {
        let [up, degraded, down, unknown] = [day.up, day.degraded, day.down, day.unknown].map(u64::from);
        let judged = up + degraded + down;
        match judged {
            0 if unknown > 0 => Kind::Unknown,
            0 if day.maintained > 0 => Kind::Maintained,
            0 => Kind::Nothing,
            _ if down * 20 > judged => Kind::Down,
            _ if unknown > judged => Kind::Unknown,
            _ if down * 1000 > judged || degraded * 20 > judged => Kind::Degraded,
            _ => Kind::Up,
        }
    }

    /// Its class, and the height of its middle; the style sheet has its width.
    fn drawn(self) -> Option<(&'static str, usize)> {
        match self {
            Kind::Up => Some(("up", 12)),
            Kind::Degraded => Some(("degraded", 10)),
            Kind::Down => Some(("down", 8)),
            Kind::Unknown => Some(("unknown", 14)),
            Kind::Maintained => Some(("muted", 15)),
            Kind::Nothing => None,
        }
    }
}

/// The bar; empty if nothing is known. Days that are alike and follow each other are one dashed line, so that a bar is
/// small. Numbers alone get in, so nothing has to be escaped.
pub(super) fn svg(days: &[DayMarks]) -> String {
    let kinds: Vec<Kind> = days.iter().copied().map(Kind::of).collect();
    let mut lines = String::new();
    let mut day = 0;
    for same in kinds.chunk_by(|a, b| a == b) {
        let (from, to) = (day * DAY, (day + same.len()) * DAY - 1);
        day += same.len();
        if let Some((class, y)) = same.first().and_then(|kind| kind.drawn()) {
            let _ = write!(lines, r#"<path class="{class}" d="M{from} {y}H{to}"/>"#);
        }
    }
    if lines.is_empty() {
        return lines;
    }
    let width = days.len() * DAY;
    let label = label(days, &kinds);
    format!(
        r#"<svg class="bar" viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{label}">{lines}</svg>"#
    )
}

fn label(days: &[DayMarks], kinds: &[Kind]) -> String {
    let uptime =
        uptime(days).map_or_else(|| "not known".to_owned(), |share| format!("{} up", percent(share)));
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    let mut label = format!("last {} days: {uptime}", days.len());
    for (kind, what) in
        [(Kind::Down, "with outages"), (Kind::Degraded, "impaired"), (Kind::Unknown, "unknown")]
    {
        match count(kind) {
            0 => {}
            1 => _ = write!(label, ", 1 day {what}"),
            many => _ = write!(label, ", {many} days {what}"),
        }
    }
    label
}

/// The share of checks that found it up or degraded, of those that could tell, in percent; none without any.
pub(in crate::dashboard) fn uptime(days: &[DayMarks]) -> Option<f64> {
    let sum = |of: fn(&DayMarks) -> u32| days.iter().map(|day| u64::from(of(day))).sum::<u64>();
    let well = sum(|day| day.up) + sum(|day| day.degraded);
    let judged = well + sum(|day| day.down);
    (judged > 0).then(|| 100.0 * well as f64 / judged as f64)
}

#[cfg(test)]
mod tests {
    use super::super::super::xml::check::well_formed;
    use super::*;

    fn day(up: u32, degraded: u32, down: u32, unknown: u32) -> DayMarks {
        DayMarks { up, degraded, down, unknown, maintained: 0 }
    }

    #[test]
    fn a_day_is_what_it_mostly_was() {
        for (marks, expected) in [
            (day(1440, 0, 1, 0), Kind::Up),
            (day(1440, 0, 2, 0), Kind::Degraded),
            (day(1000, 60, 0, 0), Kind::Degraded),
            (day(1000, 40, 0, 0), Kind::Up),
            (day(90, 0, 10, 0), Kind::Down),
            (day(10, 0, 0, 90), Kind::Unknown),
            (day(0, 0, 0, 1), Kind::Unknown),
            (DayMarks { maintained: 5, ..DayMarks::default() }, Kind::Maintained),
            (DayMarks::default(), Kind::Nothing),
        ] {
            assert_eq!(Kind::of(marks), expected, "{marks:?}");
        }
    }

    #[test]
    fn days_that_are_alike_are_one_line_and_what_is_missing_is_a_gap() {
        let mut days = vec![day(1440, 0, 0, 0); 30];
        days[3] = DayMarks::default();
        days[10] = day(700, 0, 700, 0);
        let svg = svg(&days);
        well_formed(&svg);
        let expected = r#"<path class="up" d="M0 12H11"/><path class="up" d="M16 12H39"/><path class="down" d="M40 8H43"/><path class="up" d="M44 12H119"/>"#;
        assert!(svg.contains(expected), "{svg}");
        assert!(svg.contains("last 30 days: 98.322 % up, 1 day with outages"), "{svg}");
        assert!(super::svg(&[DayMarks::default(); 30]).is_empty() && super::svg(&[]).is_empty());
    }
}
