//! Reading from another process, while the daemon runs and while it does not.

use std::collections::BTreeMap;
use std::path::Path;

use pihook_core::{AlertKind, IncidentId, ServiceId, Severity, SinkId, Status, Timestamp, ZoneId};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

use super::codec::{count, instant, status_of};
use super::disabled::{self, DisabledSink};
use super::{StoreError, heartbeats, schema};
use crate::heartbeats::Record;

/// Undelivered alerts that are listed at most, the oldest first.
const MOST_UNDELIVERED: i64 = 1000;

/// A connection that only reads.
#[derive(Debug)]
pub struct StoreReader {
    db: Connection,
}

/// A configured service and its newest check.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRow {
    /// Its identity.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// Its zone.
    pub zone: ZoneId,
    /// What kind of check it has.
    pub check: String,
    /// Its newest check, if there is one.
    pub last: Option<LastCheck>,
}

/// A service's newest check.
#[derive(Clone, Debug, PartialEq)]
pub struct LastCheck {
    /// When its first attempt began.
    pub at: Timestamp,
    /// The verdict.
    pub status: Status,
    /// How long the service took to answer in the last attempt, in milliseconds.
    pub response_ms: Option<f64>,
    /// Attempts made.
    pub attempts: u32,
    /// What was seen.
    pub summary: String,
    /// Whether maintenance covered the service.
    pub in_maintenance: bool,
}

/// An incident that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    /// Its number.
    pub id: IncidentId,
    /// Whose.
    pub service: ServiceId,
    /// The service's name.
    pub name: String,
    /// The service's zone.
    pub zone: ZoneId,
    /// Wall time of its first bad outcome.
    pub opened: Timestamp,
    /// The highest so far.
    pub severity: Severity,
    /// The worst status so far.
    pub status: Status,
    /// The newest bad outcome's summary.
    pub reason: String,
    /// Failed checks so far.
    pub checks_failed: u32,
    /// When somebody said that they see to it.
    pub acknowledged: Option<Timestamp>,
}

/// Why a delivery is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is being tried.
    Pending,
    /// It was given up.
    Dead,
}

/// A delivery that has not reached its sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndeliveredRow {
    /// Its number.
    pub id: i64,
    /// Where to.
    pub sink: SinkId,
    /// The name of the service that it is about.
    pub service: String,
    /// What kind of news it is.
    pub kind: AlertKind,
    /// When it was decided.
    pub created: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// When it is tried again; none if at once or never.
    pub next_attempt: Option<Timestamp>,
    /// Why the last attempt failed, or why it was given up.
    pub last_error: Option<String>,
    /// Whether it is tried again.
    pub state: DeliveryState,
}

impl StoreReader {
    /// Opens an existing database. Also recovers what a crashed daemon left in the write-ahead log, which takes the
    /// right to write to the folder.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: schema::open_read_only(path)? })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.db
    }

    /// The configured services in the file's order, each with its newest check.
    ///
    /// Exact, and without an index that every insert would have to maintain: `latest` knows each service's newest check
    /// as of some row, and only what came after it is scanned, a few thousand rows at most.
    pub fn services(&self) -> Result<Vec<ServiceRow>, StoreError> {
        self.all(
            r#"WITH newest (service, id) AS (
                   SELECT service, max(id) FROM (
                       SELECT service, id FROM checks WHERE id > (SELECT coalesce(max(check_id), 0) FROM latest)
                       UNION ALL SELECT service, check_id FROM latest
                   ) GROUP BY service
               )
               SELECT s.key, s.name, s.zone, s."check", c.at_ms, c.status, c.response_us / 1000.0, c.attempts,
                   c.summary, c.in_maintenance
               FROM services s LEFT JOIN newest n ON n.service = s.id LEFT JOIN checks c ON c.id = n.id
               WHERE s.position IS NOT NULL ORDER BY s.position"#,
            service,
        )
    }

    /// The incidents that are not over, oldest first.
    pub fn open_incidents(&self) -> Result<Vec<OpenIncident>, StoreError> {
        self.all(
            "SELECT i.id, s.key, s.name, s.zone, i.opened_ms, i.severity, i.status, i.reason, i.checks_failed,
                 i.acknowledged_ms
             FROM incidents i JOIN services s ON s.id = i.service WHERE i.closed_ms IS NULL ORDER BY i.id",
            open_incident,
        )
    }

    /// When each service's last incident ended, of those whose incident is over.
    pub fn last_recoveries(&self) -> Result<BTreeMap<ServiceId, Timestamp>, StoreError> {
        let ended = self.all(
            "SELECT s.key, max(i.closed_ms) FROM incidents i JOIN services s ON s.id = i.service
             WHERE i.closed_ms IS NOT NULL GROUP BY s.id",
            |row| Ok((ServiceId::new(&row.get::<_, String>(0)?), instant(row.get(1)?))),
        )?;
        Ok(ended.into_iter().collect())
    }

    /// What has not reached its sink though it should have, oldest first, the first 1000 of it. What was given up is
    /// listed for at least 30 days, unless 10,000 deliveries followed.
    pub fn undelivered(&self) -> Result<Vec<UndeliveredRow>, StoreError> {
        self.all(
            &format!(
                "SELECT d.id, d.sink, s.name, a.kind, a.at_ms, d.attempts, d.next_attempt_ms, d.last_error, d.state
                 FROM deliveries d JOIN alerts a ON a.id = d.alert JOIN services s ON s.id = a.service
                 WHERE d.state <> 'sent' AND d.spared = 0 ORDER BY d.id LIMIT {MOST_UNDELIVERED}"
            ),
            undelivered,
        )
    }

    /// How many alerts wait for each sink that has any.
    pub fn pending_by_sink(&self) -> Result<Vec<(SinkId, u64)>, StoreError> {
        self.all(
            "SELECT sink, count(*) FROM deliveries WHERE state = 'pending' GROUP BY sink ORDER BY sink",
            |row| Ok((SinkId::new(&row.get::<_, String>(0)?), u64::from(count(row.get(1)?)))),
        )
    }

    /// The sinks that are disabled.
    pub fn disabled_sinks(&self) -> Result<Vec<DisabledSink>, StoreError> {
        disabled::all(&self.db)
    }

    /// What is known of signs of life.
    pub fn heartbeats(&self) -> Result<Vec<Record>, StoreError> {
        heartbeats::all(&self.db)
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    fn all<T>(&self, sql: &str, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn service(row: &Row<'_>) -> rusqlite::Result<ServiceRow> {
    let at: Option<i64> = row.get(4)?;
    Ok(ServiceRow {
        id: ServiceId::new(&row.get::<_, String>(0)?),
        name: row.get(1)?,
        zone: ZoneId::new(&row.get::<_, String>(2)?),
        check: row.get(3)?,
        last: at.map(|at| last_check(row, instant(at))).transpose()?,
    })
}

fn last_check(row: &Row<'_>, at: Timestamp) -> rusqlite::Result<LastCheck> {
    Ok(LastCheck {
        at,
        status: status_of(row.get(5)?),
        response_ms: row.get(6)?,
        attempts: count(row.get(7)?),
        summary: row.get(8)?,
        in_maintenance: row.get(9)?,
    })
}

fn open_incident(row: &Row<'_>) -> rusqlite::Result<OpenIncident> {
    Ok(OpenIncident {
        id: IncidentId(u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0)),
        service: ServiceId::new(&row.get::<_, String>(1)?),
        name: row.get(2)?,
        zone: ZoneId::new(&row.get::<_, String>(3)?),
        opened: instant(row.get(4)?),
        severity: word(row, 5, Severity::parse)?,
        status: word(row, 6, Status::parse)?,
        reason: row.get(7)?,
        checks_failed: count(row.get(8)?),
        acknowledged: row.get::<_, Option<i64>>(9)?.map(instant),
    })
}

fn undelivered(row: &Row<'_>) -> rusqlite::Result<UndeliveredRow> {
    Ok(UndeliveredRow {
        id: row.get(0)?,
        sink: SinkId::new(&row.get::<_, String>(1)?),
        service: row.get(2)?,
        kind: word(row, 3, AlertKind::parse)?,
        created: instant(row.get(4)?),
        attempts: count(row.get(5)?),
        next_attempt: row.get::<_, Option<i64>>(6)?.map(instant),
        last_error: row.get(7)?,
        state: match row.get::<_, String>(8)?.as_str() {
            "dead" => DeliveryState::Dead,
            _ => DeliveryState::Pending,
        },
    })
}

/// A word that core knows.
pub(super) fn word<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| {
        let unknown = format!("unknown word {text:?}");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, unknown.into())
    })
}
