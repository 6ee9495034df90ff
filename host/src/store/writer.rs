//! The one thread that writes.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pihook_core::monitor::Urgency;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::StoreError;
use super::checkpoint::Checkpointer;
use super::losses::Lost;
use super::pending::Ack;
use super::queue::{Limits, Mailbox};
use super::records::{self, Durability};
use super::rescue;
use super::schema::{self, BUSY_TIMEOUT, Layout};
use crate::words::chain;

/// Jobs that may wait for the writer; whoever comes next waits with them.
const QUEUE: usize = 256;
/// Outcomes that one transaction gathers at most before its time.
const BATCH: usize = 1024;
/// Outcomes that are kept while the database cannot be written: seven minutes of ten a second, about 2 MB.
const KEPT: usize = 4096;
/// How long to wait before a transaction that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a lock is waited for while the database is known to be locked, and for the last checkpoint.
const IMPATIENT: Duration = Duration::from_millis(200);
/// How long to wait before a damaged database that could not be replaced is tried again.
const REPLACE_AGAIN: Duration = Duration::from_secs(60);

/// Work on the writer's connection; what is damaged, if something is.
type Call = Box<dyn FnOnce(&mut Connection) -> Option<String> + Send>;

/// Something for the writer to do besides commits.
pub(super) enum Job {
    /// Anything on the same connection. It answers by itself, and returns what is damaged if something is.
    Call(Call),
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

/// What the writer tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Counts the transactions that added deliveries.
    pub(super) added: watch::Sender<u64>,
    /// Why commits are deferred, while they are.
    pub(super) trouble: watch::Sender<Option<String>>,
    /// What was lost when it could last not be written.
    pub(super) lost: watch::Sender<Lost>,
    /// Counts the databases that were damaged and replaced.
    pub(super) replaced: watch::Sender<u64>,
    /// Bytes of the write-ahead log, while it is far longer than usual.
    pub(super) long_log: watch::Sender<Option<u64>>,
}

impl Told {
    /// Tells why commits are deferred, if that is new.
    pub(super) fn set_trouble(&self, reason: Option<String>) {
        self.trouble.send_if_modified(|told| {
            let changed = *told != reason;
            *told = reason;
            changed
        });
    }
}

struct Writer {
    db: Connection,
    path: PathBuf,
    checkpointer: Checkpointer,
    /// What is damaged, and when to try again to replace it.
    damaged: Option<(String, Instant)>,
    tuning: Tuning,
    mailbox: Arc<Mailbox>,
    /// When what is pending is to be written.
    due: Option<Instant>,
    trouble: Trouble,
    told: Told,
}

/// Whether the last transaction failed. It is logged once, and again when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Reported,
}

/// Starts the thread. It ends when it is told to, or when nobody can send it a job any more.
pub(super) fn start(
    db: Connection,
    path: PathBuf,
    tuning: Tuning,
    told: Told,
) -> Result<(mpsc::Sender<Job>, Arc<Mailbox>), StoreError> {
    // A runtime of its own, for its timer alone: the writer depends on nobody's.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(StoreError::Thread)?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let mailbox = Arc::new(Mailbox::new(Limits { batch: BATCH, kept: tuning.kept }));
    let mut db = db;
    let checkpointer = Checkpointer::start(path.clone(), told.long_log.clone())?;
    checkpointer.watch(&mut db)?;
    let writer = Writer {
        db,
        path,
        checkpointer,
        damaged: None,
        tuning,
        mailbox: mailbox.clone(),
        due: None,
        trouble: Trouble::None,
        told,
    };
    let guard = Guard(mailbox.clone());
    thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || {
            let _guard = guard;
            runtime.block_on(writer.run(queue));
        })
        .map_err(StoreError::Thread)?;
    Ok((jobs, mailbox))
}

/// Whatever ends the thread, a panic too, nobody waits for it in vain.
struct Guard(Arc<Mailbox>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.close();
        // With what is in there go those who wait.
        let _lost = self.0.take();
    }
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut closing = None;
        loop {
            let job = tokio::select! {
                biased;
                job = queue.recv() => Some(job),
                () = self.mailbox.rung() => None,
                () = until(self.due) => None,
            };
            self.write_if_due();
            match job {
                None => {}
                Some(Some(Job::Call(call))) => {
                    if let Some(damage) = call(&mut self.db) {
                        self.damaged(damage);
                    }
                }
                Some(Some(Job::Flush(ack))) => {
                    let _gone = ack.send(self.write(Durability::PowerCut));
                }
                Some(Some(Job::Close(ack))) => {
                    // What was sent before this is still taken; then the queue ends.
                    queue.close();
                    closing.get_or_insert(ack);
                }
                Some(None) => return self.close(closing),
            }
        }
    }

    /// Everything that waits goes into one transaction, so that an outage of many services is synced once.
    fn write_if_due(&mut self) {
        if self.damaged.is_some() && self.due.is_some_and(|due| due <= Instant::now()) {
            self.due = None;
            self.replace_if_due();
        }
        let (urgency, full) = self.mailbox.look();
        let Some(urgency) = urgency else {
            self.due = self.damaged.as_ref().map(|(_damage, due)| *due);
            return;
        };
        let overdue = self.due.is_some_and(|due| due <= Instant::now());
        // In trouble not at once: a database that is locked would be tried all the time.
        let at_once = self.trouble == Trouble::None && (full || urgency > Urgency::Ordinary);
        if overdue || at_once {
            let _reported = self.write(Durability::Crash);
        } else if self.due.is_none() {
            self.due = Some(Instant::now() + self.tuning.commit_every);
        }
    }

    /// Writes everything that is pending in one transaction, or keeps all of it.
    fn write(&mut self, at_least: Durability) -> Result<(), StoreError> {
        let pending = self.mailbox.take();
        let durability = match pending.urgency() {
            None => return Ok(()),
            Some(Urgency::AtOnce) => Durability::PowerCut,
            Some(Urgency::Soon | Urgency::Ordinary) => at_least,
        };
        self.replace_if_due();
        match records::write(&mut self.db, &pending, durability) {
            Ok(deliveries) => {
                if deliveries > 0 {
                    self.told.added.send_modify(|count| *count += 1);
                }
                self.due = None;
                let lost = self.mailbox.written(pending);
                // An ordinary transaction that follows must not take it back.
                if self.told.trouble.borrow().is_some() || !lost.is_nothing() {
                    self.told.lost.send_replace(lost);
                }
                self.told.set_trouble(None);
                if std::mem::replace(&mut self.trouble, Trouble::None) == Trouble::Reported {
                    let _unchanged = self.db.busy_timeout(self.tuning.busy);
                    match lost.is_nothing() {
                        true => tracing::info!("the database can be written again"),
                        false => {
                            tracing::error!(%lost, "the database can be written again; some things are lost")
                        }
                    }
                }
                Ok(())
            }
            Err(error) => {
                let lost = self.mailbox.put_back(pending);
                self.due = Some(Instant::now() + self.tuning.retry);
                if std::mem::replace(&mut self.trouble, Trouble::Reported) == Trouble::None {
                    let _unchanged = self.db.busy_timeout(self.tuning.busy.min(IMPATIENT));
                    let error: &dyn Error = &error;
                    tracing::error!(
                        error,
                        "the database cannot be written; results are kept and tried again"
                    );
                }
                let lost = if lost.is_nothing() { String::new() } else { format!("; lost so far: {lost}") };
                self.told.set_trouble(Some(format!("{}{lost}", chain(&error))));
                if let Some(damage) = error.damage() {
                    self.damaged(damage);
                }
                Err(StoreError::Deferred)
            }
        }
    }

    /// Notes that the database is damaged. It is replaced before the next transaction.
    fn damaged(&mut self, damage: String) {
        if self.damaged.is_none() {
            let now = Instant::now();
            self.damaged = Some((damage, now));
            // Also if nothing waits to be written: who has met the damage would meet it again.
            self.due = Some(now);
        }
    }

    /// Replaces a damaged database. Nobody waits for it meanwhile.
    fn replace_if_due(&mut self) {
        let Some((damage, due)) = self.damaged.take() else { return };
        if Instant::now() < due {
            self.damaged = Some((damage, due));
            return;
        }
        self.mailbox.defer();
        self.told.set_trouble(Some(format!("it is damaged and being replaced: {damage}")));
        match self.replace(&damage) {
            Ok(()) => {
                // What has waited for it.
                self.due = Some(Instant::now());
                self.told.replaced.send_modify(|count| *count += 1);
            }
            Err(error) => {
                let error: &dyn Error = &error;
                tracing::error!(error, "the damaged database is not replaced yet");
                self.damaged = Some((damage, Instant::now() + REPLACE_AGAIN));
            }
        }
    }

    fn replace(&mut self, damage: &str) -> Result<(), StoreError> {
        // The log must not be copied into a file that is being moved.
        let _paused = self.checkpointer.pause();
        // Closing must not copy the log into the damaged file, nor remove it.
        let _kept = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        self.db = Connection::open_in_memory()?;
        rescue::replace(&self.path, damage, Layout::CHOSEN)?;
        self.db = schema::open(&self.path, Layout::CHOSEN, self.tuning.busy)?;
        self.checkpointer.watch(&mut self.db)?;
        Ok(())
    }

    fn close(mut self, ack: Option<Ack>) {
        self.mailbox.close();
        let mut result = self.write(Durability::PowerCut);
        if result.is_err() {
            let lost = self.mailbox.take().len();
            tracing::error!(lost, "the database was closed before all could be written");
        }
        // A reader may hold the log back; then the next start does it.
        let _unchanged = self.db.busy_timeout(self.tuning.busy.min(IMPATIENT));
        let _later = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err((_db, error)) = self.db.close() {
            result = result.and(Err(error.into()));
        }
        let _gone = ack.map(|ack| ack.send(result));
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Runs `work` on the writer's connection. It is durable against a power cut when this returns.
pub(super) async fn call<T, F>(jobs: &mpsc::Sender<Job>, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    call_with(jobs, Durability::PowerCut, work).await
}

/// The same for work that may be done again: nobody waits for the disk to have taken it.
pub(super) async fn call_lightly<T, F>(jobs: &mpsc::Sender<Job>, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    call_with(jobs, Durability::Crash, work).await
}

async fn call_with<T, F>(jobs: &mpsc::Sender<Job>, durability: Durability, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    let (ack, answer) = oneshot::channel();
    let job = Job::Call(Box::new(move |db| {
        let result = durability.ask_of(db).map_err(StoreError::from);
        let result = result.and_then(|()| work(db));
        let damage = result.as_ref().err().and_then(StoreError::damage);
        let _gone = ack.send(result);
        damage
    }));
    jobs.send(job).await.map_err(|_closed| StoreError::Closed)?;
    answer.await.map_err(|_closed| StoreError::Closed)?
}
