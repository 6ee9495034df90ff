//! The weekly CSV: RFC 4180, UTF-8, one row a service.
//!
//! Names stand there as they are in services.yaml, also those that a spreadsheet takes for a formula: the file is for
//! programs too, and whoever writes services.yaml is whoever opens it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use pihook_core::summary::change_percent;
use pihook_core::{Summary, Week};

use crate::store::{Series, StoreError, StoreReader};

const COLUMNS: [&str; 18] = [
    "week",
    "service",
    "zone",
    "check",
    "checks",
    "up",
    "degraded",
    "down",
    "unknown",
    "uptime_percent",
    "avg_response_ms",
    "p50_response_ms",
    "p95_response_ms",
    "max_response_ms",
    "avg_change_percent",
    "incidents",
    "downtime_seconds",
    "maintenance_seconds",
];

/// A service in a week.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What people call it.
    pub service: String,
    /// Its zone.
    pub zone: String,
    /// What kind of check it has.
    pub check: String,
    /// What the span came to.
    pub now: Summary,
    /// What the one before it came to.
    pub before: Summary,
    /// Incidents that began.
    pub incidents: u64,
}

/// Why a week's file was not written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// History cannot be read.
    #[error("cannot read the history")]
    Read(#[from] StoreError),
    /// The file cannot be written.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// The week's rows: those services that were checked in it.
///
/// # Errors
/// If history cannot be read.
pub(super) fn lines(reader: &StoreReader, week: Week, zone: &TimeZone) -> Result<Vec<Line>, StoreError> {
    let bounds = week.bounds(zone);
    let before = week.before().bounds(zone).start;
    let series = reader.series(&[before, bounds.start, bounds.end], None)?;
    Ok(series.into_iter().filter_map(line).collect())
}

/// The second of two spans, with what came before it; none if nothing was checked in it.
#[must_use]
pub fn line(series: Series) -> Option<Line> {
    let Series { name, zone, check, spans, incidents, .. } = series;
    let [before, now] = <[Summary; 2]>::try_from(spans).ok()?;
    let incidents = incidents.get(1).copied().unwrap_or(0);
    let line = Line { service: name, zone: zone.to_string(), check, now, before, incidents };
    (line.now.checks() > 0).then_some(line)
}

/// The text of the file. `name` stands in the first column, such as `2026-W47`.
///
/// # Errors
/// None that memory does not have.
pub fn text(name: &str, lines: &[Line]) -> io::Result<Vec<u8>> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    for line in lines {
        csv.write_record(record(name, line))?;
    }
    csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn record(name: &str, line: &Line) -> [String; 18] {
    let Line { service, zone, check, now, before, incidents } = line;
    let number = |value: Option<f64>, digits: usize| {
        value.map(|value| format!("{value:.digits$}")).unwrap_or_default()
    };
    let answered = &now.responses;
    [
        name.to_owned(),
        service.clone(),
        zone.clone(),
        check.clone(),
        now.checks().to_string(),
        now.up.to_string(),
        now.degraded.to_string(),
        now.down.to_string(),
        now.unknown.to_string(),
        number(now.uptime_percent(), 3),
        number(answered.mean_ms(), 3),
        number(answered.percentile_ms(50), 3),
        number(answered.percentile_ms(95), 3),
        number(answered.max_ms(), 3),
        number(change_percent(before, now), 1),
        incidents.to_string(),
        now.down_for.as_secs().to_string(),
        now.maintained_for.as_secs().to_string(),
    ]
}

/// Where the week's file is.
#[must_use]
pub(super) fn path(folder: &Path, week: Week) -> PathBuf {
    folder.join(format!("uptime-{week}.csv"))
}

/// Writes the week's file as a whole or not at all, also through a power cut, and returns its path.
///
/// # Errors
/// If history cannot be read, or the file not written.
pub fn export(
    reader: &StoreReader,
    folder: &Path,
    week: Week,
    zone: &TimeZone,
) -> Result<PathBuf, SheetError> {
    let path = path(folder, week);
    let lines = lines(reader, week, zone)?;
    let failed = |error| SheetError::Write(path.clone(), error);
    let text = text(&week.to_string(), &lines).map_err(failed)?;
    replace(&path, &text).map_err(failed)?;
    Ok(path)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension("csv.part");
    let mut file = File::create(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}
