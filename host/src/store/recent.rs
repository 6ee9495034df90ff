//! How a service has been lately.

use std::cmp::Reverse;

use pihook_core::{ServiceId, Status, Summary, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::archive::{self, HOUR_MS};
use super::codec::{count, instant, integer, millis, status_of};
use super::{LastCheck, StoreError, StoreReader};

/// How far back outcomes are looked for: a month, for a service that is checked each day. In milliseconds.
pub(super) const MONTH: i64 = 31 * DAY;

/// How far back the uptimes reach, in milliseconds.
const DAY: i64 = 86_400_000;
const WEEK: i64 = 7 * DAY;

/// A service's newest outcomes and its uptime.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// The newest outcomes, newest first.
    pub outcomes: Vec<RecentOutcome>,
    /// The share of checks of the last 24 hours that found it up or degraded, in percent of those that could tell,
    /// without maintenance; none without any.
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

impl RecentOutcome {
    fn of(check: &LastCheck) -> Self {
        let LastCheck { at, status, response_ms, in_maintenance, .. } = *check;
        Self { at, status, response_ms, in_maintenance }
    }
}

impl StoreReader {
    /// How the service was up to this moment, with so many of its newest outcomes, of the last month.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn recent(&self, service: &ServiceId, until: Timestamp, most: usize) -> Result<Recent, StoreError> {
        let Some(row) = self.row_of(service)? else { return Ok(Recent::default()) };
        let from = millis(until).saturating_sub(MONTH);
        let outcomes = self.newest(row, (from, millis(until)), most)?.iter().map(RecentOutcome::of).collect();
        // A span ends before its last edge; the outcome that is told of is the last one to count.
        let end = millis(until).saturating_add(1);
        let edges = [end.saturating_sub(WEEK), end.saturating_sub(DAY), end].map(instant);
        let series = self.series(&edges, Some(service))?;
        let spans = series.into_iter().next().map(|series| series.spans).unwrap_or_default();
        let day = spans.last().cloned().unwrap_or_default();
        let mut week = Summary::default();
        spans.iter().for_each(|span| week.merge(span));
        Ok(Recent { outcomes, uptime_day: day.uptime_percent(), uptime_week: week.uptime_percent() })
    }

    /// The newest checks from the one moment up to the other, newest first: those not packed yet, and then hour by hour
    /// backwards.
    pub(super) fn newest(
        &self,
        service: i64,
        (from, until): (i64, i64),
        most: usize,
    ) -> Result<Vec<LastCheck>, StoreError> {
        // One snapshot, so that what is packed meanwhile is neither there twice nor missing.
        let snapshot = self.db().unchecked_transaction()?;
        let mut statement = snapshot.prepare_cached(
            "SELECT at_ms, status, response_us, attempts, in_maintenance, summary FROM checks
             WHERE service = ?1 AND at_ms >= ?2 AND at_ms <= ?3 ORDER BY at_ms DESC, id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![service, from, until, integer(most)], check)?;
        let mut found: Vec<LastCheck> = rows.collect::<Result<_, _>>()?;
        // A check that came late may be older than one that is packed already, so the hour of the oldest counts.
        let mut statement = snapshot.prepare_cached(
            "SELECT a.first_ms, a.every_ms, a.status, a.attempts, a.in_maintenance, a.summary, a.checks FROM archive a
             WHERE a.hour = ?1 AND a.service = ?2",
        )?;
        for hour in (from.div_euclid(HOUR_MS)..=until.div_euclid(HOUR_MS)).rev() {
            let begins = instant(hour.saturating_mul(HOUR_MS).saturating_add(HOUR_MS));
            if most.checked_sub(1).is_none_or(|last| found.get(last).is_some_and(|it| it.at >= begins)) {
                break;
            }
            let mut rows = statement.query([hour, service])?;
            while let Some(row) = rows.next()? {
                let (status, attempts, in_maintenance) =
                    (status_of(row.get(2)?), count(row.get(3)?), row.get(4)?);
                let (summary, checks): (String, String) = (row.get(5)?, row.get(6)?);
                for check in archive::checks(&checks, row.get(0)?, row.get(1)?) {
                    if (from..=until).contains(&check.at_ms) {
                        found.push(LastCheck {
                            at: instant(check.at_ms),
                            status,
                            response_ms: check.response_us.map(milliseconds),
                            attempts,
                            summary: check.summary.unwrap_or_else(|| summary.clone()),
                            in_maintenance,
                        });
                    }
                }
            }
            found.sort_by_key(|it| Reverse(it.at));
            found.truncate(most);
        }
        Ok(found)
    }

    /// The row of a service; none if it was never seen.
    pub(super) fn row_of(&self, service: &ServiceId) -> Result<Option<i64>, StoreError> {
        let key = "SELECT id FROM services WHERE key = ?1";
        Ok(self.db().query_row(key, [service.as_str()], |row| row.get(0)).optional()?)
    }
}

fn check(row: &Row<'_>) -> rusqlite::Result<LastCheck> {
    Ok(LastCheck {
        at: instant(row.get(0)?),
        status: status_of(row.get(1)?),
        response_ms: row.get::<_, Option<i64>>(2)?.map(milliseconds),
        attempts: count(row.get(3)?),
        in_maintenance: row.get(4)?,
        summary: row.get(5)?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a response")]
fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}
