//! Alerts that are decided and not on disk: while the database cannot be written they are told from memory.
//!
//! A sink's alerts are told by one at a time: whoever reads its outbox, or tells it from memory, has its turn. What was
//! told from memory is noted as ended in the transaction that brings the alert to the disk, or in one right after it, and
//! the outbox is not read before that: so nothing is told twice. A crash before that transaction may double an alert.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pihook_core::{Alert, SinkId, Timestamp};
use tokio::sync::OwnedMutexGuard;

use super::queue::Mailbox;

/// How telling from memory ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The sink has taken it.
    Sent,
    /// The sink will never take it, and why.
    Dead(String),
}

/// What is to be noted of an alert that was told from memory.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) alert: Arc<Alert>,
    pub(super) sink: SinkId,
    pub(super) ended: Ended,
    pub(super) at: Timestamp,
}

/// Who may tell each sink.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<BTreeMap<SinkId, Arc<tokio::sync::Mutex<()>>>>);

impl Gates {
    /// The sink's gate: whoever locks it has its turn.
    pub(super) fn of(&self, sink: &SinkId) -> Arc<tokio::sync::Mutex<()>> {
        // A panic elsewhere leaves the map whole.
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(sink.clone()).or_default().clone()
    }
}

/// The right to tell a sink what is in memory alone. Until it is dropped, the sink's outbox is not read.
#[derive(Debug)]
pub struct Turn {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sink: SinkId,
    pub(super) _gate: OwnedMutexGuard<()>,
}

impl Turn {
    /// The sink's oldest alert that is not on disk and was not told; none as soon as the database can be written.
    #[must_use]
    pub fn next(&self) -> Option<Arc<Alert>> {
        self.mailbox.untold(&self.sink)
    }

    /// Notes how telling it ended: it is on disk no later than the alert itself is read from there.
    pub fn ended(&self, alert: Arc<Alert>, ended: Ended, at: Timestamp) {
        self.mailbox.note_told(Told { alert, sink: self.sink.clone(), ended, at });
    }
}
