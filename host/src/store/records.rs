//! Commits, services and saved state as rows.

use std::collections::BTreeSet;
use std::time::Duration;

use pihook_core::monitor::{Incident, Logged, Muting, SavedService, SavedState};
use pihook_core::{ServiceId, ZoneId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params, params};

use super::codec::{integer, micros, millis, status_code};
use super::dto::{ServiceDto, decode, encode};
use super::pending::Pending;
use super::{StoreError, kept, losses, maintenance, outbox};

/// After so many checks `latest` is brought up to date: it bounds what a reader scans, and costs a page or two.
pub(super) const LATEST_EVERY: i64 = 4096;

/// A configured service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredService {
    /// Its identity.
    pub id: ServiceId,
    /// What people call it.
    pub name: String,
    /// Its zone.
    pub zone: ZoneId,
    /// What kind of check it has, such as `http`.
    pub check: String,
    /// How often it is checked, which is what one check stands for in summaries; none if its outcomes are pushed in.
    pub every: Option<Duration>,
}

/// How much a transaction may risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Survives a crash of the program; a power cut may take the last ones back.
    Crash,
    /// Survives a power cut.
    PowerCut,
}

impl Durability {
    /// Has the connection's next transactions risk no more. Not settable within one.
    pub(super) fn ask_of(self, db: &Connection) -> rusqlite::Result<()> {
        // WAL: NORMAL syncs at checkpoints only, FULL after each transaction.
        let synchronous = match self {
            Durability::Crash => "NORMAL",
            Durability::PowerCut => "FULL",
        };
        db.pragma_update(None, "synchronous", synchronous)
    }
}

/// Writes everything that is pending in one transaction and returns how many deliveries that added.
pub(super) fn write(
    db: &mut Connection,
    pending: &Pending,
    durability: Durability,
) -> Result<usize, StoreError> {
    durability.ask_of(db)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let deliveries = insert(&tx, pending)?;
    note_latest(&tx)?;
    tx.commit()?;
    Ok(deliveries)
}

fn insert(db: &Connection, pending: &Pending) -> Result<usize, StoreError> {
    for line in &pending.log {
        insert_check(db, service_row(db, &line.service)?, &line.logged)?;
    }
    for (service, incident) in pending.incidents.values() {
        upsert_incident(db, service_row(db, service)?, incident)?;
    }
    for (service, state) in &pending.states {
        upsert_state(db, service_row(db, service)?, state)?;
    }
    for (service, entries) in &pending.kept {
        kept::save(db, service_row(db, service)?, entries)?;
    }
    let mut deliveries = 0;
    for (service, alert) in &pending.alerts {
        deliveries += outbox::insert(db, service_row(db, service)?, alert)?;
    }
    for told in &pending.told {
        outbox::told(db, told)?;
    }
    for entry in &pending.maintenance {
        maintenance::insert(db, entry)?;
    }
    losses::insert(db, &pending.lost)?;
    Ok(deliveries)
}

/// The service's number. One that was never registered gets a row, so that no commit is ever lost to it.
pub(super) fn service_row(db: &Connection, id: &ServiceId) -> rusqlite::Result<i64> {
    let found = db
        .prepare_cached("SELECT id FROM services WHERE key = ?1")?
        .query_row([id.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(row) = found {
        return Ok(row);
    }
    db.execute(r#"INSERT INTO services (key, name, zone, "check") VALUES (?1, ?1, '', '')"#, [id.as_str()])?;
    Ok(db.last_insert_rowid())
}

fn insert_check(db: &Connection, service: i64, logged: &Logged) -> rusqlite::Result<()> {
    let outcome = &logged.outcome;
    db.prepare_cached(
        "INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        service,
        millis(outcome.at),
        status_code(outcome.status),
        outcome.response_time.map(micros),
        outcome.attempts,
        logged.maintenance == Muting::Muted,
        outcome.summary,
    ])?;
    Ok(())
}

fn upsert_incident(db: &Connection, service: i64, incident: &Incident) -> rusqlite::Result<()> {
    let values = named_params! {
        ":id": integer(incident.id.0),
        ":service": service,
        ":opened": millis(incident.opened),
        ":closed": incident.closed.map(millis),
        ":severity": incident.severity.as_str(),
        ":status": incident.status.as_str(),
        ":reason": incident.reason,
        ":failed": incident.checks_failed,
        ":acknowledged": incident.acknowledged.map(millis),
    };
    // Not ON CONFLICT: an insert also writes the page of AUTOINCREMENT's counter.
    let updated = db
        .prepare_cached(
            "UPDATE incidents SET service = :service, opened_ms = :opened, closed_ms = :closed,
                 severity = :severity, status = :status, reason = :reason, checks_failed = :failed,
                 acknowledged_ms = :acknowledged
             WHERE id = :id",
        )?
        .execute(values)?;
    if updated == 0 {
        db.prepare_cached(
            "INSERT INTO incidents (id, service, opened_ms, closed_ms, severity, status, reason, checks_failed,
                 acknowledged_ms)
             VALUES (:id, :service, :opened, :closed, :severity, :status, :reason, :failed, :acknowledged)",
        )?
        .execute(values)?;
    }
    Ok(())
}

fn upsert_state(db: &Connection, service: i64, state: &SavedService) -> Result<(), StoreError> {
    let json = encode(&ServiceDto::from(state))?;
    db.prepare_cached(
        "INSERT INTO states (service, json) VALUES (?1, ?2)
         ON CONFLICT (service) DO UPDATE SET json = excluded.json",
    )?
    .execute(params![service, json])?;
    Ok(())
}

fn note_latest(db: &Connection) -> rusqlite::Result<()> {
    let (noted, newest): (i64, i64) = db
        .prepare_cached(
            "SELECT (SELECT coalesce(max(check_id), 0) FROM latest), (SELECT coalesce(max(id), 0) FROM checks)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if newest - noted >= LATEST_EVERY {
        db.execute(
            "INSERT INTO latest (service, check_id)
             SELECT service, max(id) FROM checks WHERE id > ?1 GROUP BY service
             ON CONFLICT (service) DO UPDATE SET check_id = excluded.check_id",
            [noted],
        )?;
    }
    Ok(())
}

/// Replaces the list of configured services. Those that are gone keep their history.
pub(super) fn register(db: &mut Connection, services: &[RegisteredService]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("UPDATE services SET position = NULL", [])?;
    for (service, position) in services.iter().zip(0_i64..) {
        describe(&tx, service, Some(position))?;
    }
    Ok(tx.commit()?)
}

/// Gives a service its name in history; none of the configured ones has no position.
pub(super) fn describe(
    db: &Connection,
    service: &RegisteredService,
    position: Option<i64>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        r#"INSERT INTO services (key, name, zone, "check", position, every_ms)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6)
           ON CONFLICT (key) DO UPDATE SET name = excluded.name, zone = excluded.zone,
               "check" = excluded."check", position = excluded.position,
               every_ms = excluded.every_ms"#,
    )?
    .execute(params![
        service.id.as_str(),
        service.name,
        service.zone.as_str(),
        service.check,
        position,
        service.every.map_or(0, |every| integer(every.as_millis())),
    ])?;
    Ok(())
}

/// Everything that survives a restart. A state that cannot be read is reported and left out: its service starts calm,
/// and an incident that nobody goes on with ends with the last thing that was logged.
pub(super) fn load_state(db: &Connection) -> Result<SavedState, StoreError> {
    let mut statement =
        db.prepare("SELECT s.key, t.json FROM states t JOIN services s ON s.id = t.service ORDER BY s.id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut state = SavedState { services: Vec::new(), next_incident: next_incident(db)? };
    for row in rows {
        let (key, json) = row?;
        match decode::<ServiceDto>(&json) {
            Ok(saved) => state.services.push((ServiceId::new(&key), saved.into())),
            Err(error) => {
                tracing::error!(service = key, %error, "saved state is unreadable; the service starts calm");
            }
        }
    }
    close_incidents_but(db, &state)?;
    Ok(state)
}

fn close_incidents_but(db: &Connection, state: &SavedState) -> rusqlite::Result<()> {
    let incidents = state.services.iter().filter_map(|(_, service)| service.incident.as_ref());
    let restored: BTreeSet<i64> = incidents.map(|incident| integer(incident.record.id.0)).collect();
    let mut statement = db.prepare("SELECT id FROM incidents WHERE closed_ms IS NULL")?;
    let open: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in open.into_iter().filter(|id| !restored.contains(id)) {
        tracing::error!(incident = id, "nothing is known of an open incident any more; it ends in history");
        db.prepare_cached(
            "UPDATE incidents SET closed_ms =
                 max(opened_ms, coalesce((SELECT at_ms FROM checks ORDER BY id DESC LIMIT 1), opened_ms))
             WHERE id = ?1",
        )?
        .execute([id])?;
    }
    Ok(())
}

fn next_incident(db: &Connection) -> rusqlite::Result<u64> {
    let used: i64 = db
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'incidents'", [], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    Ok(u64::try_from(used).unwrap_or(0).saturating_add(1))
}
