//! Where commits wait for the writer: a mailbox of one, shared by everybody and never in anybody's way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pihook_core::maintenance::Entry;
use pihook_core::monitor::{Commit, Urgency};
use pihook_core::{Alert, SinkId};
use tokio::sync::{Notify, oneshot};

use super::held::Told;
use super::losses::Lost;
use super::pending::Pending;
use super::{StoreError, kept};

/// What is handed to the writer.
#[derive(Debug)]
pub(super) struct Mailbox {
    inside: Mutex<Inside>,
    bell: Notify,
    limits: Limits,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Outcomes that are gathered before the writer is woken ahead of its time.
    pub(super) batch: usize,
    /// Outcomes, alerts and incidents that are kept, of each, while the database cannot be written.
    pub(super) kept: usize,
}

#[derive(Debug, Default)]
struct Inside {
    pending: Pending,
    /// The alerts that the writer has at hand, and what was told of them: a disk that hangs must not hide them.
    writing: Vec<Arc<Alert>>,
    writing_told: Vec<Told>,
    state: State,
}

impl Inside {
    /// What the writer has had at hand is on disk, or back.
    fn put_down(&mut self) {
        self.writing = Vec::new();
        self.writing_told = Vec::new();
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// What is urgent is waited for.
    #[default]
    Open,
    /// Writing fails or takes too long: nobody waits for it.
    Deferring,
    /// Nothing is taken any more.
    Closed,
}

/// A commit's way to the disk, to be awaited with [`Receipt::written`].
#[derive(Debug)]
#[must_use = "an urgent commit is on disk once this has been awaited"]
pub struct Receipt(Waiting);

#[derive(Debug)]
enum Waiting {
    Over(Result<(), StoreError>),
    For(oneshot::Receiver<Result<(), StoreError>>),
}

impl Receipt {
    /// Returns once an urgent commit is on disk, and at once for an ordinary one.
    ///
    /// # Errors
    /// [`StoreError::Deferred`] is for information: the commit is kept and tried again until it succeeds.
    /// [`StoreError::Closed`]: the store was closed, or its thread has died.
    pub async fn written(self) -> Result<(), StoreError> {
        match self.0 {
            Waiting::Over(result) => result,
            Waiting::For(answer) => answer.await.map_err(|_closed| StoreError::Closed)?,
        }
    }
}

impl Mailbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self { inside: Mutex::default(), bell: Notify::new(), limits }
    }

    /// Takes a commit in. The writer is woken for the first one and for urgent ones: an ordinary one that joins others
    /// costs nobody anything.
    pub(super) fn put(&self, commit: Commit, kept: Option<kept::Entries>) -> Receipt {
        let mut inside = self.lock();
        let (ack, receipt) = match (inside.state, commit.urgency) {
            (State::Closed, _) => return Receipt(Waiting::Over(Err(StoreError::Closed))),
            (_, Urgency::Ordinary) => (None, Waiting::Over(Ok(()))),
            (State::Deferring, _) => (None, Waiting::Over(Err(StoreError::Deferred))),
            (State::Open, _) => {
                let (ack, answer) = oneshot::channel();
                (Some(ack), Waiting::For(answer))
            }
        };
        let first = inside.pending.urgency().is_none();
        let urgent = commit.urgency > Urgency::Ordinary;
        inside.pending.push(commit, kept, ack);
        inside.pending.bound(self.limits.kept);
        if first || urgent || inside.pending.len() == self.limits.batch {
            self.bell.notify_one();
        }
        Receipt(receipt)
    }

    /// Takes in what is to be written of maintenance.
    pub(super) fn put_maintenance(&self, entries: Vec<Entry>) {
        let mut inside = self.lock();
        if inside.state == State::Closed || entries.is_empty() {
            return;
        }
        inside.pending.note_maintenance(entries);
        inside.pending.bound(self.limits.kept);
        self.bell.notify_one();
    }

    /// Returns when [`Mailbox::put`] has something to say.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// The most urgent commit's urgency, none if there is nothing; and whether a batch is full.
    pub(super) fn look(&self) -> (Option<Urgency>, bool) {
        let inside = self.lock();
        (inside.pending.urgency(), inside.pending.len() >= self.limits.batch)
    }

    /// Takes everything out.
    pub(super) fn take(&self) -> Pending {
        let mut inside = self.lock();
        inside.writing = inside.pending.alerts.iter().map(|(_service, alert)| alert.clone()).collect();
        inside.writing_told = inside.pending.told.clone();
        std::mem::take(&mut inside.pending)
    }

    /// What was taken is on disk.
    pub(super) fn written(&self, written: Pending) -> Lost {
        let mut inside = self.lock();
        if inside.state == State::Deferring {
            inside.state = State::Open;
        }
        inside.put_down();
        written.written()
    }

    /// What was taken is not on disk: it is put back before what has come since, and nobody waits for it. What is lost by
    /// now.
    pub(super) fn put_back(&self, mut taken: Pending) -> Lost {
        let mut inside = self.lock();
        taken.append(std::mem::take(&mut inside.pending));
        taken.deferred();
        taken.bound(self.limits.kept);
        inside.put_down();
        inside.pending = taken;
        inside.state = inside.state.deferring();
        inside.pending.lost
    }

    /// The disk takes too long: from now on nobody waits for it, until it has answered.
    pub(super) fn defer(&self) {
        let mut inside = self.lock();
        inside.pending.deferred();
        inside.state = inside.state.deferring();
        self.bell.notify_one();
    }

    /// The sink's oldest alert that is not on disk and was not told, while nobody waits for the disk.
    pub(super) fn untold(&self, sink: &SinkId) -> Option<Arc<Alert>> {
        let inside = self.lock();
        if inside.state != State::Deferring {
            return None;
        }
        let told = inside.writing_told.iter().chain(&inside.pending.told);
        let told: BTreeSet<_> =
            told.filter(|told| told.sink == *sink).map(|told| Arc::as_ptr(&told.alert)).collect();
        let held = inside.writing.iter().chain(inside.pending.alerts.iter().map(|(_service, alert)| alert));
        let mut held = held.filter(|alert| alert.sinks.contains(sink));
        held.find(|alert| !told.contains(&Arc::as_ptr(alert))).cloned()
    }

    /// Takes note of what was told from memory.
    pub(super) fn note_told(&self, told: Told) {
        self.lock().pending.note_told(told);
        self.bell.notify_one();
    }

    /// Whether something that was told from memory is not noted on disk yet.
    pub(super) fn has_told(&self) -> bool {
        let inside = self.lock();
        !(inside.pending.told.is_empty() && inside.writing_told.is_empty())
    }

    /// Takes nothing any more. What is there stays.
    pub(super) fn close(&self) {
        self.lock().state = State::Closed;
    }

    /// A panic elsewhere must not stop checks: what is behind the lock is whole between two statements.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deferring(self) -> Self {
        if self == State::Closed { self } else { State::Deferring }
    }
}
