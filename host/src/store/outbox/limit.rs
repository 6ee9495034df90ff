//! What gives way when a sink does not take its deliveries for long.
//!
//! What is told has to stay a legal sequence that begins with the first news of an incident and ends with its recovery.
//! So reminders and escalations go first, oldest first, except an incident's first news, which may be an escalation to
//! a sink of a higher level; and with them news that newer ones of the same service follow. If there are none, an incident
//! that is over and that the sink has not been told of is left out as a whole. What then remains is at most an end, a
//! beginning and the newest news for each service. The head and whatever is begun never give way: that may be in flight.

use pihook_core::{SinkId, Timestamp};
use rusqlite::{Connection, named_params};

use crate::store::StoreError;
use crate::store::codec::millis;

/// Pending deliveries of one sink.
pub(super) const MOST_PENDING: i64 = 1000;

const NEWS: &str = "
    SELECT d.id FROM deliveries d JOIN alerts a ON a.id = d.alert
    WHERE d.state = 'pending' AND d.sink = :sink AND d.batch IS NULL
      AND CASE
          WHEN a.kind IN ('reminder', 'escalated') THEN EXISTS (
              SELECT 1 FROM alerts earlier JOIN deliveries e ON e.alert = earlier.id AND e.sink = :sink
              WHERE earlier.incident = a.incident AND e.id < d.id AND e.state IN ('pending', 'sent'))
          WHEN a.kind = 'notice' THEN EXISTS (
              SELECT 1 FROM deliveries n JOIN alerts newer ON newer.id = n.alert
              WHERE n.state = 'pending' AND n.sink = :sink AND n.id > d.id
                AND newer.kind = 'notice' AND newer.service = a.service)
          END
      AND d.id > (SELECT min(id) FROM deliveries WHERE state = 'pending' AND sink = :sink)
    ORDER BY d.id LIMIT 1";

const WHOLE_INCIDENT: &str = "
    SELECT d.id FROM deliveries d JOIN alerts a ON a.id = d.alert
    WHERE d.state = 'pending' AND d.sink = :sink AND a.incident = (
        SELECT a.incident FROM deliveries d JOIN alerts a ON a.id = d.alert
        WHERE d.state = 'pending' AND d.sink = :sink AND a.kind = 'recovered'
          AND a.incident <> (
              SELECT a.incident FROM deliveries d JOIN alerts a ON a.id = d.alert
              WHERE d.state = 'pending' AND d.sink = :sink ORDER BY d.id LIMIT 1)
          AND NOT EXISTS (
              SELECT 1 FROM alerts other JOIN deliveries o ON o.alert = other.id AND o.sink = :sink
              WHERE other.incident = a.incident
                AND (o.state = 'sent' OR o.state = 'pending' AND o.batch IS NOT NULL))
        ORDER BY d.id LIMIT 1)";

/// Brings the sink's pending deliveries back to the limit.
pub(super) fn enforce(db: &Connection, sink: &SinkId, at: Timestamp) -> Result<(), StoreError> {
    while pending(db, sink)? > MOST_PENDING {
        if supersede(db, sink, at, NEWS)? == 0 && supersede(db, sink, at, WHOLE_INCIDENT)? == 0 {
            break;
        }
    }
    Ok(())
}

fn pending(db: &Connection, sink: &SinkId) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM deliveries WHERE state = 'pending' AND sink = ?1")?
        .query_row([sink.as_str()], |row| row.get(0))
}

fn supersede(db: &Connection, sink: &SinkId, at: Timestamp, which: &str) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!(
        "UPDATE deliveries SET state = 'dead', last_error = 'superseded', finished_ms = :at,
             next_attempt_ms = NULL
         WHERE id IN ({which})"
    ))?
    .execute(named_params! { ":sink": sink.as_str(), ":at": millis(at) })
}
