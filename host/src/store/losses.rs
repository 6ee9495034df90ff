//! What memory could not hold while the database could not be written. It is noted in the transaction that ends that, so
//! nothing is lost without a word.

use std::fmt;

use pihook_core::Timestamp;
use rusqlite::{Connection, Row, params};

use super::codec::{instant, integer, millis};
use super::{StoreError, StoreReader};
use crate::words::count;

/// Times that are kept at most, the newest.
const KEPT: i64 = 1000;

/// What has given way to newer things. Its `Display` says so to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Results of checks.
    pub outcomes: u64,
    /// Incidents that were over.
    pub incidents: u64,
    /// Alerts, each of which others have followed.
    pub alerts: u64,
    /// When the first and the last of it were; none if nothing is lost.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Lost {
    /// Whether nothing is lost.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.span.is_none()
    }

    pub(super) fn outcome(&mut self, at: Timestamp) {
        self.outcomes += 1;
        self.at(at, at);
    }

    pub(super) fn incident(&mut self, at: Timestamp) {
        self.incidents += 1;
        self.at(at, at);
    }

    pub(super) fn alert(&mut self, at: Timestamp) {
        self.alerts += 1;
        self.at(at, at);
    }

    /// Adds what was lost besides.
    pub(super) fn add(&mut self, other: Lost) {
        self.outcomes += other.outcomes;
        self.incidents += other.incidents;
        self.alerts += other.alerts;
        if let Some((from, to)) = other.span {
            self.at(from, to);
        }
    }

    fn at(&mut self, from: Timestamp, to: Timestamp) {
        self.span = Some(self.span.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(self.outcomes, "result"), (self.incidents, "incident"), (self.alerts, "alert")];
        let named = counts.into_iter().filter(|(number, _)| *number > 0);
        let named: Vec<_> =
            named.map(|(number, what)| count(usize::try_from(number).unwrap_or(usize::MAX), what)).collect();
        f.write_str(&named.join(", "))
    }
}

/// Notes what is lost, if something is.
pub(super) fn insert(db: &Connection, lost: &Lost) -> rusqlite::Result<()> {
    let Some((from, to)) = lost.span else { return Ok(()) };
    db.execute(
        "INSERT INTO losses (from_ms, to_ms, outcomes, incidents, alerts) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            millis(from),
            millis(to),
            integer(lost.outcomes),
            integer(lost.incidents),
            integer(lost.alerts)
        ],
    )?;
    db.execute("DELETE FROM losses WHERE id <= ?1", [db.last_insert_rowid() - KEPT])?;
    Ok(())
}

impl StoreReader {
    /// What was lost since then, the newest first, of the newest so many times.
    pub fn losses(&self, since: Timestamp, most: usize) -> Result<Vec<Lost>, StoreError> {
        let mut statement = self.db().prepare_cached(
            "SELECT from_ms, to_ms, outcomes, incidents, alerts FROM losses WHERE to_ms >= ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![millis(since), integer(most)], lost)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn lost(row: &Row<'_>) -> rusqlite::Result<Lost> {
    let number = |column| row.get::<_, i64>(column).map(super::archive::unsigned);
    Ok(Lost {
        outcomes: number(2)?,
        incidents: number(3)?,
        alerts: number(4)?,
        span: Some((instant(row.get(0)?), instant(row.get(1)?))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_counted_with_its_times() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut lost = Lost::default();
        assert!(lost.is_nothing());
        lost.outcome(at(20));
        lost.outcome(at(10));
        let mut later = Lost::default();
        later.alert(at(30));
        lost.add(later);
        assert_eq!(lost.span, Some((at(10), at(30))));
        assert_eq!(lost.to_string(), "2 results, 1 alert");
    }
}
