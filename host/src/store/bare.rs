//! What the writer does, without its threads: for measurements whose clock runs faster than the world's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use pihook_core::monitor::Commit;
use pihook_core::{ServiceId, Summary, Timestamp};
use rusqlite::Connection;

use super::archive::Sums;
use super::pending::Pending;
use super::records::{self, Durability, RegisteredService};
use super::{Batch, Cutoff, StoreError, archive, codec, days, prune, schema};

/// A database that is written to when the caller says so.
#[derive(Debug)]
pub struct Bare {
    db: Connection,
    pages: Arc<AtomicI32>,
}

impl Bare {
    /// Makes or opens the database and lists these services.
    ///
    /// # Errors
    /// If that fails; so with everything here.
    pub fn open(path: &Path, services: &[RegisteredService]) -> Result<Self, StoreError> {
        let mut db = schema::open(path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT)?;
        records::register(&mut db, services)?;
        let pages = Arc::<AtomicI32>::default();
        let counted = pages.clone();
        db.wal_hook(Some(move |_log: &mut _, pages| {
            counted.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { db, pages })
    }

    /// Copies the log into the database if it is as long as it is when the daemon does so.
    pub fn checkpoint_if_due(&mut self) -> Result<(), StoreError> {
        let usual = i32::try_from(schema::Layout::CHOSEN.checkpoint).unwrap_or(i32::MAX);
        if self.pages.load(Ordering::Relaxed) >= usual {
            self.pages.store(0, Ordering::Relaxed);
            self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Writes these in one transaction.
    pub fn write(&mut self, commits: Vec<Commit>) -> Result<(), StoreError> {
        let mut pending = Pending::default();
        for commit in commits {
            pending.push(commit, None, None);
        }
        records::write(&mut self.db, &pending, Durability::Crash)?;
        Ok(())
    }

    /// See [`super::StoreReader::packable`].
    pub fn packable(&self, now: Timestamp, limit: usize) -> Result<Batch, StoreError> {
        Ok(archive::read(&self.db, codec::millis(now), limit)?)
    }

    /// See [`super::Store::pack`].
    pub fn pack(&mut self, batch: Batch) -> Result<usize, StoreError> {
        archive::pack(&mut self.db, batch)
    }

    /// See [`super::Store::add_up_day`].
    pub fn add_up_day(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        days::add_up(&mut self.db, codec::millis(now))
    }

    /// Adds to the sums of the hour that begins then, in one transaction: a past that was never lived through.
    pub fn write_hour(&mut self, hour: Timestamp, sums: Vec<(ServiceId, Summary)>) -> Result<(), StoreError> {
        let tx = self.db.transaction()?;
        for (service, sum) in sums {
            let row = records::service_row(&tx, &service)?;
            archive::add(&tx, Sums::Hours, codec::millis(hour).div_euclid(archive::HOUR_MS), row, sum)?;
        }
        Ok(tx.commit()?)
    }

    /// See [`super::Store::prune_step`].
    pub fn prune_step(&mut self, cutoff: Cutoff) -> Result<bool, StoreError> {
        prune::step(&mut self.db, cutoff)
    }

    /// Copies the log into the database and closes it.
    pub fn close(self) -> Result<(), StoreError> {
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.db.close().map_err(|(_db, error)| error.into())
    }
}
