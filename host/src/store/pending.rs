//! Commits that are accepted and not on disk yet.
//!
//! All of it goes into one transaction, so of what replaces itself (states, incidents, what checks keep) only the newest
//! is here, and of the log and the alerts all, in order. That also bounds it while the database cannot be written:
//! by the number of services, and by a limit on the rest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pihook_core::maintenance::Entry;
use pihook_core::monitor::{Commit, Incident, Logged, SavedService, Urgency};
use pihook_core::{Alert, AlertKind, IncidentId, ServiceId};
use tokio::sync::oneshot;

use super::held::Told;
use super::losses::Lost;
use super::{StoreError, kept};

/// Told once the first attempt to write the commit has ended.
pub(super) type Ack = oneshot::Sender<Result<(), StoreError>>;

/// An outcome to be logged.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) service: ServiceId,
    pub(super) logged: Logged,
    urgency: Urgency,
}

/// What the next transaction writes.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) log: VecDeque<Line>,
    pub(super) incidents: BTreeMap<IncidentId, (ServiceId, Incident)>,
    pub(super) states: BTreeMap<ServiceId, SavedService>,
    pub(super) kept: BTreeMap<ServiceId, kept::Entries>,
    pub(super) alerts: VecDeque<(ServiceId, Arc<Alert>)>,
    /// Of these alerts, and of earlier ones, what was told from memory.
    pub(super) told: Vec<Told>,
    pub(super) maintenance: Vec<Entry>,
    acks: Vec<Ack>,
    /// The most urgent commit's; none if there is nothing to write.
    urgency: Option<Urgency>,
    /// What gave way while the database could not be written.
    pub(super) lost: Lost,
}

impl Pending {
    /// Takes a commit in, with what its check wants kept.
    pub(super) fn push(&mut self, commit: Commit, kept: Option<kept::Entries>, ack: Option<Ack>) {
        let Commit { service, urgency, outcome, transition: _, incident, state, alerts } = commit;
        self.urgency = self.urgency.max(Some(urgency));
        self.acks.extend(ack);
        self.alerts.extend(alerts.into_iter().map(|alert| (service.clone(), Arc::new(alert))));
        if let Some(incident) = incident {
            self.incidents.insert(incident.id, (service.clone(), incident));
        }
        if let Some(state) = state {
            self.states.insert(service.clone(), state);
        }
        if let Some(kept) = kept {
            self.kept.insert(service.clone(), kept);
        }
        if let Some(logged) = outcome {
            self.log.push_back(Line { service, logged, urgency });
        }
    }

    /// Adds what came later.
    pub(super) fn append(&mut self, later: Pending) {
        self.log.extend(later.log);
        self.incidents.extend(later.incidents);
        self.states.extend(later.states);
        self.kept.extend(later.kept);
        self.alerts.extend(later.alerts);
        self.told.extend(later.told);
        self.maintenance.extend(later.maintenance);
        self.acks.extend(later.acks);
        self.urgency = self.urgency.max(later.urgency);
        self.lost.add(later.lost);
    }

    /// Takes note of what was told from memory.
    pub(super) fn note_told(&mut self, told: Told) {
        self.told.push(told);
        self.urgency = Some(Urgency::AtOnce);
    }

    /// Takes note of what has become of maintenance.
    pub(super) fn note_maintenance(&mut self, entries: Vec<Entry>) {
        self.maintenance.extend(entries);
        self.urgency = self.urgency.max(Some(Urgency::Soon));
    }

    /// How much there is of what may not grow without end.
    pub(super) fn len(&self) -> usize {
        self.log.len() + self.alerts.len() + self.incidents.len()
    }

    /// The most urgent commit's urgency; none if there is nothing to write.
    pub(super) fn urgency(&self) -> Option<Urgency> {
        self.urgency
    }

    /// Lets the oldest and least important give way to the limit: mere lines of the log; of alerts reminders, escalations
    /// and news that were followed by others of their service, then incidents that nobody has been told of and that are
    /// over.
    pub(super) fn bound(&mut self, limit: usize) {
        while self.log.len() > limit {
            let oldest = self.log.iter().position(|line| line.urgency == Urgency::Ordinary).unwrap_or(0);
            if let Some(line) = self.log.remove(oldest) {
                self.lost.outcome(line.logged.outcome.at);
            }
        }
        while self.alerts.len() > limit {
            if let Some(oldest) = self.least_important() {
                if let Some((_, alert)) = self.alerts.remove(oldest) {
                    self.lost.alert(alert.at);
                }
            } else if !self.drop_untold_incident() {
                break;
            }
        }
        while self.incidents.len() > limit {
            let over = self.incidents.iter().find(|(_, (_, incident))| incident.closed.is_some());
            let Some(oldest) = over.map(|(id, _)| *id) else { break };
            if let Some((_, incident)) = self.incidents.remove(&oldest) {
                self.lost.incident(incident.opened);
            }
        }
        let spare = self.maintenance.len().saturating_sub(limit);
        self.maintenance.drain(..spare);
        if self.told.len() > limit {
            self.forget_told();
        }
    }

    /// What was told of an alert that gave way needs no note; of one that is on disk already it is lost with this, and the
    /// alert may be told again.
    fn forget_told(&mut self) {
        let there: BTreeSet<_> = self.alerts.iter().map(|(_, alert)| Arc::as_ptr(alert)).collect();
        self.told.retain(|told| there.contains(&Arc::as_ptr(&told.alert)));
    }

    /// The oldest alert that can be left out by itself.
    fn least_important(&self) -> Option<usize> {
        let mut newest = BTreeMap::new();
        for (index, (service, alert)) in self.alerts.iter().enumerate() {
            if alert.kind == AlertKind::Notice {
                newest.insert(service, index);
            }
        }
        self.alerts.iter().enumerate().position(|(index, (service, alert))| match alert.kind {
            AlertKind::Reminder | AlertKind::Escalated => true,
            AlertKind::Notice => newest.get(service) != Some(&index),
            AlertKind::Opened | AlertKind::Recovered => false,
        })
    }

    /// Drops the alerts of the oldest incident whose beginning and end are both still to be told.
    fn drop_untold_incident(&mut self) -> bool {
        let of = |kind| {
            let alerts = self.alerts.iter().filter(move |(_, alert)| alert.kind == kind);
            alerts.map(|(_, alert)| alert.incident)
        };
        let ended: BTreeSet<_> = of(AlertKind::Recovered).collect();
        let Some(oldest) = of(AlertKind::Opened).find(|incident| ended.contains(incident)) else {
            return false;
        };
        self.alerts
            .iter()
            .filter(|(_, alert)| alert.incident == oldest)
            .for_each(|(_, alert)| self.lost.alert(alert.at));
        self.alerts.retain(|(_, alert)| alert.incident != oldest);
        true
    }

    /// It is on disk. Returns what had been lost.
    pub(super) fn written(self) -> Lost {
        answer(self.acks, || Ok(()));
        self.lost
    }

    /// It stays; whoever waits is told so.
    pub(super) fn deferred(&mut self) {
        answer(std::mem::take(&mut self.acks), || Err(StoreError::Deferred));
    }
}

fn answer(acks: Vec<Ack>, result: impl Fn() -> Result<(), StoreError>) {
    for ack in acks {
        // Whoever asked may have gone: the commit counts all the same.
        let _gone = ack.send(result());
    }
}

#[cfg(test)]
mod tests;
