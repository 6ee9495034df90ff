//! What is known now of every service, for whoever looks: the status page, metrics, badges. It is kept in memory, so that
//! looking costs no disk, and whoever looks gets a picture that nobody changes any more.

mod recent;
mod tally;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pihook_core::maintenance::{Overdue, Period};
use pihook_core::monitor::{Incident, Muting, View};
use pihook_core::{Outcome, ServiceId, Status, Timestamp, ZoneId};
use tokio::sync::watch;

pub use recent::{Point, Recent};
pub use tally::{BOUNDS, Tally};

/// A service as services.yaml has it, as far as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its identity.
    pub id: ServiceId,
    /// What people call it.
    pub name: Arc<str>,
    /// Its zone.
    pub zone: ZoneId,
    /// The plugin that checks it.
    pub check: Arc<str>,
    /// How often it is checked; none if its outcomes are pushed in.
    pub interval: Option<Duration>,
}

/// A service and what is known of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As services.yaml has it.
    pub listed: Listed,
    /// The confirmed status; none before the first outcome.
    pub health: Option<Status>,
    /// Its newest outcome; before the first in this run of the process, the newest in the database.
    pub last: Option<Outcome>,
    /// The incident that is open.
    pub incident: Option<Incident>,
    /// When its last incident ended, if it is known to have had one.
    pub well_since: Option<Timestamp>,
    /// Whether maintenance covers it.
    pub muting: Muting,
    /// The last hour.
    pub recent: Recent,
    /// What was counted in this run of the process.
    pub tally: Tally,
}

/// All services in the file's order, as they were at one instant.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Goes up with each change.
    pub version: u64,
    /// One entry a service.
    pub entries: Vec<Arc<Entry>>,
    /// Maintenance that lasts.
    pub maintenance: Vec<Period>,
    /// How old the maintenance flag is, if it is old enough to have been forgotten.
    pub overdue: Option<Overdue>,
    /// Bytes of the database's write-ahead log, while it is far too long.
    pub long_log: Option<u64>,
}

/// What is known now of every service. Cloning is cheap, and all clones are one.
#[derive(Clone, Debug)]
pub struct Board(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Arc<Entry>>,
    index: BTreeMap<ServiceId, usize>,
    maintenance: Vec<Period>,
    overdue: Option<Overdue>,
    long_log: Option<u64>,
}

impl Board {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), version: watch::Sender::new(0) }))
    }

    /// These are the services from now on. What is known of one that stays is kept.
    pub fn list(&self, services: Vec<Listed>) {
        {
            let mut state = self.state();
            let old = State {
                entries: std::mem::take(&mut state.entries),
                index: std::mem::take(&mut state.index),
                ..State::default()
            };
            for (index, listed) in services.into_iter().enumerate() {
                let known = old.index.get(&listed.id).and_then(|index| old.entries.get(*index));
                let entry = match known {
                    Some(known) => Entry { listed: listed.clone(), ..Entry::clone(known) },
                    None => Entry::unknown(listed.clone()),
                };
                state.index.insert(listed.id, index);
                state.entries.push(Arc::new(entry));
            }
        }
        self.turn();
    }

    /// Takes in what history knows of a service, the oldest first. What is newer already stays.
    pub fn recall(&self, service: &ServiceId, outcomes: Vec<Outcome>, well_since: Option<Timestamp>) {
        self.change(service, |entry| {
            entry.well_since = entry.well_since.or(well_since);
            for outcome in &outcomes {
                entry.recent.add(outcome);
            }
            if entry.last.is_none() {
                entry.last = outcomes.into_iter().next_back();
            }
        });
    }

    /// Takes in how a service is doing, and the outcome that has changed it, if one has. Services that are not listed are
    /// PiHook's own and not shown.
    pub fn note(&self, service: &ServiceId, view: View, muting: Muting, outcome: Option<&Outcome>) {
        self.change(service, |entry| {
            entry.health = view.health.or(entry.health);
            if let (Some(_), None, Some(outcome)) = (&entry.incident, &view.incident, outcome) {
                entry.well_since = Some(outcome.at);
            }
            entry.incident = view.incident;
            entry.muting = muting;
            if let Some(outcome) = outcome {
                entry.recent.add(outcome);
                entry.tally.count(outcome);
                entry.last = Some(outcome.clone());
            }
        });
    }

    /// This is the maintenance that lasts.
    pub fn maintain(&self, lasting: Vec<Period>) {
        self.state().maintenance = lasting;
        self.turn();
    }

    /// The maintenance flag is so old, or not.
    pub fn note_overdue(&self, overdue: Option<Overdue>) {
        let before = std::mem::replace(&mut self.state().overdue, overdue);
        if before != overdue {
            self.turn();
        }
    }

    /// The database's write-ahead log is so long, or not.
    pub fn note_long_log(&self, bytes: Option<u64>) {
        self.state().long_log = bytes;
        self.turn();
    }

    /// All of it as it is now.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let version = *self.0.version.borrow();
        let state = self.state();
        let (entries, maintenance) = (state.entries.clone(), state.maintenance.clone());
        Picture { version, entries, maintenance, overdue: state.overdue, long_log: state.long_log }
    }

    /// Tells when there is something new.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    fn change(&self, service: &ServiceId, change: impl FnOnce(&mut Entry)) {
        {
            let mut state = self.state();
            let Some(index) = state.index.get(service).copied() else { return };
            let Some(entry) = state.entries.get_mut(index) else { return };
            change(Arc::make_mut(entry));
        }
        self.turn();
    }

    fn turn(&self) {
        self.0.version.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// A panic elsewhere leaves the entries whole: each change is of one entry.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

impl Entry {
    fn unknown(listed: Listed) -> Self {
        Self {
            listed,
            health: None,
            last: None,
            incident: None,
            well_since: None,
            muting: Muting::Audible,
            recent: Recent::default(),
            tally: Tally::default(),
        }
    }

    /// What is shown of it: the newest outcome's status, but a failure that is not confirmed yet is told from one that is
    /// by [`Entry::incident`]. None before the first outcome.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.last.as_ref().map(|outcome| outcome.status)
    }
}

#[cfg(test)]
mod tests;
