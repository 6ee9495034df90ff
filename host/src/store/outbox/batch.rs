//! What goes out as one message.

use pihook_core::dispatch::Told;
use pihook_core::{Message, SinkId};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::{Delivery, State, finish};
use crate::store::StoreError;
use crate::store::codec::{count, instant};
use crate::store::dto::{AlertDto, MessageDto, decode, encode};

/// What a sink is to be told next, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub enum Waiting {
    /// The batch that was begun: it goes out as it is.
    Begun(Vec<Delivery>),
    /// What can go out in any way that keeps the order; nothing, if there is nothing.
    Free(Vec<Delivery>),
}

/// A pending row with its alert.
const PENDING: &str = "
    SELECT d.id, a.json, d.message, d.attempts, a.at_ms, d.next_attempt_ms, d.meant_for,
           a.incident <> 0 AND EXISTS (
               SELECT 1 FROM alerts other JOIN deliveries o ON o.alert = other.id AND o.sink = d.sink
               WHERE other.incident = a.incident AND o.state = 'sent')
    FROM deliveries d JOIN alerts a ON a.id = d.alert
    WHERE d.state = 'pending' AND d.sink = ?1";

/// What the sink is to be told next, of what was not begun so many at most. What cannot be read is given up and
/// reported.
pub(in crate::store) fn waiting(db: &Connection, sink: &SinkId, most: usize) -> Result<Waiting, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    loop {
        let begun: Option<i64> = db
            .prepare_cached(
                "SELECT batch FROM deliveries
                 WHERE state = 'pending' AND sink = ?1 AND batch IS NOT NULL ORDER BY id LIMIT 1",
            )?
            .query_row([sink.as_str()], |row| row.get(0))
            .optional()?;
        let rows = match begun {
            Some(batch) => rows(db, "AND d.batch = ?2 ORDER BY d.id", sink, batch)?,
            None => rows(db, "ORDER BY d.id LIMIT ?2", sink, most)?,
        };
        let found = rows.len();
        let readable = readable(db, sink, rows)?;
        match begun {
            // With nothing that can be read there may be more behind.
            _ if readable.is_empty() && found > 0 => {}
            Some(_) => return Ok(Waiting::Begun(readable)),
            None => return Ok(Waiting::Free(readable)),
        }
    }
}

struct Raw {
    id: i64,
    alert: String,
    message: Option<String>,
    attempts: i64,
    created: i64,
    next_attempt: Option<i64>,
    meant_for: Option<String>,
    told: bool,
}

fn rows(db: &Connection, rest: &str, sink: &SinkId, number: i64) -> rusqlite::Result<Vec<Raw>> {
    let mut statement = db.prepare_cached(&format!("{PENDING} {rest}"))?;
    let read = |row: &Row<'_>| {
        Ok(Raw {
            id: row.get(0)?,
            alert: row.get(1)?,
            message: row.get(2)?,
            attempts: row.get(3)?,
            created: row.get(4)?,
            next_attempt: row.get(5)?,
            meant_for: row.get(6)?,
            told: row.get(7)?,
        })
    };
    statement.query_map(params![sink.as_str(), number], read)?.collect()
}

fn readable(db: &Connection, sink: &SinkId, rows: Vec<Raw>) -> Result<Vec<Delivery>, StoreError> {
    let mut deliveries = Vec::with_capacity(rows.len());
    for row in rows {
        match decode::<AlertDto>(&row.alert) {
            Ok(alert) => deliveries.push(row.into_delivery(sink, alert)),
            Err(error) => {
                tracing::error!(delivery = row.id, %sink, %error, "an alert is unreadable; it is given up");
                finish(db, row.id, State::Dead, Some("the alert is unreadable"), instant(row.created))?;
            }
        }
    }
    Ok(deliveries)
}

impl Raw {
    fn into_delivery(self, sink: &SinkId, alert: AlertDto) -> Delivery {
        // A message that cannot be read is worded again.
        let message = self.message.and_then(|json| decode::<MessageDto>(&json).ok());
        Delivery {
            id: self.id,
            sink: sink.clone(),
            alert: alert.into(),
            message: message.map(Message::from),
            meant_for: self.meant_for.as_deref().map(SinkId::new),
            told: if self.told { Told::Before } else { Told::Never },
            attempts: count(self.attempts),
            created: instant(self.created),
            next_attempt: self.next_attempt.map(instant),
        }
    }
}

/// Notes that these go out as one batch with this message; false, and nothing is noted, if one of them has ended.
pub(in crate::store) fn begin(
    db: &mut Connection,
    ids: &[i64],
    message: &Message,
) -> Result<bool, StoreError> {
    let json = encode(&MessageDto::from(message))?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(first) = ids.first() else { return Ok(false) };
    for id in ids {
        let begun = tx
            .prepare_cached("UPDATE deliveries SET batch = ?2 WHERE id = ?1 AND state = 'pending'")?
            .execute(params![id, first])?;
        if begun == 0 {
            return Ok(false);
        }
    }
    tx.execute("UPDATE deliveries SET message = ?2 WHERE id = ?1", params![first, json])?;
    tx.commit()?;
    Ok(true)
}

/// Takes a batch apart.
pub(in crate::store) fn put_back(db: &mut Connection, ids: &[i64]) -> Result<(), StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        tx.prepare_cached(
            "UPDATE deliveries SET batch = NULL, message = NULL WHERE id = ?1 AND state = 'pending'",
        )?
        .execute([id])?;
    }
    Ok(tx.commit()?)
}
