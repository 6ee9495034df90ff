//! What is plotted: history as columns.

use std::time::Duration;

use pihook_core::{Status, Summary, Timestamp};

use super::super::plot::{Column, Pile, milliseconds};
use crate::board::{PHASES, Recent};
use crate::store::LastCheck;
use crate::words;

/// Checks of the last hour that are looked at: all of them, at one a second.
pub(super) const RAW: usize = 3700;
/// Checks that are closer together are one column.
const CLOSE_MS: i64 = 15_000;
/// How a column's time is written.
const CLOCK: &str = "%a %Y-%m-%d %H:%M";
/// The same of a single check.
const EXACT: &str = "%H:%M:%S";

/// What the phases are called, in the order of [`PHASES`].
pub(super) const PHASE_NAMES: [&str; PHASES.len()] = ["DNS", "connect", "TLS", "first byte"];
/// Their classes in the style sheet.
pub(super) const PHASE_CLASSES: [&str; PHASES.len()] = ["dns", "connect", "tls", "first-byte"];

/// A column for each span that has checks.
pub(super) fn of_spans(edges: &[Timestamp], spans: &[Summary]) -> Vec<Column> {
    let pairs = edges.windows(2).zip(spans);
    let seen = pairs.filter(|(_, summary)| summary.checks() > 0);
    seen.filter_map(|(pair, summary)| {
        let &[from, to] = pair else { return None };
        let (middle, high) = (summary.responses.percentile_ms(50), summary.responses.percentile_ms(95));
        let mut title = format!("{} to {}: ", words::local(from, CLOCK), words::local(to, "%H:%M"));
        if let Some((middle, high)) = middle.zip(high) {
            let (middle, high) = (milliseconds(middle), milliseconds(high));
            title.push_str(&format!("median {middle}, 95th percentile {high}; "));
        }
        title.push_str(&words::count(usize::try_from(summary.checks()).unwrap_or(usize::MAX), "check"));
        for (count, what) in [
            (summary.degraded, "degraded"),
            (summary.down, "down"),
            (summary.unknown, "unknown"),
            (summary.maintained, "in maintenance"),
        ] {
            if count > 0 {
                title.push_str(&format!(", {count} {what}"));
            }
        }
        let (from_ms, to_ms) = (from.as_millisecond(), to.as_millisecond());
        Some(Column { from_ms, to_ms, middle, high, status: summary.worst(), title })
    })
    .collect()
}

/// A column for each check, newest first; for a few at a time where they are close together. A check reaches to the next
/// unless that is missing.
pub(super) fn of_checks(checks: &[LastCheck], interval: Option<Duration>, now: Timestamp) -> Vec<Column> {
    let interval =
        interval.map_or(60_000, |interval| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX));
    let oldest_first: Vec<&LastCheck> = checks.iter().rev().collect();
    let slot = |check: &LastCheck| match interval < CLOSE_MS {
        true => check.at.as_millisecond().div_euclid(CLOSE_MS),
        false => check.at.as_millisecond(),
    };
    let groups: Vec<&[&LastCheck]> = oldest_first.chunk_by(|a, b| slot(a) == slot(b)).collect();
    let patience = interval.max(CLOSE_MS).saturating_mul(5) / 2;
    let ends = groups.iter().skip(1).filter_map(|group| group.first()).map(|next| next.at.as_millisecond());
    let ends = ends.chain([now.as_millisecond()]);
    groups.iter().zip(ends).filter_map(|(group, end)| of_group(group, end, patience)).collect()
}

fn of_group(group: &[&LastCheck], end: i64, patience: i64) -> Option<Column> {
    let first = group.first()?;
    let from_ms = first.at.as_millisecond();
    let to_ms =
        if end.saturating_sub(from_ms) <= patience { end.max(from_ms) } else { from_ms + patience / 2 };
    let mut times: Vec<f64> = group.iter().filter_map(|check| check.response_ms).collect();
    times.sort_by(f64::total_cmp);
    let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let worst = group.iter().map(|check| check.status).max_by_key(|status| status.badness())?;
    let time = words::local(first.at, EXACT);
    let title = match (group, rank(50)) {
        ([check], Some(ms)) => format!("{time}: {}, {}, {}", check.status, milliseconds(ms), check.summary),
        ([check], None) => format!("{time}: {}, {}", check.status, check.summary),
        (_, Some(ms)) => format!("{time}: {}, median {} of {} checks", worst, milliseconds(ms), group.len()),
        (_, None) => format!("{time}: {}, {} checks", worst, group.len()),
    };
    Some(Column { from_ms, to_ms, middle: rank(50), high: rank(95), status: Some(worst), title })
}

/// The phases of requests of the last hour, as far as they are in memory.
pub(super) fn of_phases(recent: &Recent, interval: Option<Duration>) -> Vec<Pile<{ PHASES.len() }>> {
    let width = interval.map_or(0, |interval| i64::try_from(interval.as_millis()).unwrap_or(0));
    let width = width.clamp(30_000, 600_000);
    let pile = |point: &crate::board::Point| {
        let phases = point.phases_us?;
        let words: Vec<String> = phases
            .iter()
            .zip(PHASE_NAMES)
            .filter(|(us, _)| **us > 0)
            .map(|(us, name)| format!("{name} {}", milliseconds(f64::from(*us) / 1000.0)))
            .collect();
        let at = super::range::instant(point.at_ms);
        Some(Pile {
            from_ms: point.at_ms,
            to_ms: point.at_ms.saturating_add(width * 9 / 10),
            parts: phases.map(|us| Some(f64::from(us) / 1000.0)),
            title: format!("{}: {}", words::local(at, EXACT), words.join(", ")),
        })
    };
    recent.points().filter_map(pile).collect()
}

/// How a column's status is written.
pub(super) fn status_word(status: Option<Status>) -> &'static str {
    status.map_or("", Status::as_str)
}
