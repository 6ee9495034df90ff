//! What sinks have to know for longer than one attempt.

use pihook_core::SinkId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::StoreError;

/// Of each sink and topic so many of the newest are kept.
const KEEP: i64 = 200;

/// What is known of the topic under this key.
pub(super) fn get(
    db: &Connection,
    sink: &SinkId,
    topic: &str,
    key: &str,
) -> Result<Option<String>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT value FROM sink_memory WHERE sink = ?1 AND topic = ?2 AND key = ?3")?;
    Ok(statement.query_row([sink.as_str(), topic, key], |row| row.get(0)).optional()?)
}

/// Remembers it, and forgets the oldest of the topic if there are too many.
pub(super) fn put(
    db: &mut Connection,
    sink: &SinkId,
    topic: &str,
    key: &str,
    value: &str,
) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute(
        "INSERT OR REPLACE INTO sink_memory (sink, topic, key, value) VALUES (?1, ?2, ?3, ?4)",
        [sink.as_str(), topic, key, value],
    )?;
    tx.execute(
        "DELETE FROM sink_memory WHERE sink = ?1 AND topic = ?2 AND id NOT IN (
             SELECT id FROM sink_memory WHERE sink = ?1 AND topic = ?2 ORDER BY id DESC LIMIT ?3)",
        params![sink.as_str(), topic, KEEP],
    )?;
    Ok(tx.commit()?)
}

/// Forgets all of a sink.
pub(super) fn forget(db: &Connection, sink: &SinkId) -> Result<(), StoreError> {
    db.execute("DELETE FROM sink_memory WHERE sink = ?1", [sink.as_str()])?;
    Ok(())
}
