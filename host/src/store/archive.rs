//! Packs the checks of hours that are over, and sums them up.
//!
//! A [`Batch`] is read and summed up beside the writer, over a connection that only reads. One transaction of the writer
//! then takes its rows out of `checks`, appends them to `archive` and adds them to `rollups`. So what is in `checks` is
//! what was not summed up yet: a restart, a late row or a clock that jumped need no further care, since a row that belongs
//! to an hour that was packed before is packed and added all the same. Rows never change once they are written, and nobody
//! else removes them; a batch of which a row is gone all the same is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pihook_core::Timestamp;
use pihook_core::monitor::Muting;
use pihook_core::sketch::Sketch;
use pihook_core::summary::{Responses, Sample, Summary};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use serde_json::{Value, json};

use super::codec::{instant, integer, millis, status_of};
use super::{StoreError, StoreReader, days};

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Rows of `archive` and `rollups` that one transaction writes at most.
pub(super) const ROWS: usize = 2048;

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

/// Checks on their way into the archive, as they were read: what is left to do is to write.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first and the last number of each stretch without a gap.
    stretches: Vec<(i64, i64)>,
    checks: usize,
    packs: Vec<Pack>,
    sums: BTreeMap<(i64, i64), Summary>,
}

impl Batch {
    /// How many checks these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.checks
    }

    /// Whether there is nothing to pack.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.checks == 0
    }

    /// Rows that its transaction writes.
    #[cfg(test)]
    pub(super) fn rows(&self) -> usize {
        self.packs.len() + self.sums.len()
    }
}

impl StoreReader {
    /// Up to `limit` checks of hours that are over, for [`super::Store::pack`]. The hour of `now` and the one before it
    /// stay, and so does the newest check of each service.
    pub fn packable(&self, now: Timestamp, limit: usize) -> Result<Batch, StoreError> {
        Ok(read(self.db(), millis(now), limit)?)
    }
}

/// See [`StoreReader::packable`].
pub(super) fn read(db: &Connection, now_ms: i64, limit: usize) -> rusqlite::Result<Batch> {
    let mut raw = take(db, now_ms.div_euclid(HOUR_MS), limit)?;
    raw.truncate(within(&raw, ROWS));
    let mut batch = Batch { stretches: stretches(&raw), checks: raw.len(), ..Batch::default() };
    let mut groups: BTreeMap<(i64, i64, Kind), Vec<Raw>> = BTreeMap::new();
    for row in raw {
        let hour = row.at_ms.div_euclid(HOUR_MS);
        batch.sums.entry((hour, row.service)).or_default().record(&row.sample());
        groups.entry((hour, row.service, row.kind)).or_default().push(row);
    }
    for ((hour, service, kind), mut rows) in groups {
        rows.sort_by_key(|row| row.at_ms);
        batch.packs.extend(Pack::of(hour, service, kind, &rows));
    }
    Ok(batch)
}

/// Writes a batch in one transaction and returns how many checks it has packed: all or, if some are gone, none.
pub(super) fn pack(db: &mut Connection, batch: Batch) -> Result<usize, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if delete(&tx, &batch.stretches)? != batch.checks {
        return Ok(0);
    }
    for pack in &batch.packs {
        pack.insert(&tx)?;
    }
    let summed_up = days::newest(&tx)?;
    for ((hour, service), sum) in batch.sums {
        let day = hour.div_euclid(days::HOURS);
        if summed_up.is_some_and(|newest| day <= newest) {
            add(&tx, Sums::Days, day, service, sum.clone())?;
        }
        add(&tx, Sums::Hours, hour, service, sum)?;
    }
    tx.commit()?;
    Ok(batch.checks)
}

/// How many of these checks fit into a transaction that writes so many rows.
fn within(raw: &[Raw], rows: usize) -> usize {
    let (mut packs, mut sums) = (BTreeSet::new(), BTreeSet::new());
    let fits = |row: &&Raw| {
        let hour = row.at_ms.div_euclid(HOUR_MS);
        packs.insert((hour, row.service, row.kind));
        sums.insert((hour, row.service));
        packs.len() + sums.len() <= rows
    };
    raw.iter().take_while(fits).count()
}

fn stretches(raw: &[Raw]) -> Vec<(i64, i64)> {
    let stretches = raw.chunk_by(|a, b| a.id + 1 == b.id);
    stretches.filter_map(|it| Some((it.first()?.id, it.last()?.id))).collect()
}

/// Deletes the rows, whose numbers ascend, and returns how many there were.
fn delete(db: &Connection, stretches: &[(i64, i64)]) -> rusqlite::Result<usize> {
    let mut delete = db.prepare_cached("DELETE FROM checks WHERE id BETWEEN ?1 AND ?2")?;
    stretches.iter().try_fold(0, |deleted, (first, last)| Ok(deleted + delete.execute([first, last])?))
}

fn take(db: &Connection, hour: i64, limit: usize) -> rusqlite::Result<Vec<Raw>> {
    let mut statement = db.prepare_cached(
        "WITH newest (id) AS (SELECT max(id) FROM checks GROUP BY service)
         SELECT c.id, c.service, s.every_ms, c.at_ms, c.response_us, c.status, c.attempts, c.in_maintenance, c.summary
         FROM checks c JOIN services s ON s.id = c.service
         WHERE (c.at_ms < ?1 OR c.at_ms >= ?2) AND c.id NOT IN newest ORDER BY c.id LIMIT ?3",
    )?;
    let bounds = params![(hour - 1) * HOUR_MS, (hour + 2) * HOUR_MS, integer(limit)];
    statement
        .query_map(bounds, |row| {
            Ok(Raw {
                id: row.get(0)?,
                service: row.get(1)?,
                every_ms: row.get(2)?,
                at_ms: row.get(3)?,
                response_us: row.get(4)?,
                kind: Kind { status: row.get(5)?, attempts: row.get(6)?, in_maintenance: row.get(7)? },
                summary: row.get(8)?,
            })
        })?
        .collect()
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
