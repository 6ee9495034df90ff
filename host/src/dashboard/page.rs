//! The status page as HTML: made from the board alone, so that it costs no disk.

mod gauges;
mod spark;

use std::collections::BTreeSet;
use std::time::Duration;

use askama::Template;
use pihook_core::maintenance::Period;
use pihook_core::monitor::Muting;
use pihook_core::{Status, Timestamp};

use crate::board::{Entry, Picture};
use crate::maintenance::{described, forgotten};
use crate::store::long_log_words;
use crate::words;
use gauges::Gauge;

/// Which services are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Part of a service's name or zone, in any case.
    pub(super) text: String,
    /// A zone, or empty for all.
    pub(super) zone: String,
    /// A status, or empty for all.
    pub(super) status: String,
}

/// What is said above the services beside what the board knows.
pub(super) type Warnings = Vec<String>;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage<'a> {
    head: Head,
    zones: Vec<Zone>,
    filter: &'a Filter,
    statuses: &'static [&'static str],
    shown: usize,
    total: usize,
    now: String,
    now_utc: String,
}

#[derive(Template)]
#[template(path = "head_alone.html")]
struct HeadAlone {
    head: Head,
}

#[derive(Template)]
#[template(path = "row_alone.html")]
struct RowAlone {
    row: Row,
}

struct Zone {
    name: String,
    rows: Vec<Row>,
}

struct Head {
    overall: &'static str,
    sentence: String,
    /// What mutes now.
    maintenance: Vec<String>,
    warnings: Warnings,
    incidents: Vec<IncidentLine>,
    gauges: Vec<Gauge>,
}

struct Row {
    id: String,
    name: String,
    zone: String,
    status: &'static str,
    muted: bool,
    since: String,
    since_utc: String,
    response: String,
    spark: String,
    summary: String,
}

struct IncidentLine {
    name: String,
    status: &'static str,
    muted: bool,
    since: String,
    since_utc: String,
    checks: String,
    reason: String,
}

const STATUSES: [&str; 5] = ["down", "degraded", "unknown", "up", PENDING];
/// What a service is before its first check.
const PENDING: &str = "pending";

/// The whole page. Every text in it is escaped: names and summaries are anybody's.
pub(super) fn render(
    picture: &Picture,
    filter: &Filter,
    warnings: Warnings,
    now: Timestamp,
) -> askama::Result<String> {
    let names: BTreeSet<&str> = picture.entries.iter().map(|entry| entry.listed.zone.as_str()).collect();
    let in_zone = |name: &str| Zone {
        name: name.to_owned(),
        rows: picture
            .entries
            .iter()
            .filter(|entry| entry.listed.zone.as_str() == name && filter.admits(entry))
            .map(|entry| Row::of(entry, now))
            .collect(),
    };
    let zones: Vec<Zone> = names.into_iter().map(in_zone).collect();
    StatusPage {
        head: Head::of(picture, warnings, now),
        shown: zones.iter().map(|zone| zone.rows.len()).sum(),
        zones,
        filter,
        statuses: &STATUSES,
        total: picture.entries.len(),
        now: local(now),
        now_utc: now.to_string(),
    }
    .render()
}

/// What stands above the services.
pub(super) fn head(picture: &Picture, warnings: Warnings, now: Timestamp) -> askama::Result<String> {
    HeadAlone { head: Head::of(picture, warnings, now) }.render().map(|html| html.trim().to_owned())
}

/// One service.
pub(super) fn row(entry: &Entry, now: Timestamp) -> askama::Result<String> {
    RowAlone { row: Row::of(entry, now) }.render().map(|html| html.trim().to_owned())
}

impl Filter {
    fn admits(&self, entry: &Entry) -> bool {
        let text = self.text.trim().to_lowercase();
        let listed = &entry.listed;
        let named = |name: &str| name.to_lowercase().contains(&text);
        (self.zone.is_empty() || self.zone == listed.zone.as_str())
            && (self.status.is_empty() || self.status == word(entry))
            && (text.is_empty() || named(&listed.name) || named(listed.zone.as_str()))
    }
}

impl Head {
    fn of(picture: &Picture, warnings: Warnings, now: Timestamp) -> Self {
        let (overall, said) = overall(picture);
        let long_log = picture.long_log.map(|bytes| sentence(&long_log_words(bytes)));
        let mut open: Vec<_> = picture
            .entries
            .iter()
            .filter_map(|entry| entry.incident.as_ref().map(|incident| (entry, incident)))
            .collect();
        // The worst first, and of equals the newest.
        open.sort_by_key(|(_, incident)| {
            (std::cmp::Reverse(incident.status.badness()), std::cmp::Reverse(incident.opened))
        });
        let line =
            |(entry, incident): (&std::sync::Arc<Entry>, &pihook_core::monitor::Incident)| IncidentLine {
                name: entry.listed.name.to_string(),
                status: incident.status.as_str(),
                muted: entry.muting == Muting::Muted,
                since: since(incident.opened, now),
                since_utc: incident.opened.to_string(),
                checks: words::count(
                    usize::try_from(incident.checks_failed).unwrap_or(usize::MAX),
                    "failed check",
                ),
                reason: incident.reason.clone(),
            };
        Self {
            overall,
            sentence: said,
            maintenance: maintenance(picture),
            warnings: warnings.into_iter().chain(long_log).collect(),
            incidents: open.into_iter().map(line).collect(),
            gauges: gauges::of(picture),
        }
    }
}

/// What mutes now, whom and until when, and whether somebody has forgotten it.
fn maintenance(picture: &Picture) -> Vec<String> {
    let line = |period: &Period| {
        let Period { source, name, reason, until, .. } = period;
        let what = described(*source, name, period.scope(), reason.as_deref());
        let until = until.map(|until| format!("; until {}", words::local(until, words::ZONED)));
        format!("Alerts are muted for {what}{}", until.unwrap_or_default())
    };
    let overdue = picture.overdue.map(|overdue| sentence(&forgotten(overdue)));
    picture.maintenance.iter().map(line).chain(overdue).collect()
}

/// With a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The worst confirmed status, and all of it in one sentence.
fn overall(picture: &Picture) -> (&'static str, String) {
    let total = picture.entries.len();
    let count = |status| picture.entries.iter().filter(|entry| entry.health == Some(status)).count();
    let [down, degraded, unknown] = [Status::Down, Status::Degraded, Status::Unknown].map(count);
    let unchecked = picture.entries.iter().filter(|entry| entry.last.is_none()).count();
    let parts: Vec<String> = [(down, "down"), (degraded, "degraded"), (unknown, "unknown")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let word = match (down, degraded, unknown) {
        (0, 0, 0) if total == 0 || unchecked == total => {
            return (PENDING, "Nothing has been checked yet".to_owned());
        }
        (0, 0, 0) => return ("up", format!("All is well: {} watched", words::count(total, "service"))),
        (0, 0, _) => "unknown",
        (0, _, _) => "degraded",
        _ => "down",
    };
    (word, format!("{} of {}", parts.join(", "), words::count(total, "service")))
}

impl Row {
    fn of(entry: &Entry, now: Timestamp) -> Self {
        let last = entry.last.as_ref();
        let opened = entry.incident.as_ref().map(|incident| incident.opened);
        let began = opened.or(entry.well_since);
        Self {
            id: entry.listed.id.to_string(),
            name: entry.listed.name.to_string(),
            zone: entry.listed.zone.to_string(),
            status: word(entry),
            muted: entry.muting == Muting::Muted,
            since: began.map(|at| since(at, now)).unwrap_or_default(),
            since_utc: began.map(|at| at.to_string()).unwrap_or_default(),
            response: last.and_then(|outcome| outcome.response_time).map(milliseconds).unwrap_or_default(),
            spark: spark::svg(&entry.recent, now),
            summary: last.map(|outcome| outcome.summary.clone()).unwrap_or_default(),
        }
    }
}

/// With one decimal below ten.
fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

fn word(entry: &Entry) -> &'static str {
    entry.status().map_or(PENDING, Status::as_str)
}

/// The time of day if it was today, and the date otherwise.
fn since(at: Timestamp, now: Timestamp) -> String {
    let day = |at| words::local(at, "%Y-%m-%d");
    if day(at) == day(now) { words::local(at, "%H:%M") } else { words::local(at, words::MINUTES) }
}

fn local(at: Timestamp) -> String {
    words::local(at, "%Y-%m-%d %H:%M:%S")
}

#[cfg(test)]
pub(super) mod tests;
