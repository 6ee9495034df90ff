//! The service page as HTML.

use askama::Template;
use pihook_core::Timestamp;
use pihook_core::monitor::Muting;
use pihook_core::plain::humanise;

use super::super::page::{self, local};
use super::super::plot::{self, Column, Pile, milliseconds};
use super::columns::{self, PHASE_CLASSES, PHASE_NAMES};
use super::incidents::{self, Instant, Told};
use super::range::{self, HOUR_MS, Range};
use super::uptime::{self, Row};
use super::{History, Portrait};
use crate::board::{PHASES, Setting};
use crate::store::LastCheck;

/// Figures of the newest check that are shown.
const FIGURES: usize = 32;

#[derive(Template)]
#[template(path = "service.html")]
struct Page<'a> {
    root: &'static str,
    id: &'a str,
    name: &'a str,
    zone: &'a str,
    check: &'a str,
    status: &'static str,
    muted: bool,
    since: Option<Instant>,
    summary: String,
    next: String,
    readable: bool,
    ranges: Vec<RangeLink>,
    range_words: &'static str,
    plot: String,
    columns: Vec<ColumnRow>,
    phases: Option<Phases>,
    uptime: Vec<Row>,
    incidents: Vec<Told>,
    checks: Vec<CheckRow>,
    figures: Vec<Setting>,
    settings: &'a [Setting],
    now: Instant,
}

struct RangeLink {
    range: &'static str,
    words: &'static str,
    current: bool,
}

/// A column of the plot as a row of the table beside it.
struct ColumnRow {
    begins: String,
    middle: String,
    high: String,
    status: &'static str,
}

struct Phases {
    plot: String,
    names: Vec<(&'static str, &'static str)>,
    rows: Vec<(String, Vec<String>)>,
}

struct CheckRow {
    at: Instant,
    status: &'static str,
    muted: bool,
    response: String,
    attempts: u32,
    summary: String,
}

/// The page. Every text in it is escaped but the plots, which do so themselves.
pub(super) fn render(portrait: &Portrait<'_>) -> askama::Result<String> {
    let Portrait { entry, range, now, history, .. } = portrait;
    let empty = History::default();
    let known = history.as_ref().unwrap_or(&empty);
    let listed = &entry.listed;
    let (plot, columns) = response_times(portrait, known);
    let last = entry.last.as_ref();
    let since = match (&entry.incident, entry.well_since) {
        (Some(incident), _) => Some(incident.opened),
        (None, since) => since,
    };
    Page {
        root: "../",
        id: listed.id.as_str(),
        name: &listed.name,
        zone: listed.zone.as_str(),
        check: &listed.check,
        status: page::word(entry),
        muted: entry.muting == Muting::Muted,
        since: since.map(Instant::of),
        summary: last.map(|outcome| outcome.summary.clone()).unwrap_or_default(),
        next: listed.interval.map(|every| format!("checked every {}", humanise(every))).unwrap_or_default(),
        readable: history.is_some(),
        ranges: Range::ALL.into_iter().map(|it| RangeLink::of(it, *range)).collect(),
        range_words: range.words(),
        plot,
        columns: columns.iter().map(|column| ColumnRow::of(column, *range)).collect(),
        phases: phases(portrait),
        uptime: uptime::rows(&known.uptime),
        incidents: known.incidents.iter().map(|story| incidents::tell(story, *now)).collect(),
        checks: known.checks.iter().map(CheckRow::of).collect(),
        figures: last.map(figures).unwrap_or_default(),
        settings: &listed.settings,
        now: Instant::of(*now),
    }
    .render()
}

fn response_times(portrait: &Portrait<'_>, known: &History) -> (String, Vec<Column>) {
    let Portrait { entry, range, now, zone, .. } = portrait;
    let hour_ago = range::before(*now, HOUR_MS);
    let columns = match range {
        Range::Hour => columns::of_checks(&known.hour, entry.listed.interval, *now),
        _ => columns::of_spans(&known.edges, &known.spans),
    };
    let from = known.edges.first().copied().unwrap_or(hour_ago).as_millisecond();
    let to = known.edges.last().copied().unwrap_or(*now).as_millisecond();
    let axis = range.axis(from, to, zone);
    let highest = columns
        .iter()
        .filter_map(|column| column.high)
        .fold(None, |most: Option<f64>, high| Some(most.map_or(high, |most| most.max(high))));
    let label = match highest {
        Some(highest) => {
            format!("Response times of the {}, at most about {}", range.words(), milliseconds(highest))
        }
        None => format!("Statuses of the {}", range.words()),
    };
    (plot::band(&axis, &columns, &label), columns)
}

/// None if the check is no request.
fn phases(portrait: &Portrait<'_>) -> Option<Phases> {
    let Portrait { entry, now, zone, .. } = portrait;
    let piles = columns::of_phases(&entry.recent, entry.listed.interval);
    if piles.is_empty() {
        return None;
    }
    let (from, to) = (now.as_millisecond().saturating_sub(HOUR_MS), now.as_millisecond());
    let axis = Range::Hour.axis(from, to, zone);
    let shown: Vec<Pile<{ PHASES.len() }>> =
        piles.into_iter().filter(|pile| pile.to_ms > from && pile.from_ms < to).collect();
    let label = "Phases of the requests of the last hour: DNS, connect, TLS and first byte, from below";
    let row = |pile: &Pile<{ PHASES.len() }>| {
        let parts = pile.parts.iter().map(|part| part.map(milliseconds).unwrap_or_default()).collect();
        (local(range::instant(pile.from_ms)), parts)
    };
    Some(Phases {
        plot: plot::stack(&axis, &shown, PHASE_CLASSES, label),
        names: PHASE_CLASSES.into_iter().zip(PHASE_NAMES).collect(),
        rows: shown.iter().map(row).collect(),
    })
}

fn figures(outcome: &pihook_core::Outcome) -> Vec<Setting> {
    let shown = |metric: &pihook_core::Metric| {
        let whole = metric.value.fract() == 0.0 || metric.value.abs() >= 1e6;
        let value = if whole { format!("{:.0}", metric.value) } else { format!("{:.2}", metric.value) };
        Setting { name: metric.name.clone(), value: format!("{value} {}", metric.unit).trim().to_owned() }
    };
    outcome.metrics.iter().take(FIGURES).map(shown).collect()
}

impl RangeLink {
    fn of(range: Range, current: Range) -> Self {
        Self { range: range.as_str(), words: range.words(), current: range == current }
    }
}

impl ColumnRow {
    fn of(column: &Column, range: Range) -> Self {
        let time = |ms: Option<f64>| ms.map(milliseconds).unwrap_or_default();
        let begins: Timestamp = range::instant(column.from_ms);
        let format = if range == Range::Hour { "%H:%M:%S" } else { crate::words::MINUTES };
        Self {
            begins: crate::words::local(begins, format),
            middle: time(column.middle),
            high: time(column.high),
            status: columns::status_word(column.status),
        }
    }
}

impl CheckRow {
    fn of(check: &LastCheck) -> Self {
        Self {
            at: Instant::of(check.at),
            status: check.status.as_str(),
            muted: check.in_maintenance,
            response: check.response_ms.map(milliseconds).unwrap_or_default(),
            attempts: check.attempts,
            summary: check.summary.clone(),
        }
    }
}
