//! Sinks that refuse their configuration, such as a webhook that was deleted.

use pihook_core::{SinkId, Timestamp};
use rusqlite::{Connection, params};

use super::StoreError;
use super::codec::{instant, millis};

/// A sink that gets nothing until its configuration changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisabledSink {
    /// Which.
    pub sink: SinkId,
    /// Stands for the configuration that was refused.
    pub fingerprint: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// Disables a sink; its deliveries stay.
pub(super) fn insert(db: &Connection, disabled: &DisabledSink) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO disabled_sinks (sink, fingerprint, reason, at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (sink) DO UPDATE SET fingerprint = excluded.fingerprint, reason = excluded.reason,
             at_ms = excluded.at_ms",
        params![disabled.sink.as_str(), disabled.fingerprint, disabled.reason, millis(disabled.at)],
    )?;
    Ok(())
}

/// Enables a sink; no error if it is.
pub(super) fn remove(db: &Connection, sink: &SinkId) -> Result<(), StoreError> {
    db.execute("DELETE FROM disabled_sinks WHERE sink = ?1", [sink.as_str()])?;
    Ok(())
}

/// All disabled sinks.
pub(super) fn all(db: &Connection) -> Result<Vec<DisabledSink>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT sink, fingerprint, reason, at_ms FROM disabled_sinks ORDER BY sink")?;
    let sinks = statement.query_map([], |row| {
        Ok(DisabledSink {
            sink: SinkId::new(&row.get::<_, String>(0)?),
            fingerprint: row.get(1)?,
            reason: row.get(2)?,
            at: instant(row.get(3)?),
        })
    })?;
    Ok(sinks.collect::<Result<_, _>>()?)
}
