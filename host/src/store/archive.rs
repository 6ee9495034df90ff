//! Packed hours: rows of `archive`, with the checks of a service and an hour, and rows of `rollups`, with their sums.

mod batch;

use std::collections::BTreeMap;
use std::time::Duration;

use pihook_core::monitor::Muting;
use pihook_core::sketch::Sketch;
use pihook_core::summary::{Responses, Sample, Summary};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::codec::{instant, integer, status_of};

pub use batch::Batch;
#[cfg(test)]
pub(super) use batch::ROWS;
pub(super) use batch::{pack, read};

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// A row of `checks`.
struct Raw {
    id: i64,
    service: i64,
    every_ms: i64,
    at_ms: i64,
    response_us: Option<i64>,
    kind: Kind,
    summary: String,
}

/// What the checks of a packed row have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    status: i64,
    attempts: i64,
    in_maintenance: bool,
}

/// A column that counts something.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A column of milliseconds.
pub(super) fn span(millis: i64) -> Duration {
    Duration::from_millis(unsigned(millis))
}

impl Raw {
    fn sample(&self) -> Sample {
        sample(self.at_ms, self.kind.status, self.response_us, self.kind.in_maintenance, self.every_ms)
    }
}

/// A check out of its columns.
pub(super) fn sample(
    at_ms: i64,
    status: i64,
    response_us: Option<i64>,
    in_maintenance: bool,
    every_ms: i64,
) -> Sample {
    Sample {
        at: instant(at_ms),
        status: status_of(status),
        maintenance: if in_maintenance { Muting::Muted } else { Muting::Audible },
        response: response_us.map(|micros| Duration::from_micros(unsigned(micros))),
        stands_for: span(every_ms),
    }
}

/// A row of `archive`.
#[derive(Debug)]
struct Pack {
    hour: i64,
    service: i64,
    kind: Kind,
    first_ms: i64,
    every_ms: i64,
    summary: String,
    /// JSON.
    checks: String,
}

impl Pack {
    /// None without rows. They are in the order of their times.
    fn of(hour: i64, service: i64, kind: Kind, rows: &[Raw]) -> Option<Self> {
        let &Raw { at_ms: first_ms, every_ms, .. } = rows.first()?;
        let summary = commonest(rows);
        let mut expected = first_ms;
        let check = |row: &Raw| {
            let deviation = row.at_ms - expected;
            expected += every_ms;
            if row.summary == summary {
                json!([deviation, row.response_us])
            } else {
                json!([deviation, row.response_us, row.summary])
            }
        };
        let checks = Value::Array(rows.iter().map(check).collect()).to_string();
        Some(Self { hour, service, kind, first_ms, every_ms, summary: summary.to_owned(), checks })
    }

    fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let Self { hour, service, kind, first_ms, every_ms, summary, checks } = self;
        db.prepare_cached(
            "INSERT INTO archive
                 (hour, service, status, attempts, in_maintenance, first_ms, every_ms, summary, checks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            hour,
            service,
            kind.status,
            kind.attempts,
            kind.in_maintenance,
            first_ms,
            every_ms,
            summary,
            checks,
        ])?;
        Ok(())
    }
}

/// One check of a packed row.
pub(super) struct Packed {
    /// When it was.
    pub(super) at_ms: i64,
    /// The response time.
    pub(super) response_us: Option<i64>,
    /// Its summary, where that is not the row's.
    pub(super) summary: Option<String>,
}

/// The checks of a packed row, from its columns. What cannot be read is left out.
pub(super) fn checks(json: &str, first_ms: i64, every_ms: i64) -> Vec<Packed> {
    let checks: Value = serde_json::from_str(json).unwrap_or_default();
    let mut expected = first_ms;
    let one = |check: &Value| {
        let at_ms = expected.saturating_add(check.get(0).and_then(Value::as_i64).unwrap_or(0));
        expected = expected.saturating_add(every_ms);
        let summary = check.get(2).and_then(Value::as_str).map(ToOwned::to_owned);
        Packed { at_ms, response_us: check.get(1).and_then(Value::as_i64), summary }
    };
    checks.as_array().into_iter().flatten().map(one).collect()
}

fn commonest(rows: &[Raw]) -> &str {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *seen.entry(&row.summary).or_default() += 1;
    }
    seen.into_iter().max_by_key(|(_, count)| *count).map_or("", |(summary, _)| summary)
}

/// The columns of `rollups` and of `days` that [`summary`] reads.
pub(super) const COLUMNS: &str = "r.up, r.degraded, r.down, r.unknown, r.maintained, r.down_ms, r.unknown_ms,
    r.maintained_ms, r.responses, r.response_sum, r.response_min, r.response_max, r.sketch";

/// A roll-up out of its columns, of which the first is `from`.
pub(super) fn summary(row: &Row<'_>, from: usize) -> rusqlite::Result<Summary> {
    let count = |at: usize| Ok::<_, rusqlite::Error>(unsigned(row.get(from + at)?));
    let sketch: Vec<u8> = row.get(from + 12)?;
    Ok(Summary {
        up: count(0)?,
        degraded: count(1)?,
        down: count(2)?,
        unknown: count(3)?,
        maintained: count(4)?,
        down_for: span(row.get(from + 5)?),
        unknown_for: span(row.get(from + 6)?),
        maintained_for: span(row.get(from + 7)?),
        responses: Responses {
            count: count(8)?,
            sum: count(9)?,
            min: count(10)?,
            max: count(11)?,
            // One that cannot be read costs its percentiles and nothing else.
            sketch: Sketch::from_bytes(&sketch).unwrap_or_default(),
        },
    })
}

/// A table of sums.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sums {
    /// By the hour.
    Hours,
    /// By the day.
    Days,
}

/// Adds the sum to the row of this hour or day.
pub(super) fn add(
    db: &Connection,
    table: Sums,
    slot: i64,
    service: i64,
    mut sum: Summary,
) -> rusqlite::Result<()> {
    let (table, column) = match table {
        Sums::Hours => ("rollups", "hour"),
        Sums::Days => ("days", "day"),
    };
    let sql = format!("SELECT {COLUMNS} FROM {table} r WHERE r.{column} = ?1 AND r.service = ?2");
    let before = db.prepare_cached(&sql)?.query_row([slot, service], |row| summary(row, 0)).optional()?;
    if let Some(before) = before {
        sum.merge(&before);
    }
    let millis = |time: Duration| integer(time.as_millis());
    db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    ))?
    .execute(params![
        slot,
        service,
        integer(sum.up),
        integer(sum.degraded),
        integer(sum.down),
        integer(sum.unknown),
        integer(sum.maintained),
        millis(sum.down_for),
        millis(sum.unknown_for),
        millis(sum.maintained_for),
        integer(sum.responses.count),
        integer(sum.responses.sum),
        integer(sum.responses.min),
        integer(sum.responses.max),
        sum.responses.sketch.to_bytes(),
    ])?;
    Ok(())
}
