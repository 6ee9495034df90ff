//! History page by page, the newest first: incidents, deliveries, and the single checks of a service.

use pihook_core::{AlertKind, IncidentId, ServiceId, Severity, SinkId, Status, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::archive::HOUR_MS;
use super::codec::{count, instant, integer, millis, status_of};
use super::reader::{LastCheck, word};
use super::{StoreError, StoreReader};

/// Which incidents are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedIncidents {
    /// Of this service alone.
    pub service: Option<ServiceId>,
    /// Those that are open, or those that are over; both if none.
    pub open: Option<bool>,
    /// Those with a lower number alone.
    pub before: Option<u64>,
}

/// An incident, over or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// Its number.
    pub id: IncidentId,
    /// Whose.
    pub service: ServiceId,
    /// The service's name.
    pub name: String,
    /// The service's zone.
    pub zone: String,
    /// Wall time of its first bad outcome.
    pub opened: Timestamp,
    /// When it ended; none if it is open.
    pub closed: Option<Timestamp>,
    /// The highest that was told.
    pub severity: Severity,
    /// The worst status.
    pub status: Status,
    /// The newest bad outcome's summary.
    pub reason: String,
    /// Failed checks.
    pub checks_failed: u32,
    /// When somebody said that they see to it.
    pub acknowledged: Option<Timestamp>,
}

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedDeliveries {
    /// To this sink alone.
    pub sink: Option<SinkId>,
    /// `pending`, `sent` or `dead`; all if none.
    pub state: Option<&'static str>,
    /// Those with a lower number alone.
    pub before: Option<i64>,
}

/// A delivery, done or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// Where to.
    pub sink: SinkId,
    /// The service that it is about.
    pub service: ServiceId,
    /// That service's name.
    pub name: String,
    /// The incident that it is about; none of a notice.
    pub incident: Option<IncidentId>,
    /// What kind of news it is.
    pub kind: AlertKind,
    /// When it was decided.
    pub decided: Timestamp,
    /// `pending`, `sent` or `dead`.
    pub state: String,
    /// Attempts made.
    pub attempts: u32,
    /// When it is tried again; none if at once or never.
    pub next_attempt: Option<Timestamp>,
    /// When it was sent or given up.
    pub finished: Option<Timestamp>,
    /// Why the last attempt failed, or why it was given up.
    pub last_error: Option<String>,
}

impl StoreReader {
    /// The newest incidents of these, at most so many.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn incidents(&self, wanted: &WantedIncidents, most: usize) -> Result<Vec<IncidentRow>, StoreError> {
        let mut statement = self.db().prepare_cached(
            "SELECT i.id, s.key, s.name, s.zone, i.opened_ms, i.closed_ms, i.severity, i.status, i.reason, i.checks_failed,
                 i.acknowledged_ms
             FROM incidents i JOIN services s ON s.id = i.service
             WHERE (?1 IS NULL OR i.id < ?1) AND (?2 IS NULL OR s.key = ?2) AND (?3 IS NULL OR (i.closed_ms IS NULL) = ?3)
             ORDER BY i.id DESC LIMIT ?4",
        )?;
        let key = wanted.service.as_ref().map(ServiceId::as_str);
        let before = wanted.before.map(integer);
        let rows = statement.query_map(params![before, key, wanted.open, integer(most)], incident)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest deliveries of these, at most so many.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn deliveries(&self, wanted: &WantedDeliveries, most: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let mut statement = self.db().prepare_cached(
            "SELECT d.id, d.sink, s.key, s.name, a.incident, a.kind, a.at_ms, d.state, d.attempts, d.next_attempt_ms,
                 d.finished_ms, d.last_error
             FROM deliveries d JOIN alerts a ON a.id = d.alert JOIN services s ON s.id = a.service
             WHERE d.spared = 0 AND (?1 IS NULL OR d.id < ?1) AND (?2 IS NULL OR d.sink = ?2) AND (?3 IS NULL OR d.state = ?3)
             ORDER BY d.id DESC LIMIT ?4",
        )?;
        let sink = wanted.sink.as_ref().map(SinkId::as_str);
        let rows =
            statement.query_map(params![wanted.before, sink, wanted.state, integer(most)], delivery)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest checks of a service that began at this moment or before it, the newest first; none if nothing is known
    /// of the service. Hours that are over are unpacked one by one, until there are enough.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn checks(
        &self,
        service: &ServiceId,
        until: Timestamp,
        most: usize,
    ) -> Result<Option<Vec<LastCheck>>, StoreError> {
        let key = "SELECT id FROM services WHERE key = ?1";
        let row: Option<i64> = self.db().query_row(key, [service.as_str()], |row| row.get(0)).optional()?;
        let Some(row) = row else { return Ok(None) };
        let until = millis(until);
        // One snapshot, so that what is packed meanwhile is neither there twice nor missing.
        let snapshot = self.db().unchecked_transaction()?;
        let mut fresh = snapshot.prepare_cached(
            "SELECT at_ms, status, response_us / 1000.0, attempts, summary, in_maintenance FROM checks
             WHERE service = ?1 AND at_ms <= ?2 ORDER BY at_ms DESC, id DESC LIMIT ?3",
        )?;
        let mut found: Vec<LastCheck> =
            fresh.query_map(params![row, until, integer(most)], check)?.collect::<Result<_, _>>()?;
        let mut packed = snapshot.prepare_cached(
            "SELECT a.first_ms + p.key * a.every_ms + json_extract(p.value, '$[0]') AS at_ms, a.status,
                 json_extract(p.value, '$[1]') / 1000.0, a.attempts,
                 coalesce(json_extract(p.value, '$[2]'), a.summary), a.in_maintenance, a.hour
             FROM archive a JOIN json_each(a.checks) p
             WHERE a.service = ?1 AND a.hour <= ?2 ORDER BY a.hour DESC",
        )?;
        let mut rows = packed.query([row, until.div_euclid(HOUR_MS)])?;
        let mut hour = i64::MAX;
        while let Some(row) = rows.next()? {
            let of: i64 = row.get(6)?;
            if of < hour {
                hour = of;
                // A check that came late may be older than one that is packed already.
                let ends = hour.saturating_add(1).saturating_mul(HOUR_MS);
                found.sort_by_key(|it| std::cmp::Reverse(it.at));
                let enough = most
                    .checked_sub(1)
                    .is_none_or(|last| found.get(last).is_some_and(|it| millis(it.at) >= ends));
                if enough {
                    break;
                }
                found.truncate(most);
            }
            if row.get::<_, i64>(0)? <= until {
                found.push(check(row)?);
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.at));
        found.truncate(most);
        Ok(Some(found))
    }
}

fn incident(row: &Row<'_>) -> rusqlite::Result<IncidentRow> {
    Ok(IncidentRow {
        id: number(row.get(0)?),
        service: ServiceId::new(&row.get::<_, String>(1)?),
        name: row.get(2)?,
        zone: row.get(3)?,
        opened: instant(row.get(4)?),
        closed: row.get::<_, Option<i64>>(5)?.map(instant),
        severity: word(row, 6, Severity::parse)?,
        status: word(row, 7, Status::parse)?,
        reason: row.get(8)?,
        checks_failed: count(row.get(9)?),
        acknowledged: row.get::<_, Option<i64>>(10)?.map(instant),
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get(0)?,
        sink: SinkId::new(&row.get::<_, String>(1)?),
        service: ServiceId::new(&row.get::<_, String>(2)?),
        name: row.get(3)?,
        incident: Some(number(row.get(4)?)).filter(|incident| *incident != IncidentId::NONE),
        kind: word(row, 5, AlertKind::parse)?,
        decided: instant(row.get(6)?),
        state: row.get(7)?,
        attempts: count(row.get(8)?),
        next_attempt: row.get::<_, Option<i64>>(9)?.map(instant),
        finished: row.get::<_, Option<i64>>(10)?.map(instant),
        last_error: row.get(11)?,
    })
}

fn check(row: &Row<'_>) -> rusqlite::Result<LastCheck> {
    Ok(LastCheck {
        at: instant(row.get(0)?),
        status: status_of(row.get(1)?),
        response_ms: row.get(2)?,
        attempts: count(row.get(3)?),
        summary: row.get(4)?,
        in_maintenance: row.get(5)?,
    })
}

fn number(id: i64) -> IncidentId {
    IncidentId(u64::try_from(id).unwrap_or(0))
}
