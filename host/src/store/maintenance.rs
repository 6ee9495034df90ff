//! Maintenance in history: when it began, when it ended, what it covered and why.

use pihook_core::Timestamp;
use pihook_core::maintenance::{Entry, Period, Source};
use rusqlite::{Connection, Row, params};

use super::codec::{instant, integer, millis};
use super::dto::encode;
use super::{StoreError, StoreReader};

/// Rows that are kept at most, the newest: somebody may let a script switch the flag all day.
const KEPT: i64 = 10_000;

/// Maintenance as history has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// What it was.
    pub period: Period,
    /// When it ended; none while it lasts.
    pub ended: Option<Timestamp>,
}

/// Writes it down.
pub(super) fn insert(db: &Connection, entry: &Entry) -> Result<(), StoreError> {
    match entry {
        Entry::Began(period) => {
            db.execute(
                "INSERT INTO maintenance (source, name, services, zones, reason, began_ms, until_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    period.source.as_str(),
                    period.name,
                    encode(&period.services)?,
                    encode(&period.zones)?,
                    period.reason,
                    millis(period.began),
                    period.until.map(millis),
                ],
            )?;
            db.execute("DELETE FROM maintenance WHERE id <= ?1", [db.last_insert_rowid() - KEPT])?;
        }
        Entry::Ended(period, at) => {
            db.execute(
                "UPDATE maintenance SET ended_ms = ?1
                 WHERE ended_ms IS NULL AND source = ?2 AND name = ?3 AND began_ms = ?4",
                params![millis(*at), period.source.as_str(), period.name, millis(period.began)],
            )?;
        }
    }
    Ok(())
}

/// What lasts as far as history knows, in the order of its beginnings.
pub(super) fn lasting(db: &Connection) -> Result<Vec<Period>, StoreError> {
    let all = list(db, "WHERE ended_ms IS NULL ORDER BY id", &[])?;
    Ok(all.into_iter().map(|maintained| maintained.period).collect())
}

impl StoreReader {
    /// All maintenance that lasted at some time between these, the oldest first; of many the newest.
    pub fn maintenance(
        &self,
        from: Timestamp,
        to: Timestamp,
        most: usize,
    ) -> Result<Vec<Maintained>, StoreError> {
        let within = "WHERE began_ms < ?2 AND coalesce(ended_ms, ?2) >= ?1 ORDER BY id DESC LIMIT ?3";
        let mut all = list(self.db(), within, &[millis(from), millis(to), integer(most)])?;
        all.reverse();
        Ok(all)
    }
}

fn list(db: &Connection, which: &str, bounds: &[i64]) -> Result<Vec<Maintained>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT source, name, services, zones, reason, began_ms, until_ms, ended_ms FROM maintenance {which}"
    ))?;
    let rows = statement.query_map(rusqlite::params_from_iter(bounds), maintained)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn maintained(row: &Row<'_>) -> rusqlite::Result<Maintained> {
    // What cannot be read is no reason to know nothing of the rest.
    let names =
        |column| row.get::<_, String>(column).map(|json| serde_json::from_str(&json).unwrap_or_default());
    let period = Period {
        source: Source::parse(&row.get::<_, String>(0)?).unwrap_or(Source::Window),
        name: row.get(1)?,
        services: names(2)?,
        zones: names(3)?,
        reason: row.get(4)?,
        began: instant(row.get(5)?),
        until: row.get::<_, Option<i64>>(6)?.map(instant),
    };
    Ok(Maintained { period, ended: row.get::<_, Option<i64>>(7)?.map(instant) })
}
