//! Deliveries that are not made, for no fault: there is no need, or another sink makes them.

use pihook_core::{Alert, SinkId, Timestamp};
use rusqlite::{Connection, TransactionBehavior, named_params, params};

use super::{integer, limit};
use crate::store::StoreError;
use crate::store::codec::millis;

/// Ends deliveries that there is no need to make.
pub(in crate::store) fn spare(
    db: &mut Connection,
    ids: &[i64],
    why: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        tx.prepare_cached(
            "UPDATE deliveries SET state = 'dead', spared = 1, last_error = ?2, finished_ms = ?3,
                 next_attempt_ms = NULL
             WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id, why, millis(at)])?;
    }
    Ok(tx.commit()?)
}

/// Has another sink told all that is pending for this one, after what it is to be told already, and returns how much
/// that is. What the other has to tell in any case it tells once.
pub(in crate::store) fn redirect(
    db: &mut Connection,
    from: &SinkId,
    to: &SinkId,
    at: Timestamp,
) -> Result<usize, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (from, substitute) = (from.as_str(), to.as_str());
    tx.execute(
        "UPDATE deliveries SET state = 'dead', spared = 1, last_error = :why, finished_ms = :at,
             next_attempt_ms = NULL
         WHERE state = 'pending' AND sink = :from AND EXISTS (
             SELECT 1 FROM deliveries other WHERE other.alert = deliveries.alert AND other.sink = :to)",
        named_params! {
            ":why": format!("{substitute} has this alert too"), ":at": millis(at),
            ":from": from, ":to": substitute,
        },
    )?;
    // New rows: their numbers say when it was decided that this sink tells them.
    let moved = tx.execute(
        "INSERT INTO deliveries (alert, sink, meant_for)
         SELECT alert, ?2, coalesce(meant_for, ?1) FROM deliveries
         WHERE state = 'pending' AND sink = ?1 ORDER BY id",
        [from, substitute],
    )?;
    tx.execute("DELETE FROM deliveries WHERE state = 'pending' AND sink = ?1", [from])?;
    limit::enforce(&tx, to, at)?;
    tx.commit()?;
    Ok(moved)
}

/// Whoever told something of an incident in place of one of the alert's sinks tells its end too.
pub(super) fn tell_substitutes(db: &Connection, row: i64, alert: &Alert) -> Result<usize, StoreError> {
    let mut added = 0;
    for sink in &alert.sinks {
        added += db
            .prepare_cached(
                "INSERT OR IGNORE INTO deliveries (alert, sink, meant_for)
                 SELECT DISTINCT ?1, d.sink, d.meant_for
                 FROM alerts a JOIN deliveries d ON d.alert = a.id
                 WHERE a.incident = ?2 AND d.meant_for = ?3 AND d.state <> 'dead'",
            )?
            .execute(params![row, integer(alert.incident.0), sink.as_str()])?;
    }
    Ok(added)
}
