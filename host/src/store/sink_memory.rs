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

/// Forgets all of the sinks that are not among these.
pub(super) fn forget_others(db: &mut Connection, sinks: &[SinkId]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known: Vec<String> = {
        let mut statement = tx.prepare_cached("SELECT DISTINCT sink FROM sink_memory")?;
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    for gone in known.iter().filter(|known| !sinks.iter().any(|sink| sink.as_str() == **known)) {
        tx.execute("DELETE FROM sink_memory WHERE sink = ?1", [gone])?;
    }
    Ok(tx.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn memory_is_bounded_and_ends_with_the_sink() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pihook.db");
        let mut db = schema::open(&path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT).unwrap();
        let (one, two) = (SinkId::new("one"), SinkId::new("two"));
        put(&mut db, &one, "chat", "-1", "-100").unwrap();
        put(&mut db, &one, "chat", "-1", "-200").unwrap();
        assert_eq!(get(&db, &one, "chat", "-1").unwrap().as_deref(), Some("-200"));
        assert_eq!(get(&db, &two, "chat", "-1").unwrap(), None);
        for number in 0..=KEEP {
            put(&mut db, &one, "message", &number.to_string(), "x").unwrap();
        }
        assert_eq!(get(&db, &one, "message", "0").unwrap(), None, "the oldest goes");
        assert!(get(&db, &one, "message", "1").unwrap().is_some());
        assert!(get(&db, &one, "chat", "-1").unwrap().is_some(), "other topics stay");
        forget_others(&mut db, &[two]).unwrap();
        assert_eq!(get(&db, &one, "chat", "-1").unwrap(), None);
    }
}
