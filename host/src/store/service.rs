//! What the page of a service shows: its newest checks, its incidents, and who was told of them; and of all services what
//! each day came to.

use std::collections::BTreeMap;

use pihook_core::{AlertKind, IncidentId, ServiceId, Severity, SinkId, Status, Timestamp};
use rusqlite::{Connection, Row, params};

use super::archive::{HOUR_MS, unsigned};
use super::codec::{count, instant, integer, millis, status_of};
use super::history::span_of;
use super::reader::word;
use super::recent::MONTH;
use super::{LastCheck, StoreError, StoreReader};

/// An incident and who was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its number.
    pub id: IncidentId,
    /// Wall time of its first bad outcome.
    pub opened: Timestamp,
    /// When it was over; none while it lasts.
    pub closed: Option<Timestamp>,
    /// The highest that it reached.
    pub severity: Severity,
    /// The worst status.
    pub status: Status,
    /// The newest bad outcome's summary.
    pub reason: String,
    /// Failed checks.
    pub checks_failed: u32,
    /// Who was told, oldest first; what was sent long ago is not kept.
    pub told: Vec<Telling>,
}

/// An alert to one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// What kind of news it is.
    pub kind: AlertKind,
    /// When it was decided.
    pub at: Timestamp,
    /// Where to.
    pub sink: SinkId,
    /// What became of it.
    pub fate: Fate,
    /// Attempts made.
    pub attempts: u32,
    /// Why the last attempt failed, or why it was given up.
    pub error: Option<String>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is being tried.
    Pending,
    /// The sink has taken it.
    Sent(Timestamp),
    /// It was given up.
    Dead,
}

/// How many checks of a day found what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayMarks {
    /// Checks that found it up.
    pub up: u32,
    /// Degraded.
    pub degraded: u32,
    /// Down.
    pub down: u32,
    /// Checks that could not tell.
    pub unknown: u32,
    /// Checks during maintenance, whatever they found.
    pub maintained: u32,
}

impl DayMarks {
    fn add(&mut self, other: DayMarks) {
        self.up = self.up.saturating_add(other.up);
        self.degraded = self.degraded.saturating_add(other.degraded);
        self.down = self.down.saturating_add(other.down);
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.maintained = self.maintained.saturating_add(other.maintained);
    }

    fn of_check(status: Status, in_maintenance: bool) -> Self {
        let mut marks = Self::default();
        let mark = match status {
            _ if in_maintenance => &mut marks.maintained,
            Status::Up => &mut marks.up,
            Status::Degraded => &mut marks.degraded,
            Status::Down => &mut marks.down,
            Status::Unknown => &mut marks.unknown,
        };
        *mark = 1;
        marks
    }
}

impl StoreReader {
    /// The service's checks between these moments, the newest `most` of them, newest first. Nothing is looked for
    /// further back than a month.
    ///
    /// # Errors
    /// If the database cannot be read; so with all here.
    pub fn checks_of(
        &self,
        service: &ServiceId,
        (from, until): (Timestamp, Timestamp),
        most: usize,
    ) -> Result<Vec<LastCheck>, StoreError> {
        let Some(row) = self.row_of(service)? else { return Ok(Vec::new()) };
        let until = millis(until);
        self.newest(row, (millis(from).max(until.saturating_sub(MONTH)), until), most)
    }

    /// The service's newest incidents, newest first.
    pub fn incidents_of(&self, service: &ServiceId, most: usize) -> Result<Vec<Story>, StoreError> {
        let Some(row) = self.row_of(service)? else { return Ok(Vec::new()) };
        let mut statement = self.db().prepare_cached(
            "SELECT id, opened_ms, closed_ms, severity, status, reason, checks_failed FROM incidents
             WHERE service = ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let stories = statement.query_map(params![row, integer(most)], story)?;
        let mut stories: Vec<Story> = stories.collect::<Result<_, _>>()?;
        let mut statement = self.db().prepare_cached(
            "SELECT a.kind, a.at_ms, d.sink, d.state, d.finished_ms, d.attempts, d.last_error
             FROM alerts a JOIN deliveries d ON d.alert = a.id WHERE a.incident = ?1 AND a.service = ?2 AND d.spared = 0
             ORDER BY d.id LIMIT 200",
        )?;
        for story in &mut stories {
            let told = statement.query_map(params![integer(story.id.0), row], telling)?;
            story.told = told.collect::<Result<_, _>>()?;
        }
        Ok(stories)
    }

    /// What each service's checks came to between each of these instants and the next. The instants ascend; an hour that
    /// is packed counts where it begins.
    pub fn day_marks(&self, edges: &[Timestamp]) -> Result<BTreeMap<ServiceId, Vec<DayMarks>>, StoreError> {
        let edges: Vec<i64> = edges.iter().map(|edge| millis(*edge)).collect();
        // One snapshot, so that what is packed meanwhile is neither counted twice nor missed.
        let snapshot = self.db().unchecked_transaction()?;
        let mut marks = Marks { days: edges.len().saturating_sub(1), found: BTreeMap::new() };
        marks.add_hours(&snapshot, &edges)?;
        marks.add_checks(&snapshot, &edges)?;
        let mut names = snapshot.prepare_cached("SELECT id, key FROM services")?;
        let mut rows = names.query([])?;
        let mut named = BTreeMap::new();
        while let Some(row) = rows.next()? {
            if let Some(marks) = marks.found.remove(&row.get(0)?) {
                named.insert(ServiceId::new(&row.get::<_, String>(1)?), marks);
            }
        }
        Ok(named)
    }
}

/// Of each service's row its days.
struct Marks {
    days: usize,
    found: BTreeMap<i64, Vec<DayMarks>>,
}

impl Marks {
    fn add(&mut self, service: i64, day: usize, marks: DayMarks) {
        let all = self.found.entry(service).or_insert_with(|| vec![DayMarks::default(); self.days]);
        if let Some(known) = all.get_mut(day) {
            known.add(marks);
        }
    }

    fn add_hours(&mut self, db: &Connection, edges: &[i64]) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(
            "SELECT service, sum(up), sum(degraded), sum(down), sum(unknown), sum(maintained) FROM rollups
             WHERE hour >= ?1 AND hour < ?2 GROUP BY service",
        )?;
        let first_from = |at: i64| at.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS);
        for (day, pair) in edges.windows(2).enumerate() {
            let &[from, to] = pair else { continue };
            let mut rows = statement.query([first_from(from), first_from(to)])?;
            while let Some(row) = rows.next()? {
                let number = |at| Ok::<_, rusqlite::Error>(small(row.get(at)?));
                let (up, degraded, down) = (number(1)?, number(2)?, number(3)?);
                let marks = DayMarks { up, degraded, down, unknown: number(4)?, maintained: number(5)? };
                self.add(row.get(0)?, day, marks);
            }
        }
        Ok(())
    }

    fn add_checks(&mut self, db: &Connection, edges: &[i64]) -> rusqlite::Result<()> {
        let ends = edges.first().zip(edges.last());
        let Some((from, to)) = ends else { return Ok(()) };
        let mut statement = db.prepare_cached(
            "SELECT service, at_ms, status, in_maintenance FROM checks WHERE at_ms >= ?1 AND at_ms < ?2",
        )?;
        let mut rows = statement.query([from, to])?;
        while let Some(row) = rows.next()? {
            let Some(day) = span_of(edges, row.get(1)?) else { continue };
            self.add(row.get(0)?, day, DayMarks::of_check(status_of(row.get(2)?), row.get(3)?));
        }
        Ok(())
    }
}

fn small(number: i64) -> u32 {
    u32::try_from(unsigned(number)).unwrap_or(u32::MAX)
}

fn story(row: &Row<'_>) -> rusqlite::Result<Story> {
    Ok(Story {
        id: IncidentId(unsigned(row.get(0)?)),
        opened: instant(row.get(1)?),
        closed: row.get::<_, Option<i64>>(2)?.map(instant),
        severity: word(row, 3, Severity::parse)?,
        status: word(row, 4, Status::parse)?,
        reason: row.get(5)?,
        checks_failed: count(row.get(6)?),
        told: Vec::new(),
    })
}

fn telling(row: &Row<'_>) -> rusqlite::Result<Telling> {
    let at = instant(row.get(1)?);
    Ok(Telling {
        kind: word(row, 0, AlertKind::parse)?,
        at,
        sink: SinkId::new(&row.get::<_, String>(2)?),
        fate: match row.get::<_, String>(3)?.as_str() {
            "sent" => Fate::Sent(row.get::<_, Option<i64>>(4)?.map_or(at, instant)),
            "dead" => Fate::Dead,
            _ => Fate::Pending,
        },
        attempts: count(row.get(5)?),
        error: row.get(6)?,
    })
}
