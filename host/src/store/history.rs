//! Summaries of any span of time: sums of whole days and hours, and single checks where a span begins or ends within one.
//!
//! Older than `history.keep_checks` there are no single checks, and an hour counts where it begins.

use std::collections::{BTreeMap, BTreeSet};

use pihook_core::summary::{Sample, Summary};
use pihook_core::{ServiceId, Timestamp, Week, ZoneId};
use rusqlite::{Connection, params};

use super::StoreError;
use super::archive::{self, COLUMNS, HOUR_MS, Packed};
use super::codec::{instant, millis};
use super::days;
use super::reader::StoreReader;

/// A service's history in consecutive spans of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its identity.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// Its zone.
    pub zone: ZoneId,
    /// What kind of check it has.
    pub check: String,
    /// A summary for each span.
    pub spans: Vec<Summary>,
    /// Incidents that began in each span.
    pub incidents: Vec<u64>,
}

impl StoreReader {
    /// The history of all services, or of one, between each of these instants and the next. The instants ascend.
    /// Services without any check in there are left out, and so is what PiHook watches of itself. By zone and name.
    pub fn series(&self, edges: &[Timestamp], only: Option<&ServiceId>) -> Result<Vec<Series>, StoreError> {
        Ok(series(self.connection(), edges, only)?)
    }

    /// The beginnings of the hours that have checks, ascending.
    pub fn hours(&self) -> Result<Vec<Timestamp>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT hour FROM rollups UNION SELECT at_ms / {HOUR_MS} FROM checks ORDER BY hour"
        ))?;
        let hours =
            statement.query_map([], |row| Ok(instant(row.get::<_, i64>(0)?.saturating_mul(HOUR_MS))))?;
        Ok(hours.collect::<Result<_, _>>()?)
    }

    /// When the newest check was; none if there is none.
    pub fn newest_check(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest = self.connection().query_row("SELECT max(at_ms) FROM checks", [], |row| row.get(0))?;
        Ok(Option::<i64>::map(newest, instant))
    }

    /// The weeks whose file was written.
    pub fn weeks(&self) -> Result<Vec<WeekNote>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT week, told_ms IS NOT NULL, pruned_ms IS NOT NULL FROM weeks")?;
        let rows = statement.query_map([], |row| {
            let note = |week| Ok(WeekNote { week, told: row.get(1)?, pruned: row.get(2)? });
            Week::parse(&row.get::<_, String>(0)?).map(note).transpose()
        })?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }
}

/// A week whose file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekNote {
    /// Which.
    pub week: Week,
    /// Whether its digest was told.
    pub told: bool,
    /// Whether old checks were pruned after it.
    pub pruned: bool,
}

/// The tables of sums, each with the column that says of when.
const HOURS: (&str, &str) = ("rollups", "hour");
const DAYS: (&str, &str) = ("days", "day");

/// The span between two of the edges that the instant lies in.
pub(super) fn span_of(edges: &[i64], at_ms: i64) -> Option<usize> {
    let after = edges.partition_point(|edge| *edge <= at_ms);
    (after > 0 && after < edges.len()).then(|| after - 1)
}

/// Where samples and sums fall.
struct Spans<'a> {
    edges: Vec<i64>,
    found: BTreeMap<i64, Vec<Summary>>,
    only: Option<i64>,
    db: &'a Connection,
}

fn series(db: &Connection, edges: &[Timestamp], only: Option<&ServiceId>) -> rusqlite::Result<Vec<Series>> {
    let edges: Vec<i64> = edges.iter().map(|edge| millis(*edge)).collect();
    let only = match only {
        None => None,
        Some(id) => Some(db.query_row(
            "SELECT coalesce(max(id), -1) FROM services WHERE key = ?1",
            [id.as_str()],
            |row| row.get(0),
        )?),
    };
    // One snapshot, so that what is packed meanwhile is neither counted twice nor missed.
    let snapshot = db.unchecked_transaction()?;
    let mut spans = Spans { edges, found: BTreeMap::new(), only, db: &snapshot };
    spans.add_checks()?;
    spans.add_hours()?;
    let incidents = spans.incidents()?;
    let mut statement =
        snapshot.prepare_cached(r#"SELECT key, name, zone, "check" FROM services WHERE id = ?1"#)?;
    let mut all = Vec::new();
    for (service, summaries) in spans.found {
        let none = vec![0; summaries.len()];
        let series = statement.query_row([service], |row| {
            Ok(Series {
                id: ServiceId::new(&row.get::<_, String>(0)?),
                name: row.get(1)?,
                zone: ZoneId::new(&row.get::<_, String>(2)?),
                check: row.get(3)?,
                spans: summaries,
                incidents: incidents.get(&service).cloned().unwrap_or(none),
            })
        })?;
        all.push(series);
    }
    // No slug has a colon: these are PiHook's own.
    all.retain(|series| !series.id.as_str().starts_with("pihook:"));
    all.sort_by(|a, b| (a.zone.as_str(), &a.name, &a.id).cmp(&(b.zone.as_str(), &b.name, &b.id)));
    Ok(all)
}

impl Spans<'_> {
    /// The span that the instant lies in.
    fn at(&self, at_ms: i64) -> Option<usize> {
        span_of(&self.edges, at_ms)
    }

    fn from(&self) -> i64 {
        self.edges.first().copied().unwrap_or(0)
    }

    fn to(&self) -> i64 {
        self.edges.last().copied().unwrap_or(0)
    }

    fn of(&mut self, service: i64, span: usize) -> Option<&mut Summary> {
        let spans = self.edges.len().saturating_sub(1);
        self.found.entry(service).or_insert_with(|| vec![Summary::default(); spans]).get_mut(span)
    }

    fn record(&mut self, service: i64, sample: &Sample) {
        let Some(span) = self.at(millis(sample.at)) else { return };
        if let Some(summary) = self.of(service, span) {
            summary.record(sample);
        }
    }

    /// What was not packed yet.
    fn add_checks(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare_cached(
            "SELECT c.service, c.at_ms, c.status, c.response_us, c.in_maintenance, s.every_ms
             FROM checks c JOIN services s ON s.id = c.service
             WHERE c.at_ms >= ?1 AND c.at_ms < ?2 AND (?3 IS NULL OR c.service = ?3)",
        )?;
        let mut rows = statement.query(params![self.from(), self.to(), self.only])?;
        while let Some(row) = rows.next()? {
            let sample = archive::sample(row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            self.record(row.get(0)?, &sample);
        }
        Ok(())
    }

    fn add_hours(&mut self) -> rusqlite::Result<()> {
        let cut: BTreeSet<i64> = self
            .edges
            .iter()
            .filter(|edge| edge.rem_euclid(HOUR_MS) != 0)
            .map(|edge| edge.div_euclid(HOUR_MS))
            .collect();
        let mut single = BTreeSet::new();
        for hour in &cut {
            self.add_packed(*hour, &mut single)?;
        }
        // Nothing before the first sum is asked for, however early the span begins.
        let (first, last): (Option<i64>, Option<i64>) = self.db.query_row(
            "SELECT (SELECT min(hour) FROM rollups), (SELECT max(hour) FROM rollups)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let Some((first, last)) = first.zip(last) else { return Ok(()) };
        let first = first.max(self.from().div_euclid(HOUR_MS));
        let last = last.min(self.to().div_euclid(HOUR_MS));
        let summed_up = days::newest(self.db)?;
        for day in first.div_euclid(days::HOURS)..=last.div_euclid(days::HOURS) {
            let whole =
                self.at(day * days::MS).filter(|span| self.at((day + 1) * days::MS - 1) == Some(*span));
            match whole.filter(|_| summed_up.is_some_and(|newest| day <= newest)) {
                Some(span) => self.add_sums(DAYS, (day, day), |_, _| Some(span))?,
                None => {
                    let hours = (day * days::HOURS, (day + 1) * days::HOURS - 1);
                    let edges = self.edges.clone();
                    self.add_sums(HOURS, hours, |hour, service| {
                        span_of(&edges, hour.saturating_mul(HOUR_MS))
                            .filter(|_| !single.contains(&(hour, service)))
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Adds the sums of these hours or days, of each service to the span that it belongs to.
    fn add_sums(
        &mut self,
        (table, column): (&str, &str),
        (first, last): (i64, i64),
        span: impl Fn(i64, i64) -> Option<usize>,
    ) -> rusqlite::Result<()> {
        let (db, only) = (self.db, self.only);
        let sql = format!("SELECT r.{column}, r.service, {COLUMNS} FROM {table} r WHERE r.{column}");
        let mut found = |row: &rusqlite::Row<'_>| {
            let (slot, service) = (row.get(0)?, row.get(1)?);
            let Some(span) = span(slot, service) else { return Ok(()) };
            let sum = archive::summary(row, 2)?;
            if let Some(summary) = self.of(service, span) {
                summary.merge(&sum);
            }
            Ok::<_, rusqlite::Error>(())
        };
        let Some(only) = only else {
            let mut statement = db.prepare_cached(&format!("{sql} BETWEEN ?1 AND ?2"))?;
            let mut rows = statement.query([first, last])?;
            while let Some(row) = rows.next()? {
                found(row)?;
            }
            return Ok(());
        };
        // Services of an hour lie together, so one of them is looked up and not searched for.
        let mut statement = db.prepare_cached(&format!("{sql} = ?1 AND r.service = ?2"))?;
        for slot in first..=last {
            let mut rows = statement.query([slot, only])?;
            if let Some(row) = rows.next()? {
                found(row)?;
            }
        }
        Ok(())
    }

    /// The single checks of an hour that an edge cuts; notes whose they are.
    fn add_packed(&mut self, hour: i64, single: &mut BTreeSet<(i64, i64)>) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare_cached(
            "SELECT service, status, in_maintenance, first_ms, every_ms, checks FROM archive
             WHERE hour = ?1 AND (?2 IS NULL OR service = ?2)",
        )?;
        let mut rows = statement.query(params![hour, self.only])?;
        while let Some(row) = rows.next()? {
            let (service, every_ms) = (row.get(0)?, row.get(4)?);
            let (status, muted, packed) = (row.get(1)?, row.get(2)?, row.get::<_, String>(5)?);
            single.insert((hour, service));
            for Packed { at_ms, response_us, .. } in archive::checks(&packed, row.get(3)?, every_ms) {
                self.record(service, &archive::sample(at_ms, status, response_us, muted, every_ms));
            }
        }
        Ok(())
    }

    fn incidents(&self) -> rusqlite::Result<BTreeMap<i64, Vec<u64>>> {
        let mut statement = self.db.prepare_cached(
            "SELECT service, opened_ms FROM incidents WHERE opened_ms >= ?1 AND opened_ms < ?2",
        )?;
        let mut rows = statement.query([self.from(), self.to()])?;
        let mut found: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let Some(span) = self.at(row.get(1)?) else { continue };
            let counts =
                found.entry(row.get(0)?).or_insert_with(|| vec![0; self.edges.len().saturating_sub(1)]);
            if let Some(count) = counts.get_mut(span) {
                *count += 1;
            }
        }
        Ok(found)
    }
}
