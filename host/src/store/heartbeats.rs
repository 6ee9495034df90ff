//! The newest sign of life of each service that is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use pihook_core::{ServiceId, Timestamp};
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::StoreError;
use super::codec::{instant, micros, millis};
use super::records::service_row;
use crate::heartbeats::{Record, Sign};

/// From now on these are waited for: new ones since `now`, and what was known of others goes. What is known of them.
pub(super) fn wait_for(
    db: &mut Connection,
    services: &BTreeSet<ServiceId>,
    now: Timestamp,
) -> Result<Vec<Record>, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = all(&tx)?;
    for gone in known.iter().filter(|record| !services.contains(&record.service)) {
        tx.execute("DELETE FROM heartbeats WHERE service = ?1", [service_row(&tx, &gone.service)?])?;
    }
    for service in services {
        let row = service_row(&tx, service)?;
        tx.execute(
            "INSERT OR IGNORE INTO heartbeats (service, since_ms) VALUES (?1, ?2)",
            (row, millis(now)),
        )?;
    }
    let records = all(&tx)?;
    tx.commit()?;
    Ok(records)
}

/// Replaces what is known of these.
pub(super) fn save(db: &mut Connection, records: &[Record]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for Record { service, since, last } in records {
        let (at, sign) = last.as_ref().map(|(at, sign)| (*at, sign)).unzip();
        tx.prepare_cached(
            "INSERT INTO heartbeats (service, since_ms, at_ms, ok, message, took_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (service) DO UPDATE SET since_ms = excluded.since_ms, at_ms = excluded.at_ms,
                 ok = excluded.ok, message = excluded.message, took_us = excluded.took_us",
        )?
        .execute(params![
            service_row(&tx, service)?,
            millis(*since),
            at.map(millis),
            sign.map(|sign| sign.ok),
            sign.map(|sign| sign.message.as_str()),
            sign.and_then(|sign| sign.took).map(micros),
        ])?;
    }
    Ok(tx.commit()?)
}

/// What is known of all.
pub(super) fn all(db: &Connection) -> Result<Vec<Record>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT s.key, h.since_ms, h.at_ms, h.ok, h.message, h.took_us
         FROM heartbeats h JOIN services s ON s.id = h.service ORDER BY s.id",
    )?;
    let records = statement.query_map([], record)?;
    Ok(records.collect::<Result<_, _>>()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let took = |micros: i64| u64::try_from(micros).ok().map(Duration::from_micros);
    let at: Option<i64> = row.get(2)?;
    let sign = Sign {
        ok: row.get::<_, Option<bool>>(3)?.unwrap_or_default(),
        message: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        took: row.get::<_, Option<i64>>(5)?.and_then(took),
    };
    Ok(Record {
        service: ServiceId::new(&row.get::<_, String>(0)?),
        since: instant(row.get(1)?),
        last: at.map(|at| (instant(at), sign)),
    })
}
