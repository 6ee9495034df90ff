//! What the writer does, without its thread: for measurements whose clock runs faster than the world's.

use std::path::Path;

use pihook_core::monitor::Commit;
use pihook_core::{ServiceId, Summary, Timestamp};
use rusqlite::Connection;

use super::archive::Sums;
use super::pending::Pending;
use super::records::{self, Durability, RegisteredService};
use super::{Cutoff, StoreError, archive, codec, days, prune, schema};

/// A database that is written to when the caller says so.
#[derive(Debug)]
pub struct Bare(Connection);

impl Bare {
    /// Makes or opens the database and lists these services.
    ///
    /// # Errors
    /// If that fails; so with everything here.
    pub fn open(path: &Path, services: &[RegisteredService]) -> Result<Self, StoreError> {
        let mut db = schema::open(path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT)?;
        records::register(&mut db, services)?;
        Ok(Self(db))
    }

    /// Writes these in one transaction.
    pub fn write(&mut self, commits: Vec<Commit>) -> Result<(), StoreError> {
        let mut pending = Pending::default();
        for commit in commits {
            pending.push(commit, None, None);
        }
        records::write(&mut self.0, &pending, Durability::Crash)?;
        Ok(())
    }

    /// See [`super::Store::pack`].
    pub fn pack(&mut self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        archive::pack(&mut self.0, codec::millis(now), limit)
    }

    /// See [`super::Store::add_up_day`].
    pub fn add_up_day(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        days::add_up(&mut self.0, codec::millis(now))
    }

    /// Adds to the sums of the hour that begins then, in one transaction: a past that was never lived through.
    pub fn write_hour(&mut self, hour: Timestamp, sums: Vec<(ServiceId, Summary)>) -> Result<(), StoreError> {
        let tx = self.0.transaction()?;
        for (service, sum) in sums {
            let row = records::service_row(&tx, &service)?;
            archive::add(&tx, Sums::Hours, codec::millis(hour).div_euclid(archive::HOUR_MS), row, sum)?;
        }
        Ok(tx.commit()?)
    }

    /// See [`super::Store::prune_step`].
    pub fn prune_step(&mut self, cutoff: Cutoff) -> Result<bool, StoreError> {
        prune::step(&mut self.0, cutoff)
    }

    /// Copies the log into the database and closes it.
    pub fn close(self) -> Result<(), StoreError> {
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.0.close().map_err(|(_db, error)| error.into())
    }
}
