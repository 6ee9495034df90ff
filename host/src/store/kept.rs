//! The few bytes that a service's check keeps between its runs.

use std::collections::BTreeMap;

use pihook_core::ServiceId;
use rusqlite::Connection;

use super::StoreError;

/// Keys and values of one service.
pub type Entries = BTreeMap<String, Vec<u8>>;

/// Replaces what the service's check has kept.
pub(super) fn save(db: &Connection, service: i64, entries: &Entries) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM kept WHERE service = ?1")?.execute([service])?;
    let mut insert = db.prepare_cached("INSERT INTO kept (service, key, value) VALUES (?1, ?2, ?3)")?;
    for (key, value) in entries {
        insert.execute((service, key, value))?;
    }
    Ok(())
}

/// What all checks have kept.
pub(super) fn load(db: &Connection) -> Result<BTreeMap<ServiceId, Entries>, StoreError> {
    let mut statement =
        db.prepare("SELECT s.key, k.key, k.value FROM kept k JOIN services s ON s.id = k.service")?;
    let mut rows = statement.query([])?;
    let mut kept: BTreeMap<ServiceId, Entries> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let service = ServiceId::new(&row.get::<_, String>(0)?);
        kept.entry(service).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(kept)
}
