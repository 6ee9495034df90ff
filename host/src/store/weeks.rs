//! What was done about each week.

use pihook_core::{Alert, Timestamp, Week};
use rusqlite::{Connection, TransactionBehavior, params};

use super::codec::millis;
use super::records::service_row;
use super::{StoreError, outbox};

/// The week's file was written.
pub(super) fn written(db: &Connection, week: Week) -> Result<(), StoreError> {
    db.execute("INSERT OR IGNORE INTO weeks (week) VALUES (?1)", [week.to_string()])?;
    Ok(())
}

/// Old checks were pruned after the week.
pub(super) fn pruned(db: &Connection, week: Week, at: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE weeks SET pruned_ms = ?2 WHERE week = ?1", params![week.to_string(), millis(at)])?;
    Ok(())
}

/// Puts the week's digest into the outbox, unless it was told, and returns how many deliveries that added.
pub(super) fn tell(db: &mut Connection, week: Week, alert: &Alert) -> Result<usize, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let noted = tx.execute(
        "UPDATE weeks SET told_ms = ?2 WHERE week = ?1 AND told_ms IS NULL",
        params![week.to_string(), millis(alert.at)],
    )?;
    let added = if noted > 0 { outbox::insert(&tx, service_row(&tx, &alert.service)?, alert)? } else { 0 };
    tx.commit()?;
    Ok(added)
}
