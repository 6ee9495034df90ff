//! Hourly sums added up by the day, in UTC: what a page that shows a year reads.
//!
//! A day is added up once, when it is over. What is packed later for a day up to the newest that was added up goes into
//! both tables, in the transaction that packs it. So a day that was added up is the sum of its hours, always.

use std::collections::BTreeMap;

use pihook_core::Summary;
use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;
use super::archive::{self, COLUMNS, HOUR_MS, Sums};

/// Hours of a day.
pub(super) const HOURS: i64 = 24;
/// Milliseconds of a day.
pub(super) const MS: i64 = HOURS * HOUR_MS;
/// How long after its end a day is added up: its last hour has been packed by then.
const REST: i64 = 2 * HOUR_MS;

/// The newest day that was added up, counted from 1970; none if there is none.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT max(day) FROM days")?.query_row([], |row| row.get(0))
}

/// Adds up the oldest day that is over and was not; false if there is none.
pub(super) fn add_up(db: &mut Connection, now_ms: i64) -> Result<bool, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let next = newest(&tx)?.map_or(i64::MIN, |day| (day + 1) * HOURS);
    let hour: Option<i64> = tx
        .prepare_cached("SELECT min(hour) FROM rollups WHERE hour >= ?1")?
        .query_row([next], |row| row.get(0))?;
    let is_over = |day: &i64| (day + 1) * MS + REST <= now_ms;
    let Some(day) = hour.map(|hour| hour.div_euclid(HOURS)).filter(is_over) else { return Ok(false) };
    let mut sums: BTreeMap<i64, Summary> = BTreeMap::new();
    {
        let sql = format!("SELECT r.service, {COLUMNS} FROM rollups r WHERE r.hour BETWEEN ?1 AND ?2");
        let mut statement = tx.prepare_cached(&sql)?;
        let mut rows = statement.query([day * HOURS, (day + 1) * HOURS - 1])?;
        while let Some(row) = rows.next()? {
            sums.entry(row.get(0)?).or_default().merge(&archive::summary(row, 1)?);
        }
    }
    for (service, sum) in sums {
        archive::add(&tx, Sums::Days, day, service, sum)?;
    }
    tx.commit()?;
    Ok(true)
}
