//! History, state and outbox in one SQLite database.
//!
//! One thread writes; everybody else sends it jobs through a bounded queue or reads over a connection of their own.
//! A commit is one unit: its outcome, incident, state and deliveries are on disk together or not at all. Urgent ones are
//! written at once, all that wait in one transaction; ordinary outcomes are gathered up to `commit_every` and may lose
//! their last seconds to a power cut, never their order.
//!
//! Commits never wait for the disk. They go into a mailbox, where what replaces itself is there once, and the writer
//! takes out all of it at a time.
//!
//! # Wear
//! An SD card wears out by what is written, so sizes are chosen by measurement: 100 services every 10 s with
//! `commit_every: 5s`, which is 50 checks a transaction. Written to disk a check, log and checkpoints together
//! (`cargo test wear -- --nocapture` prints it):
//!
//! | page | checkpoint after 250 pages | 1000 | 4000 |
//! |---|---|---|---|
//! | 1024 B | 175 B | 161 B | 158 B |
//! | 2048 B | 217 B | 210 B | 210 B |
//! | 4096 B | 257 B | 252 B | **251 B** |
//! | 8192 B | 345 B | 337 B | 337 B |
//!
//! With services that are down all the time, of the 100: 1 of them 274 B, 5 of them 284 B, 20 of them 341 B. At a slower
//! pace fewer checks share a page: docs/performance.md has the figures of a year, from which the default of `commit_every`
//! follows.
//!
//! - Pages have 4096 B although smaller ones write less: a block of the file system is then one page, and a write torn
//!   by a power cut cannot damage a neighbour that the log has no copy of.
//! - A transaction writes whole pages, at least the last one of `checks`. So that table is appended to and has no
//!   index; a row takes 34 B. A service's newest check is found through `latest`, noted every 4096 checks.
//! - Summaries are not interned: it would save 7 B of a row, and a second table costs pages of its own.
//! - The log is copied into the database every 6000 pages (24 MB), beside the writer. At 100 checks a minute that is more than
//!   once a day, and most pages of `checks` are packed and used again by then, so they never get there: 16 B a check less
//!   with 4000 pages than with 1000. 6000 gain another 3 B.
//! - An hour of 100 services every minute is packed in one transaction, so that each page of `archive` is written once. It
//!   is read and summed up beside the writer.
//! - A service's state is a row of its own, and only written when it has changed. In a long outage that is once a minute,
//!   in the same minute for all services, and only the newest of a batch.

mod archive;
pub mod bare;
mod browse;
mod checkpoint;
mod codec;
mod days;
mod deliveries;
mod disabled;
mod dto;
mod error;
mod heartbeats;
mod held;
mod history;
mod kept;
mod losses;
mod maintenance;
mod outbox;
mod pending;
mod prune;
mod queue;
mod reader;
mod recent;
mod records;
mod rescue;
mod schema;
mod service;
mod sink_memory;
pub mod upkeep;
mod weeks;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::maintenance::{Entry, Period};
use pihook_core::monitor::{Commit, SavedState};
use pihook_core::{Alert, ServiceId, Timestamp, Week};
use tokio::sync::{mpsc, oneshot, watch};

use crate::heartbeats::Record;

pub use archive::Batch;
pub use browse::{DeliveryRow, IncidentRow, WantedDeliveries, WantedIncidents};
pub use checkpoint::{long_log, words as long_log_words};
pub use disabled::DisabledSink;
pub use error::StoreError;
pub use held::{Ended, Turn};
pub use history::{Series, WeekNote};
pub use kept::Entries as KeptEntries;
pub use losses::Lost;
pub use maintenance::Maintained;
pub use outbox::{Delivery, Waiting};
pub use prune::Cutoff;
pub use queue::Receipt;
pub use reader::{DeliveryState, LastCheck, OpenIncident, ServiceRow, StoreReader, UndeliveredRow};
pub use recent::{Recent, RecentOutcome};
pub use records::RegisteredService;
pub use service::{DayMarks, Fate, Story, Telling};

use held::Gates;
use queue::Mailbox;
use writer::{Job, Told, Tuning};

/// The way to the database's writer. Clones share it; when the last is dropped, what is pending is written.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    mailbox: Arc<Mailbox>,
    gates: Arc<Gates>,
    told: Told,
}

impl Store {
    /// Opens the database, made with mode 0600 if it is missing, and brings an older format up to date.
    ///
    /// Ordinary commits wait for others up to `commit_every`. Blocks; the file is not touched if a newer PiHook or
    /// another program has written it. One that is damaged is moved aside, and a fresh one has what could be read.
    pub fn open(path: &Path, commit_every: Duration) -> Result<Self, StoreError> {
        Self::open_tuned(path, Tuning::new(commit_every))
    }

    fn open_tuned(path: &Path, tuning: Tuning) -> Result<Self, StoreError> {
        let db = rescue::open(path, schema::Layout::CHOSEN, tuning.busy)?;
        let told = Told::default();
        let (jobs, mailbox) = writer::start(db, path.to_owned(), tuning, told.clone())?;
        Ok(Self { jobs, mailbox, gates: Arc::default(), told })
    }

    /// Writes a commit; see [`Store::submit`] and [`Receipt::written`].
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.submit(commit, None).written().await
    }

    /// Takes a commit in, with what the outcome's check wants kept, and never waits. An ordinary one is written with
    /// others; one that is `Soon` or `AtOnce` takes all that wait with it, and its receipt says when it is written.
    /// What is submitted first is on disk no later than what follows.
    ///
    /// While the database cannot be written, as much is kept as memory allows: the newest state of every service
    /// whatever happens, and of outcomes, incidents and alerts some thousands each, of which then the oldest are lost.
    pub fn submit(&self, commit: Commit, kept: Option<KeptEntries>) -> Receipt {
        self.mailbox.put(commit, kept)
    }

    /// Takes in what is to be written of maintenance, and never waits; it is written soon. While the database cannot be
    /// written, the newest some thousands are kept.
    pub fn note_maintenance(&self, entries: Vec<Entry>) {
        self.mailbox.put_maintenance(entries);
    }

    /// A receipt was awaited for too long, as it is when a disk hangs: nobody waits for the disk until it has answered.
    pub fn stop_waiting(&self) {
        self.told.set_trouble(Some("the disk does not answer".to_owned()));
        self.mailbox.defer();
    }

    /// Writes what is pending now.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Job::Flush).await
    }

    /// Writes what is pending and closes the database. Every later call returns [`StoreError::Closed`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.ask(Job::Close).await
    }

    /// Replaces the list of configured services, in the file's order. What is gone keeps its history.
    pub async fn register(&self, services: Vec<RegisteredService>) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| records::register(db, &services)).await
    }

    /// Gives something that PiHook watches of itself its name in history, without listing it as a service.
    pub async fn register_internal(&self, service: RegisteredService) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| records::describe(db, &service, None)).await
    }

    /// Everything that is to be restored after a restart. An unreadable state is logged and left out; its incident ends
    /// in history.
    pub async fn load_state(&self) -> Result<SavedState, StoreError> {
        writer::call(&self.jobs, |db| records::load_state(db)).await
    }

    /// Maintenance that lasts as far as history knows.
    pub async fn lasting_maintenance(&self) -> Result<Vec<Period>, StoreError> {
        writer::call(&self.jobs, |db| maintenance::lasting(db)).await
    }

    /// What the services' checks have kept.
    pub async fn load_kept(&self) -> Result<BTreeMap<ServiceId, KeptEntries>, StoreError> {
        writer::call(&self.jobs, |db| kept::load(db)).await
    }

    /// Writes what [`StoreReader::packable`] has found, and returns how many checks are packed: all of it, or none if some
    /// are gone since. A power cut may undo it, as a whole.
    pub async fn pack(&self, batch: Batch) -> Result<usize, StoreError> {
        writer::call_lightly(&self.jobs, move |db| archive::pack(db, batch)).await
    }

    /// Adds up the hours of the oldest day that is over and was not; false if there is none.
    pub async fn add_up_day(&self, now: Timestamp) -> Result<bool, StoreError> {
        writer::call_lightly(&self.jobs, move |db| days::add_up(db, codec::millis(now))).await
    }

    /// Removes a little of what is too old; false if there is nothing left to do. A power cut may undo it.
    pub async fn prune_step(&self, cutoff: Cutoff) -> Result<bool, StoreError> {
        writer::call_lightly(&self.jobs, move |db| prune::step(db, cutoff)).await
    }

    /// Notes that the week's file was written.
    pub async fn week_written(&self, week: Week) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| weeks::written(db, week)).await
    }

    /// Notes that old checks were pruned after the week.
    pub async fn week_pruned(&self, week: Week, at: Timestamp) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| weeks::pruned(db, week, at)).await
    }

    /// Puts the week's digest into the outbox, unless that was done before: exactly once.
    pub async fn tell_week(&self, week: Week, alert: Alert) -> Result<(), StoreError> {
        let added = writer::call(&self.jobs, move |db| weeks::tell(db, week, &alert)).await?;
        if added > 0 {
            self.told.added.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    /// Replaces what is kept under this service's name, of which no commit may be pending. Survives a power cut when it
    /// returns.
    pub async fn keep(&self, service: ServiceId, entries: KeptEntries) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| {
            let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            kept::save(&tx, records::service_row(&tx, &service)?, &entries)?;
            Ok(tx.commit()?)
        })
        .await
    }

    /// From now on signs of life of these services are waited for: new ones since `now`, and what was known of others goes.
    /// What is known of them.
    pub async fn wait_for(
        &self,
        services: BTreeSet<ServiceId>,
        now: Timestamp,
    ) -> Result<Vec<Record>, StoreError> {
        writer::call(&self.jobs, move |db| heartbeats::wait_for(db, &services, now)).await
    }

    /// Writes what is known of signs of life. Survives a power cut when it returns.
    pub async fn save_heartbeats(&self, records: Vec<Record>) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| heartbeats::save(db, &records)).await
    }

    /// Why commits are deferred, as long as they are: kept in memory, since the database cannot be written.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.told.trouble.subscribe()
    }

    /// What was lost when the database could last not be written; as of its end.
    #[must_use]
    pub fn lost(&self) -> watch::Receiver<Lost> {
        self.told.lost.subscribe()
    }

    /// How long the write-ahead log is, in bytes, while somebody who reads without end keeps it from being emptied.
    #[must_use]
    pub fn long_log(&self) -> watch::Receiver<Option<u64>> {
        self.told.long_log.subscribe()
    }

    /// Changes whenever a damaged database was replaced by a fresh one while this store was open.
    #[must_use]
    pub fn replaced(&self) -> watch::Receiver<u64> {
        self.told.replaced.subscribe()
    }

    /// What is still to be told of a database that was damaged, in words for people. A commit of the service
    /// `pihook:database` that keeps nothing forgets it.
    pub async fn damage(&self) -> Result<Option<String>, StoreError> {
        writer::call(&self.jobs, |db| rescue::news(db)).await
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).await.map_err(|_closed| StoreError::Closed)
    }

    async fn ask(&self, job: impl FnOnce(pending::Ack) -> Job) -> Result<(), StoreError> {
        let (ack, answer) = oneshot::channel();
        self.send(job(ack)).await?;
        answer.await.map_err(|_closed| StoreError::Closed)?
    }
}

#[cfg(test)]
mod tests;
