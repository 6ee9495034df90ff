//! How a service has been lately.

use pihook_core::{ServiceId, Status, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::codec::{instant, millis, status_of};
use super::{StoreError, StoreReader};

/// Rows that one look goes through at most, the newest ones: some tenths of a second on a Pi, and a week of 30 services
/// that are checked every minute.
const SCANNED: i64 = 300_000;

/// How far back the longest uptime reaches, in milliseconds.
const DAY: i64 = 86_400_000;
const WEEK: i64 = 7 * DAY;

/// A service's newest outcomes and its uptime.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// The newest outcomes, newest first.
    pub outcomes: Vec<RecentOutcome>,
    /// The share of checks of the last 24 hours that found it up or degraded, in percent of those that could tell,
    /// without maintenance; none without any, and if there are more rows than are looked through.
    pub uptime_day: Option<f64>,
    /// The same of the last seven days.
    pub uptime_week: Option<f64>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecentOutcome {
    /// When its first attempt began.
    pub at: Timestamp,
    /// The verdict.
    pub status: Status,
    /// How long the service took to answer, in milliseconds.
    pub response_ms: Option<f64>,
    /// Whether maintenance covered the service.
    pub in_maintenance: bool,
}

impl StoreReader {
    /// How the service was up to this moment, with so many of its newest outcomes. Goes through the newest rows alone: the
    /// table has no index.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn recent(&self, service: &ServiceId, until: Timestamp, most: usize) -> Result<Recent, StoreError> {
        let key = "SELECT id FROM services WHERE key = ?1";
        let found: Option<i64> = self.db().query_row(key, [service.as_str()], |row| row.get(0)).optional()?;
        let Some(service) = found else { return Ok(Recent::default()) };
        let newest: i64 =
            self.db().query_row("SELECT coalesce(max(id), 0) FROM checks", [], |row| row.get(0))?;
        let until = millis(until);
        let oldest = newest - SCANNED;
        let mut statement = self.db().prepare_cached(
            "SELECT at_ms, status, response_us / 1000.0, in_maintenance FROM checks
             WHERE id > ?1 AND service = ?2 AND at_ms <= ?3 ORDER BY id DESC",
        )?;
        let mut rows = statement.query(params![oldest, service, until])?;
        let (mut day, mut week) = (Tally::default(), Tally::default());
        let mut outcomes = Vec::new();
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            let status = status_of(row.get(1)?);
            let in_maintenance = row.get(3)?;
            if outcomes.len() < most {
                let response_ms = row.get(2)?;
                outcomes.push(RecentOutcome { at: instant(at), status, response_ms, in_maintenance });
            }
            let age = until.saturating_sub(at);
            if age > WEEK && outcomes.len() >= most {
                break;
            }
            for (tally, span) in [(&mut day, DAY), (&mut week, WEEK)] {
                if age <= span && !in_maintenance {
                    tally.count(status);
                }
            }
        }
        let reach = self.reach(oldest, until)?;
        Ok(Recent {
            outcomes,
            uptime_day: day.percent().filter(|_| reach >= DAY),
            uptime_week: week.percent().filter(|_| reach >= WEEK),
        })
    }

    /// How far back the rows after this one reach, in milliseconds; for ever if there are no more.
    fn reach(&self, oldest: i64, until: i64) -> Result<i64, StoreError> {
        let edge = "SELECT at_ms FROM checks WHERE id <= ?1 ORDER BY id DESC LIMIT 1";
        let left_out: Option<i64> = self.db().query_row(edge, [oldest], |row| row.get(0)).optional()?;
        Ok(left_out.map_or(i64::MAX, |at| until.saturating_sub(at)))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    good: u32,
    bad: u32,
}

impl Tally {
    fn count(&mut self, status: Status) {
        match status {
            Status::Up | Status::Degraded => self.good = self.good.saturating_add(1),
            Status::Down => self.bad = self.bad.saturating_add(1),
            Status::Unknown => {}
        }
    }

    fn percent(self) -> Option<f64> {
        let all = f64::from(self.good) + f64::from(self.bad);
        (all > 0.0).then(|| f64::from(self.good) * 100.0 / all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_does_not_count_and_degraded_is_up() {
        let mut tally = Tally::default();
        assert_eq!(tally.percent(), None);
        for status in [Status::Up, Status::Degraded, Status::Unknown, Status::Down, Status::Up] {
            tally.count(status);
        }
        assert_eq!(tally.percent(), Some(75.0));
    }
}
