//! What explains a failure: a service that depends on another that is down cannot be told from one that is down itself.
//!
//! The canaries of a zone are a service like any other, `pihook:zone:NAME`, on which all services of the zone depend. So a
//! zone that is cut off and a router that is down are one thing here.
//!
//! A failed outcome is held until each service that it depends on has answered afresh. An answer explains the failure if
//! it says down, and came after the failing check had begun; it acquits if it says otherwise, and its check began after
//! the failing one had ended. Both may be a little older, so that many failures ask once; an acquittal only a moment, since
//! the network may have gone in between. What is not answered in time
//! counts as it is: nothing waits for ever, and nothing is silenced by a question.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{Outcome, Service, ServiceId, Status, ZoneId};

/// An answer that says down may be so much older than what it explains.
const EXPLAINS_FOR: Duration = Duration::from_secs(3);
/// An answer that says otherwise may have been asked for so much earlier than what it acquits.
const ACQUITS_FOR: Duration = Duration::from_secs(1);
/// A failed outcome waits so long for what may explain it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The ids of zones start with this; no id of a user's has a colon.
const ZONE: &str = "pihook:zone:";

/// The service that stands for the zone: down when all of its canaries fail.
#[must_use]
pub fn zone_service(zone: &ZoneId) -> ServiceId {
    ServiceId::new(&format!("{ZONE}{zone}"))
}

/// The zone that this service stands for, if it stands for one.
#[must_use]
pub fn zone_of(service: &str) -> Option<&str> {
    service.strip_prefix(ZONE)
}

/// Why a failure of whoever depends on this service is none of its own.
fn cause_of(service: &Service) -> String {
    match zone_of(service.id.as_str()) {
        Some(zone) => format!("zone {zone} is cut off"),
        None => format!("{} is down", service.name),
    }
}

/// A finished check, with the uptimes at which it began and ended.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    pub(crate) began: Duration,
    pub(crate) ended: Duration,
}

/// What is to be made of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It counts.
    Counts,
    /// Something else is down, and that is why.
    Explained(String),
    /// These have to be asked first.
    Wait(Vec<ServiceId>),
}

/// The newest answer of a service on which others depend.
#[derive(Clone, Debug)]
struct Answer {
    began: Duration,
    ended: Duration,
    /// Why others fail, if it says so.
    cause: Option<String>,
}

/// Outcomes that are held, and what is known to judge them.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    depended_on: BTreeSet<ServiceId>,
    answers: BTreeMap<ServiceId, Answer>,
    /// One at most of each service: its next check starts when this is over.
    held: BTreeMap<ServiceId, Ran>,
}

impl Silence {
    /// From now on these services.
    pub(crate) fn reconfigure<'a>(&mut self, services: impl Iterator<Item = &'a Service> + Clone) {
        let present: BTreeSet<&ServiceId> = services.clone().map(|service| &service.id).collect();
        let named = services.flat_map(|service| &service.depends_on);
        self.depended_on = named.filter(|id| present.contains(id)).cloned().collect();
        self.answers.retain(|id, _| self.depended_on.contains(id));
    }

    /// Whether others depend on it.
    pub(crate) fn is_depended_on(&self, id: &ServiceId) -> bool {
        self.depended_on.contains(id)
    }

    /// Notes how a service is on which others may depend. `cause` is why it cannot be told itself.
    pub(crate) fn note(&mut self, service: &Service, ran: &Ran, cause: Option<&str>) {
        if !self.is_depended_on(&service.id) {
            return;
        }
        let own = (ran.outcome.status == Status::Down).then(|| cause_of(service));
        let cause = cause.map(str::to_owned).or(own);
        self.answers.insert(service.id.clone(), Answer { began: ran.began, ended: ran.ended, cause });
    }

    /// Judges an outcome by what is known now. Only a service that did not answer can be explained: one that answers
    /// badly was reached.
    pub(crate) fn judge(&self, service: &Service, ran: &Ran) -> Verdict {
        if !matches!(ran.outcome.status, Status::Down | Status::Unknown) {
            return Verdict::Counts;
        }
        let mut unanswered = Vec::new();
        for id in service.depends_on.iter().filter(|id| self.depended_on.contains(id)) {
            match self.answers.get(id) {
                Some(Answer { ended, cause: Some(cause), .. })
                    if *ended >= ran.began || ended.saturating_add(EXPLAINS_FOR) >= ran.ended =>
                {
                    return Verdict::Explained(cause.clone());
                }
                Some(Answer { began, cause: None, .. }) if Self::answers(*began, ran.ended) => {}
                _ => unanswered.push(id.clone()),
            }
        }
        if unanswered.is_empty() { Verdict::Counts } else { Verdict::Wait(unanswered) }
    }

    /// Whether something that this service depends on said when last asked that it is down.
    pub(crate) fn explains(&self, service: &Service) -> bool {
        let answers = service.depends_on.iter().filter_map(|id| self.answers.get(id));
        answers.into_iter().any(|answer| answer.cause.is_some())
    }

    /// Whether a run that began then will answer what has ended at `ended`.
    pub(crate) fn answers(began: Duration, ended: Duration) -> bool {
        began.saturating_add(ACQUITS_FOR) >= ended
    }

    /// Holds an outcome.
    pub(crate) fn hold(&mut self, id: &ServiceId, ran: Ran) {
        self.held.insert(id.clone(), ran);
    }

    /// Gives the held outcome of this service back.
    pub(crate) fn release(&mut self, id: &ServiceId) -> Option<Ran> {
        self.held.remove(id)
    }

    /// The services whose outcomes are held.
    pub(crate) fn held(&self) -> Vec<ServiceId> {
        self.held.keys().cloned().collect()
    }

    /// The outcome that is held of this service.
    pub(crate) fn held_of(&self, id: &ServiceId) -> Option<&Ran> {
        self.held.get(id)
    }

    /// A service whose outcome has waited long enough.
    pub(crate) fn overdue(&self, now: Duration) -> Option<ServiceId> {
        self.held.iter().find(|(_, ran)| until(ran) <= now).map(|(id, _)| id.clone())
    }

    /// When the first outcome will have waited long enough.
    pub(crate) fn first(&self) -> Option<Duration> {
        self.held.values().map(until).min()
    }
}

fn until(ran: &Ran) -> Duration {
    ran.ended.saturating_add(PATIENCE)
}

/// The outcome as history has it when something else explains it.
pub(crate) fn explained(outcome: Outcome, cause: &str) -> Outcome {
    let summary = format!("{cause}; the check said: {}", outcome.summary);
    Outcome { status: Status::Unknown, summary, ..outcome }
}

#[cfg(test)]
mod tests;
