//! The outbox: one row for each alert and sink, told in order, at least once.
//!
//! A sink's rows go out by number, so what a person reads is what was decided, in that order. What goes out as one message
//! is a batch, which is noted before it is sent: so an attempt after a crash is the same again. A sink has one batch at a
//! time; it is all of its rows that can be in flight.

mod batch;
mod limit;
mod spare;

use pihook_core::dispatch;
use pihook_core::{Alert, AlertKind, IncidentId, Message, SinkId, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::StoreError;
use super::codec::{integer, millis};
use super::dto::{AlertDto, encode};
use super::held::{Ended, Told};

pub use batch::Waiting;
pub(super) use batch::{begin, put_back, waiting};
pub(super) use spare::{redirect, spare};

/// Milliseconds that finished deliveries and their alerts are kept: 30 days.
const KEEP_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Deliveries that are kept at most, the pending ones not counted.
const KEEP_ROWS: i64 = 10_000;
/// Finished deliveries that are removed for their age whenever one ends.
const OLD_AT_ONCE: i64 = 4;

/// One alert to one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its number; a sink's deliveries go out in this order.
    pub id: i64,
    /// Where to.
    pub sink: SinkId,
    /// What was decided.
    pub alert: Alert,
    /// How its batch was worded, if it is the first of one.
    pub message: Option<Message>,
    /// The sink that was to be told of it, if this one is told instead.
    pub meant_for: Option<SinkId>,
    /// Whether the sink was told something of the same incident before.
    pub told: dispatch::Told,
    /// Attempts made so far.
    pub attempts: u32,
    /// When it was decided.
    pub created: Timestamp,
    /// Not to be tried before; none before the first attempt.
    pub next_attempt: Option<Timestamp>,
}

/// Adds the alert with a delivery for each of its sinks and returns how many those are.
pub(super) fn insert(db: &Connection, service: i64, alert: &Alert) -> Result<usize, StoreError> {
    if alert.sinks.is_empty() {
        return Ok(0);
    }
    let json = encode(&AlertDto::from(alert))?;
    db.prepare_cached(
        "INSERT INTO alerts (incident, service, kind, reason, at_ms, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        integer(alert.incident.0),
        service,
        alert.kind.as_str(),
        alert.reason.as_str(),
        millis(alert.at),
        json,
    ])?;
    let row = db.last_insert_rowid();
    let mut added = 0;
    for sink in &alert.sinks {
        // A sink that is named twice is told once.
        added += db
            .prepare_cached("INSERT OR IGNORE INTO deliveries (alert, sink) VALUES (?1, ?2)")?
            .execute(params![row, sink.as_str()])?;
        limit::enforce(db, sink, alert.at)?;
    }
    if alert.kind == AlertKind::Recovered && alert.incident != IncidentId::NONE {
        added += spare::tell_substitutes(db, row, alert)?;
    }
    Ok(added)
}

/// How a delivery can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The sink has taken it.
    Sent,
    /// It will not be tried again.
    Dead,
}

/// Ends deliveries after one more attempt, all or none of them, and removes what ended long ago.
pub(super) fn end(
    db: &mut Connection,
    ids: &[i64],
    state: State,
    error: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        tx.prepare_cached("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?1")?.execute([id])?;
        finish(&tx, *id, state, error, at)?;
    }
    prune(&tx, at)?;
    Ok(tx.commit()?)
}

/// Ends the delivery of an alert that was told from memory. It is known by what it says: it may have been written
/// before it was told, and one that was left out has none.
pub(super) fn told(db: &Connection, told: &Told) -> Result<(), StoreError> {
    let json = encode(&AlertDto::from(&*told.alert))?;
    let found: Option<i64> = db
        .prepare_cached(
            "SELECT d.id FROM deliveries d JOIN alerts a ON a.id = d.alert
             WHERE d.state = 'pending' AND d.sink = ?1 AND a.json = ?2 ORDER BY d.id LIMIT 1",
        )?
        .query_row(params![told.sink.as_str(), json], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(()) };
    db.prepare_cached("UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?1")?.execute([id])?;
    match &told.ended {
        Ended::Sent => finish(db, id, State::Sent, None, told.at),
        Ended::Dead(why) => finish(db, id, State::Dead, Some(why), told.at),
    }
}

/// Gives up all that is pending for the sink without another attempt, and returns how many that were.
pub(super) fn give_up(
    db: &mut Connection,
    sink: &SinkId,
    why: &str,
    at: Timestamp,
) -> Result<usize, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let given_up = tx
        .prepare_cached(
            "UPDATE deliveries SET state = 'dead', last_error = ?2, finished_ms = ?3, next_attempt_ms = NULL
             WHERE state = 'pending' AND sink = ?1",
        )?
        .execute(params![sink.as_str(), why, millis(at)])?;
    prune(&tx, at)?;
    tx.commit()?;
    Ok(given_up)
}

fn finish(
    db: &Connection,
    id: i64,
    state: State,
    error: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let state = match state {
        State::Sent => "sent",
        State::Dead => "dead",
    };
    db.prepare_cached(
        "UPDATE deliveries SET state = ?2, last_error = ?3, finished_ms = ?4, next_attempt_ms = NULL
         WHERE id = ?1",
    )?
    .execute(params![id, state, error, millis(at)])?;
    Ok(())
}

/// Notes a failed attempt at all of these.
pub(super) fn failed(
    db: &mut Connection,
    ids: &[i64],
    error: &str,
    next_attempt: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        tx.prepare_cached(
            "UPDATE deliveries SET attempts = attempts + 1, last_error = ?2, next_attempt_ms = ?3
             WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id, error, millis(next_attempt)])?;
    }
    Ok(tx.commit()?)
}

/// Removes what ended long ago: by count, and a few at a time by age, since a clock that jumps by years makes all of
/// them old at once.
fn prune(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let before = millis(now).saturating_sub(KEEP_MS);
    let surplus = db
        .prepare_cached(
            "DELETE FROM deliveries WHERE state <> 'pending' AND id <= (SELECT max(id) FROM deliveries) - ?1",
        )?
        .execute([KEEP_ROWS])?;
    let old = db
        .prepare_cached(
            "DELETE FROM deliveries WHERE id IN (
                 SELECT id FROM deliveries WHERE state <> 'pending' AND finished_ms < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute(params![before, OLD_AT_ONCE])?;
    if surplus + old > 0 {
        db.execute("DELETE FROM alerts WHERE id NOT IN (SELECT alert FROM deliveries)", [])?;
    }
    Ok(())
}

/// Sinks that have something to deliver.
pub(super) fn pending_sinks(db: &Connection) -> Result<Vec<SinkId>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT DISTINCT sink FROM deliveries WHERE state = 'pending' ORDER BY sink")?;
    let sinks = statement.query_map([], |row| Ok(SinkId::new(&row.get::<_, String>(0)?)))?;
    Ok(sinks.collect::<Result<_, _>>()?)
}
