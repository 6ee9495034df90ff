//! Packs the checks of hours that are over, and sums them up.
//!
//! A [`Batch`] is read and summed up beside the writer, over a connection that only reads. One transaction of the writer
//! then takes its rows out of `checks`, appends them to `archive` and adds them to `rollups`. So what is in `checks` is
//! what was not summed up yet: a restart, a late row or a clock that jumped need no further care, since a row that belongs
//! to an hour that was packed before is packed and added all the same. Rows never change once they are written, and nobody
//! else removes them; a batch of which a row is gone all the same is given up.

use std::collections::{BTreeMap, BTreeSet};

use pihook_core::Summary;
use pihook_core::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::{HOUR_MS, Kind, Pack, Raw, Sums, add};
use crate::store::codec::{integer, millis};
use crate::store::{StoreError, StoreReader, days};

/// Rows of `archive` and `rollups` that one transaction writes at most.
pub(in crate::store) const ROWS: usize = 2048;

/// Checks on their way into the archive, as they were read: what is left to do is to write.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first and the last number of each stretch without a gap.
    stretches: Vec<(i64, i64)>,
    checks: usize,
    packs: Vec<Pack>,
    sums: BTreeMap<(i64, i64), Summary>,
}

impl Batch {
    /// How many checks these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.checks
    }

    /// Whether there is nothing to pack.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.checks == 0
    }

    /// Rows that its transaction writes.
    #[cfg(test)]
    pub(in crate::store) fn rows(&self) -> usize {
        self.packs.len() + self.sums.len()
    }
}

impl StoreReader {
    /// Up to `limit` checks of hours that are over, for [`crate::store::Store::pack`]. The hour of `now` and the one before it
    /// stay, and so does the newest check of each service.
    pub fn packable(&self, now: Timestamp, limit: usize) -> Result<Batch, StoreError> {
        Ok(read(self.db(), millis(now), limit)?)
    }
}

/// See [`StoreReader::packable`].
pub(in crate::store) fn read(db: &Connection, now_ms: i64, limit: usize) -> rusqlite::Result<Batch> {
    let mut raw = take(db, now_ms.div_euclid(HOUR_MS), limit)?;
    raw.truncate(within(&raw, ROWS));
    let mut batch = Batch { stretches: stretches(&raw), checks: raw.len(), ..Batch::default() };
    let mut groups: BTreeMap<(i64, i64, Kind), Vec<Raw>> = BTreeMap::new();
    for row in raw {
        let hour = row.at_ms.div_euclid(HOUR_MS);
        batch.sums.entry((hour, row.service)).or_default().record(&row.sample());
        groups.entry((hour, row.service, row.kind)).or_default().push(row);
    }
    for ((hour, service, kind), mut rows) in groups {
        rows.sort_by_key(|row| row.at_ms);
        batch.packs.extend(Pack::of(hour, service, kind, &rows));
    }
    Ok(batch)
}

/// Writes a batch in one transaction and returns how many checks it has packed: all or, if some are gone, none.
pub(in crate::store) fn pack(db: &mut Connection, batch: Batch) -> Result<usize, StoreError> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if delete(&tx, &batch.stretches)? != batch.checks {
        return Ok(0);
    }
    for pack in &batch.packs {
        pack.insert(&tx)?;
    }
    let summed_up = days::newest(&tx)?;
    for ((hour, service), sum) in batch.sums {
        let day = hour.div_euclid(days::HOURS);
        if summed_up.is_some_and(|newest| day <= newest) {
            add(&tx, Sums::Days, day, service, sum.clone())?;
        }
        add(&tx, Sums::Hours, hour, service, sum)?;
    }
    tx.commit()?;
    Ok(batch.checks)
}

/// How many of these checks fit into a transaction that writes so many rows.
fn within(raw: &[Raw], rows: usize) -> usize {
    let (mut packs, mut sums) = (BTreeSet::new(), BTreeSet::new());
    let fits = |row: &&Raw| {
        let hour = row.at_ms.div_euclid(HOUR_MS);
        packs.insert((hour, row.service, row.kind));
        sums.insert((hour, row.service));
        packs.len() + sums.len() <= rows
    };
    raw.iter().take_while(fits).count()
}

fn stretches(raw: &[Raw]) -> Vec<(i64, i64)> {
    let stretches = raw.chunk_by(|a, b| a.id + 1 == b.id);
    stretches.filter_map(|it| Some((it.first()?.id, it.last()?.id))).collect()
}

/// Deletes the rows, whose numbers ascend, and returns how many there were.
fn delete(db: &Connection, stretches: &[(i64, i64)]) -> rusqlite::Result<usize> {
    let mut delete = db.prepare_cached("DELETE FROM checks WHERE id BETWEEN ?1 AND ?2")?;
    stretches.iter().try_fold(0, |deleted, (first, last)| Ok(deleted + delete.execute([first, last])?))
}

fn take(db: &Connection, hour: i64, limit: usize) -> rusqlite::Result<Vec<Raw>> {
    let mut statement = db.prepare_cached(
        "WITH newest (id) AS (SELECT max(id) FROM checks GROUP BY service)
         SELECT c.id, c.service, s.every_ms, c.at_ms, c.response_us, c.status, c.attempts, c.in_maintenance, c.summary
         FROM checks c JOIN services s ON s.id = c.service
         WHERE (c.at_ms < ?1 OR c.at_ms >= ?2) AND c.id NOT IN newest ORDER BY c.id LIMIT ?3",
    )?;
    let bounds = params![(hour - 1) * HOUR_MS, (hour + 2) * HOUR_MS, integer(limit)];
    statement
        .query_map(bounds, |row| {
            Ok(Raw {
                id: row.get(0)?,
                service: row.get(1)?,
                every_ms: row.get(2)?,
                at_ms: row.get(3)?,
                response_us: row.get(4)?,
                kind: Kind { status: row.get(5)?, attempts: row.get(6)?, in_maintenance: row.get(7)? },
                summary: row.get(8)?,
            })
        })?
        .collect()
}
