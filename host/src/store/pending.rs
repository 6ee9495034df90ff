//! Commits that are accepted and not on disk yet: bounded, in order.

use std::collections::VecDeque;

use pihook_core::monitor::{Commit, Urgency};
use tokio::sync::oneshot;

use super::StoreError;

/// Told once the first attempt to write the commit has ended.
pub(super) type Ack = oneshot::Sender<Result<(), StoreError>>;

struct Entry {
    commit: Box<Commit>,
    ack: Option<Ack>,
}

/// The queue before the disk. Its bound matters only while the database cannot be written.
pub(super) struct Pending {
    entries: VecDeque<Entry>,
    limit: usize,
    dropped: u64,
}

impl Pending {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), limit, dropped: 0 }
    }

    /// Appends. At the limit the oldest commit that is nothing but an outcome makes room, and is counted.
    pub(super) fn push(&mut self, commit: Box<Commit>, ack: Option<Ack>) {
        if self.entries.len() >= self.limit
            && let Some(oldest) = self.entries.iter().position(|entry| is_mere_outcome(&entry.commit))
        {
            self.entries.remove(oldest);
            self.dropped += 1;
        }
        self.entries.push_back(Entry { commit, ack });
    }

    /// Whether nothing more may be pushed: it is full, and nothing in it may be dropped.
    pub(super) fn is_stuck(&self) -> bool {
        self.entries.len() >= self.limit && !self.entries.iter().any(|entry| is_mere_outcome(&entry.commit))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn commits(&self) -> impl Iterator<Item = &Commit> {
        self.entries.iter().map(|entry| &*entry.commit)
    }

    pub(super) fn has_urgent(&self) -> bool {
        self.commits().any(|commit| commit.urgency == Urgency::AtOnce)
    }

    /// All of it is on disk. Returns how many outcomes were dropped since the last time.
    pub(super) fn written(&mut self) -> u64 {
        for entry in self.entries.drain(..) {
            answer(entry.ack, Ok(()));
        }
        // A burst must not keep its memory.
        self.entries.shrink_to(64);
        std::mem::take(&mut self.dropped)
    }

    /// All of it stays; whoever waits is told so.
    pub(super) fn deferred(&mut self) {
        for entry in &mut self.entries {
            answer(entry.ack.take(), Err(StoreError::Deferred));
        }
    }
}

fn answer(ack: Option<Ack>, result: Result<(), StoreError>) {
    // Whoever asked may have gone: the commit counts all the same.
    let _gone = ack.map(|ack| ack.send(result));
}

/// Whether only a line of the log is lost with it.
fn is_mere_outcome(commit: &Commit) -> bool {
    commit.urgency == Urgency::Ordinary
        && commit.transition.is_none()
        && commit.incident.is_none()
        && commit.state.is_none()
        && commit.alerts.is_empty()
}

#[cfg(test)]
mod tests {
    use pihook_core::monitor::Transition;
    use pihook_core::{ServiceId, Status, Timestamp};

    use super::*;

    fn commit(name: &str, urgency: Urgency) -> Box<Commit> {
        Box::new(Commit {
            service: ServiceId::new(name),
            urgency,
            outcome: None,
            transition: None,
            incident: None,
            state: None,
            alerts: Vec::new(),
        })
    }

    fn names(pending: &Pending) -> Vec<&str> {
        pending.commits().map(|commit| commit.service.as_str()).collect()
    }

    #[test]
    fn only_mere_outcomes_make_room_and_are_counted() {
        let mut pending = Pending::new(3);
        let transition = Transition { from: Status::Up, to: Status::Down, at: Timestamp::UNIX_EPOCH };
        let telling = Commit { transition: Some(transition), ..*commit("transition", Urgency::Ordinary) };
        pending.push(Box::new(telling), None);
        pending.push(commit("first", Urgency::Ordinary), None);
        pending.push(commit("urgent", Urgency::AtOnce), None);
        assert!(!pending.is_stuck());
        pending.push(commit("second", Urgency::Ordinary), None);
        assert_eq!(names(&pending), ["transition", "urgent", "second"]);
        pending.push(commit("third", Urgency::AtOnce), None);
        assert_eq!(names(&pending), ["transition", "urgent", "third"]);
        assert!(pending.is_stuck());
        assert_eq!(pending.written(), 2);
        assert!(pending.is_empty() && !pending.is_stuck());
        assert_eq!(pending.written(), 0);
    }

    #[test]
    fn whoever_waits_is_answered_once() {
        let mut pending = Pending::new(3);
        let (ack, mut answer) = oneshot::channel();
        pending.push(commit("a", Urgency::AtOnce), Some(ack));
        assert!(answer.try_recv().is_err());
        pending.deferred();
        assert!(matches!(answer.try_recv(), Ok(Err(StoreError::Deferred))));
        assert!(pending.has_urgent(), "it is kept");
        pending.written();
    }
}
