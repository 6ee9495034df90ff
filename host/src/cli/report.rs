//! `pihook report`: how it went, on demand; `pihook export`: a week's file, now.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use pihook_core::plain::humanise;
use pihook_core::summary::change_percent;
use pihook_core::week::newest_over;
use pihook_core::{Summary, Timestamp, Week};
use serde_json::{Value, json};

use super::args::{ExportArgs, ReportArgs, ReportFormat};
use super::output::{Paint, Stream, milliseconds, pad, symbol, width};
use super::{Failure, Place, status};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::exit_code::ExitCode;
use crate::maintenance::described;
use crate::store::{Maintained, Series, StoreReader};
use crate::tasks::weekly::{Line, export as write_week, line, sheet_text};
use crate::words::{MINUTES, count, local};

/// Marks that a bar has at most.
const MARKS: u64 = 30;
/// Maintenance that is listed at most, the newest.
const MAINTENANCE: usize = 20;
/// Services that are named as slower at most.
const SLOWER: usize = 3;

/// A service's line of the report.
struct Told {
    line: Line,
    /// What each of the bar's marks came to.
    marks: Vec<Summary>,
}

pub(super) fn run(place: &Place, args: &ReportArgs) -> Result<ExitCode, Failure> {
    let (_, reader) = open(place)?;
    let now = SystemClock::start().now().wall;
    let edges = edges(now, args.since.as_secs());
    let series = reader.series(&edges, None).map_err(|error| Failure::internal(&error))?;
    let told: Vec<Told> = series.into_iter().filter_map(tell).collect();
    let from = edges.get(1).copied().unwrap_or(now);
    let maintained = reader.maintenance(from, now, MAINTENANCE).map_err(|error| Failure::internal(&error))?;
    let text = match args.format {
        ReportFormat::Json => format!("{:#}\n", json(&told, &maintained, from, now)),
        ReportFormat::Csv => {
            let lines: Vec<Line> = told.into_iter().map(|told| told.line).collect();
            let text = sheet_text(&from.to_string(), &lines).map_err(|error| Failure::internal(&error))?;
            String::from_utf8_lossy(&text).into_owned()
        }
        ReportFormat::Table => {
            let paint = Paint::of(Stream::Stdout);
            table(&told, from, paint, columns()) + &maintenance(&maintained, now, paint)
        }
    };
    let _ = io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::Ok)
}

pub(super) fn export(place: &Place, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let zone = TimeZone::system();
    let week = match &args.week {
        None => newest_over(SystemClock::start().now().wall, &zone),
        Some(text) => Week::parse(text).ok_or_else(|| {
            Failure::new(ExitCode::Usage, format!("{text:?} is no week; write it like 2026-W47"))
        })?,
    };
    let (config, reader) = open(place)?;
    let path = write_week(&reader, &config.history.export_dir, week, &zone)
        .map_err(|error| Failure::internal(&error))?;
    let _ = writeln!(io::stdout().lock(), "{}", path.display());
    Ok(ExitCode::Ok)
}

fn open(place: &Place) -> Result<(Config, StoreReader), Failure> {
    let config = status::known_config(place)?;
    let reader = status::open(&config.data_dir.join(crate::app::DATABASE))?;
    Ok((config, reader))
}

/// The span before, and then that of each mark: a day, or more where there would be too many.
fn edges(now: Timestamp, seconds: u64) -> Vec<Timestamp> {
    let marks = if seconds < 2 * 86_400 { 24 } else { (seconds / 86_400).min(MARKS) };
    let back = |part: u64| {
        let millis = i64::try_from(seconds.saturating_mul(1000) / marks * part).unwrap_or(i64::MAX);
        now.checked_sub(SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MIN)
    };
    std::iter::once(2 * marks).chain((0..=marks).rev()).map(back).collect()
}

fn tell(series: Series) -> Option<Told> {
    let (before, marks) = series.spans.split_first()?;
    let (before, marks) = (before.clone(), marks.to_vec());
    let mut now = Summary::default();
    marks.iter().for_each(|mark| now.merge(mark));
    let incidents = series.incidents.iter().skip(1).sum();
    let line = line(Series { spans: vec![before, now], incidents: vec![0, incidents], ..series })?;
    Some(Told { line, marks })
}

/// The terminal's width; none where there is no terminal.
fn columns() -> Option<usize> {
    let stdout = io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok())??;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// A column, and how soon it gives way on a narrow terminal: the highest first.
struct Column<'a> {
    heading: &'a str,
    cells: Vec<String>,
    gives_way: u8,
}

impl Column<'_> {
    fn width(&self) -> usize {
        width(self.heading, self.cells.iter().map(String::as_str))
    }
}

fn table(told: &[Told], from: Timestamp, paint: Paint, room: Option<usize>) -> String {
    if told.is_empty() {
        return "nothing was checked in this time\n".to_owned();
    }
    let column = |heading, gives_way, cell: &dyn Fn(&Told) -> String| Column {
        heading,
        gives_way,
        cells: told.iter().map(cell).collect(),
    };
    let mut columns = vec![
        column("SERVICE", 0, &|it| it.line.service.clone()),
        column("ZONE", 6, &|it| it.line.zone.clone()),
        column("HISTORY", 1, &|it| it.marks.iter().map(mark).collect()),
        column("UPTIME", 0, &|it| percent(it.line.now.uptime_percent())),
        column("P50", 5, &|it| milliseconds(it.line.now.responses.percentile_ms(50))),
        column("P95", 2, &|it| milliseconds(it.line.now.responses.percentile_ms(95))),
        column("TREND", 3, &|it| trend(&it.line)),
        column("INCIDENTS", 4, &|it| it.line.incidents.to_string()),
        column("DOWN", 2, &|it| humanise(it.line.now.down_for)),
    ];
    while room.is_some_and(|room| columns.iter().map(|it| it.width() + 2).sum::<usize>() > room + 2) {
        let widest = columns.iter().enumerate().max_by_key(|(_, it)| it.gives_way);
        let Some((index, _)) = widest.filter(|(_, it)| it.gives_way > 0) else { break };
        columns.remove(index);
    }
    let since = format!("Since {}; trend against as long before", local(from, MINUTES));
    let mut lines = vec![paint.faint(&since)];
    let heading = columns.iter().map(|it| pad(it.heading, it.width())).collect::<Vec<_>>().join("  ");
    lines.push(paint.faint(heading.trim_end()));
    for row in 0..told.len() {
        let cell = |column: &Column<'_>| {
            let text = column.cells.get(row).map_or("", String::as_str);
            let padded = pad(text, column.width());
            if column.heading == "HISTORY" { coloured(&padded, paint) } else { padded }
        };
        lines.push(columns.iter().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned());
    }
    lines.extend(slower(told));
    lines.push(String::new());
    lines.join("\n")
}

/// A shape for each status, and a dash for nothing.
fn mark(summary: &Summary) -> &'static str {
    summary.worst().map_or("-", symbol)
}

fn coloured(bar: &str, paint: Paint) -> String {
    let one = |character: char| {
        let text = character.to_string();
        let status = pihook_core::Status::ALL.into_iter().find(|status| symbol(*status) == text);
        status.map_or_else(|| text.clone(), |status| paint.status(status, &text))
    };
    bar.chars().map(one).collect()
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2} %"))
}

fn trend(line: &Line) -> String {
    change_percent(&line.before, &line.now).map(|change| format!("{change:+.0} %")).unwrap_or_default()
}

/// Who has become slower by the most.
fn slower(told: &[Told]) -> Option<String> {
    let change = |told: &Told| change_percent(&told.line.before, &told.line.now);
    let mut slower: Vec<_> =
        told.iter().filter_map(|it| Some((change(it)?, it))).filter(|(change, _)| *change >= 1.0).collect();
    slower.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let named: Vec<_> = slower
        .iter()
        .take(SLOWER)
        .map(|(change, it)| format!("{} {change:+.0} %", it.line.service))
        .collect();
    let slower = count(slower.len(), "service");
    (!named.is_empty()).then(|| format!("\n{slower} slower than before, most of all {}", named.join(", ")))
}

/// Maintenance of this time, the oldest first; nothing without any.
fn maintenance(maintained: &[Maintained], now: Timestamp, paint: Paint) -> String {
    let line = |Maintained { period, ended }: &Maintained| {
        let end = ended.map_or("now".to_owned(), |ended| local(ended, MINUTES));
        let lasted = ended.unwrap_or(now).duration_since(period.began);
        let lasted = humanise(Duration::try_from(lasted).unwrap_or_default());
        let what = described(period.source, &period.name, period.scope(), period.reason.as_deref());
        format!("  {} to {end} ({lasted}): {what}\n", local(period.began, MINUTES))
    };
    let lines: String = maintained.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{}\n{lines}", paint.strong("Maintenance")) }
}

fn json(told: &[Told], maintained: &[Maintained], from: Timestamp, to: Timestamp) -> Value {
    let service = |told: &Told| {
        let Line { service, zone, check, now, before, incidents } = &told.line;
        json!({
            "service": service,
            "zone": zone,
            "check": check,
            "checks": now.checks(),
            "up": now.up,
            "degraded": now.degraded,
            "down": now.down,
            "unknown": now.unknown,
            "uptime_percent": now.uptime_percent(),
            "avg_response_ms": now.responses.mean_ms(),
            "p50_response_ms": now.responses.percentile_ms(50),
            "p95_response_ms": now.responses.percentile_ms(95),
            "max_response_ms": now.responses.max_ms(),
            "avg_change_percent": change_percent(before, now),
            "incidents": incidents,
            "downtime_seconds": now.down_for.as_secs(),
            "maintenance_seconds": now.maintained_for.as_secs(),
            "history": told.marks.iter().map(|it| it.worst().map(pihook_core::Status::as_str)).collect::<Vec<_>>(),
        })
    };
    let services: Vec<Value> = told.iter().map(service).collect();
    let maintenance: Vec<Value> = maintained
        .iter()
        .map(|Maintained { period, ended }| {
            json!({
                "source": period.source.as_str(),
                "name": period.name,
                "services": period.services,
                "zones": period.zones,
                "reason": period.reason,
                "began": period.began.to_string(),
                "ended": ended.map(|ended| ended.to_string()),
            })
        })
        .collect();
    json!({ "from": from.to_string(), "to": to.to_string(), "services": services, "maintenance": maintenance })
}

#[cfg(test)]
mod tests;
