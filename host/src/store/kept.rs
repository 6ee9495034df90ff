//! The few bytes that a service's check keeps between its runs.

use std::collections::BTreeMap;

use pihook_core::ServiceId;
use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;
use super::records::service_row;

/// Keys and values of one service.
pub(super) type Entries = BTreeMap<String, Vec<u8>>;

/// Replaces what the service's check has kept.
pub(super) fn save(db: &mut Connection, service: &ServiceId, entries: &Entries) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let row = service_row(&tx, service)?;
    tx.prepare_cached("DELETE FROM kept WHERE service = ?1")?.execute([row])?;
    {
        let mut insert = tx.prepare_cached("INSERT INTO kept (service, key, value) VALUES (?1, ?2, ?3)")?;
        for (key, value) in entries {
            insert.execute((row, key, value))?;
        }
    }
    Ok(tx.commit()?)
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
