//! The one thread that writes.

use std::thread;
use std::time::Duration;

use pihook_core::monitor::{Commit, Urgency};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::StoreError;
use super::pending::{Ack, Pending};
use super::records::{self, Durability};
use super::schema::BUSY_TIMEOUT;

/// Jobs that may wait for the writer; whoever comes next waits with them.
const QUEUE: usize = 256;
/// Commits that one transaction gathers at most.
const BATCH: usize = 1024;
/// Commits that are kept while the database cannot be written: seven minutes of ten a second, about 2 MB.
const KEPT: usize = 4096;
/// How long to wait before a transaction that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Something for the writer to do.
pub(super) enum Job {
    /// To be written, with whoever waits for it.
    Commit(Box<Commit>, Option<Ack>),
    /// Anything else on the same connection. It answers by itself.
    Call(Box<dyn FnOnce(&mut Connection) + Send>),
    /// Write what is pending now.
    Flush(Ack),
    /// Write what is pending, tidy up and end.
    Close(Ack),
}

/// Sizes and times, so that tests can have smaller ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub(super) commit_every: Duration,
    pub(super) busy: Duration,
    pub(super) kept: usize,
    pub(super) retry: Duration,
}

impl Tuning {
    pub(super) fn new(commit_every: Duration) -> Self {
        Self { commit_every, busy: BUSY_TIMEOUT, kept: KEPT, retry: RETRY }
    }
}

struct Writer {
    db: Connection,
    tuning: Tuning,
    pending: Pending,
    /// When the pending commits are to be written.
    due: Option<Instant>,
    trouble: Trouble,
    /// Counts the transactions that added deliveries.
    added: watch::Sender<u64>,
}

/// Whether the last transaction failed. It is told once, and again when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Reported,
}

/// Starts the thread. It ends when it is told to, or when nobody can send it a job any more.
pub(super) fn start(
    db: Connection,
    tuning: Tuning,
    added: watch::Sender<u64>,
) -> Result<mpsc::Sender<Job>, StoreError> {
    // A runtime of its own, for its timer alone: the writer depends on nobody's.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(StoreError::Thread)?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let pending = Pending::new(tuning.kept);
    let writer = Writer { db, tuning, pending, due: None, trouble: Trouble::None, added };
    thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || runtime.block_on(writer.run(queue)))
        .map_err(StoreError::Thread)?;
    Ok(jobs)
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut closing = None;
        loop {
            if self.due.is_some_and(|due| due <= Instant::now()) {
                let _reported = self.write(Durability::Crash);
                continue;
            }
            let job = match self.due {
                // Nothing may be dropped and nothing more kept: those who send wait.
                Some(due) if self.pending.is_stuck() && !queue.is_closed() => {
                    tokio::time::sleep_until(due).await;
                    continue;
                }
                Some(due) => match timeout_at(due, queue.recv()).await {
                    Ok(job) => job,
                    Err(_elapsed) => continue,
                },
                None => queue.recv().await,
            };
            match job {
                Some(Job::Commit(commit, ack)) => self.accept(commit, ack),
                Some(Job::Call(call)) => call(&mut self.db),
                Some(Job::Flush(ack)) => {
                    let _gone = ack.send(self.write(Durability::PowerCut));
                }
                Some(Job::Close(ack)) => {
                    // What was sent before this is still taken; then the queue ends.
                    queue.close();
                    closing.get_or_insert(ack);
                }
                None => return self.close(closing),
            }
        }
    }

    fn accept(&mut self, commit: Box<Commit>, ack: Option<Ack>) {
        let urgent = commit.urgency == Urgency::AtOnce;
        self.pending.push(commit, ack);
        if self.trouble == Trouble::Reported {
            // Not at once: a database that is locked would stop the engine for the busy timeout each time.
            self.pending.deferred();
        } else if urgent || self.pending.len() >= BATCH {
            let _reported = self.write(Durability::Crash);
        } else if self.due.is_none() {
            self.due = Some(Instant::now() + self.tuning.commit_every);
        }
    }

    /// Writes everything that is pending in one transaction, or keeps all of it.
    fn write(&mut self, at_least: Durability) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let durability = if self.pending.has_urgent() { Durability::PowerCut } else { at_least };
        match records::write(&mut self.db, self.pending.commits(), durability) {
            Ok(deliveries) => {
                if deliveries > 0 {
                    self.added.send_modify(|count| *count += 1);
                }
                let dropped = self.pending.written();
                self.due = None;
                if self.trouble == Trouble::Reported {
                    self.trouble = Trouble::None;
                    tracing::info!(dropped, "the database can be written again");
                }
                Ok(())
            }
            Err(error) => {
                self.pending.deferred();
                self.due = Some(Instant::now() + self.tuning.retry);
                if self.trouble == Trouble::None {
                    self.trouble = Trouble::Reported;
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        error,
                        "the database cannot be written; results are kept and tried again"
                    );
                }
                Err(StoreError::Deferred)
            }
        }
    }

    fn close(mut self, ack: Option<Ack>) {
        let mut result = self.write(Durability::PowerCut);
        if result.is_err() {
            tracing::error!(lost = self.pending.len(), "the database was closed before all could be written");
        }
        // A reader may hold the log back; then the next start does it.
        let _later = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err((_db, error)) = self.db.close() {
            result = result.and(Err(error.into()));
        }
        let _gone = ack.map(|ack| ack.send(result));
    }
}

/// Runs `work` on the writer's connection. It is durable against a power cut when this returns.
pub(super) async fn call<T, F>(jobs: &mpsc::Sender<Job>, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (ack, answer) = oneshot::channel();
    let job = Job::Call(Box::new(move |db| {
        let result = db.pragma_update(None, "synchronous", "FULL").map_err(StoreError::from);
        let _gone = ack.send(result.and_then(|()| work(db)));
    }));
    jobs.send(job).await.map_err(|_closed| StoreError::Closed)?;
    answer.await.map_err(|_closed| StoreError::Closed)?
}
