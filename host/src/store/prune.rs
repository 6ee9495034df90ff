//! Removes what is too old, a little at a time, and gives free pages back to the file system.

use pihook_core::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::StoreError;
use super::archive::HOUR_MS;
use super::codec::millis;
use super::days;

/// Packed rows, sums and incidents that one transaction removes at most.
const ROWS: i64 = 256;
/// Pages that are given back at a time.
const PAGES: i64 = 64;
/// Of so many pages of the file one may stay free: the next week fills them again, and moving pages wears a card out.
const RESERVE: i64 = 5;

/// What is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// Checks before this.
    pub checks: Timestamp,
    /// Roll-ups, and what else has ended before this: incidents, maintenance, losses.
    pub rollups: Timestamp,
}

/// One small step; false if there is nothing left to do. Never touches an open incident, one with an alert that is not
/// delivered, or a service's newest check, which is never packed.
pub(super) fn step(db: &mut Connection, cutoff: Cutoff) -> Result<bool, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let hour = |at: Timestamp| millis(at).div_euclid(HOUR_MS);
    let mut removed = tx
        .prepare_cached(
            "DELETE FROM archive WHERE id IN (SELECT id FROM archive WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
        )?
        .execute(params![hour(cutoff.checks), ROWS])?;
    if removed == 0 {
        removed = tx
            .prepare_cached(
                "DELETE FROM rollups WHERE (hour, service) IN
                     (SELECT hour, service FROM rollups WHERE hour < ?1 ORDER BY hour LIMIT ?2)",
            )?
            .execute(params![hour(cutoff.rollups), ROWS])?;
    }
    if removed == 0 {
        removed = tx
            .prepare_cached(
                "DELETE FROM days WHERE (day, service) IN
                     (SELECT day, service FROM days WHERE day < ?1 ORDER BY day LIMIT ?2)",
            )?
            .execute(params![hour(cutoff.rollups).div_euclid(days::HOURS), ROWS])?;
    }
    if removed == 0 {
        removed = tx
            .prepare_cached(
                "DELETE FROM incidents WHERE id IN (
                     SELECT i.id FROM incidents i WHERE i.closed_ms < ?1 AND NOT EXISTS (
                         SELECT 1 FROM alerts a JOIN deliveries d ON d.alert = a.id
                         WHERE a.incident = i.id AND d.state = 'pending'
                     ) LIMIT ?2
                 )",
            )?
            .execute(params![millis(cutoff.rollups), ROWS])?;
    }
    if removed == 0 {
        removed = tx
            .prepare_cached(
                "DELETE FROM maintenance WHERE id IN (SELECT id FROM maintenance WHERE ended_ms < ?1 LIMIT ?2)",
            )?
            .execute(params![millis(cutoff.rollups), ROWS])?;
    }
    if removed == 0 {
        removed = tx
            .prepare_cached(
                "DELETE FROM losses WHERE id IN (SELECT id FROM losses WHERE to_ms < ?1 LIMIT ?2)",
            )?
            .execute(params![millis(cutoff.rollups), ROWS])?;
    }
    tx.commit()?;
    if removed > 0 {
        return Ok(true);
    }
    give_back(db)
}

fn give_back(db: &Connection) -> Result<bool, StoreError> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let before = pragma("freelist_count")?;
    let excess = before - pragma("page_count")? / RESERVE;
    if excess <= 0 {
        return Ok(false);
    }
    let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({})", excess.min(PAGES)))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    // A database that was made without it gives nothing back.
    Ok(pragma("freelist_count")? < before)
}
