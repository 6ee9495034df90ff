//! How an incident begins, grows, is spoken of and ends.

use std::time::Duration;

use super::Watched;
use crate::escalation::Turn;
use crate::event::Muting;
use crate::health::Trouble;
use crate::saved::{Incident, SavedIncident};
use crate::{Alert, AlertKind, IncidentId, Moment, Outcome, Reason, SinkId, Status};

impl Watched {
    /// Writes the outcome into the open incident, if there is one, and says what is new about it.
    pub(super) fn note(&mut self, outcome: &Outcome) -> Turn {
        let real_outage = self.is_real_outage(outcome.status);
        let recovered = self.state.good_streak >= self.service.recover_after.get();
        let Some(incident) = self.state.incident.as_mut() else { return Turn::Outcome };
        if incident.held_recovery.is_some() {
            return Turn::Outcome;
        }
        incident.last_summary.clone_from(&outcome.summary);
        incident.last_response_time = outcome.response_time;
        match outcome.status {
            Status::Up if recovered => Turn::Recovered,
            Status::Up => Turn::Outcome,
            Status::Unknown if incident.record.status != Status::Unknown => Turn::Outcome,
            Status::Unknown => {
                incident.count_failures(1, outcome);
                Turn::Outcome
            }
            Status::Degraded | Status::Down => {
                incident.count_failures(1, outcome);
                if real_outage { incident.confirm(outcome.status) } else { Turn::Outcome }
            }
        }
    }

    /// Whether bad outcomes speak for the incident: one that began since PiHook could not tell has to meet as many of
    /// them as would have opened it.
    fn is_real_outage(&self, status: Status) -> bool {
        let began_bad = self.state.open_incident().is_some_and(|incident| incident.record.status.is_bad());
        let first = self.service.ladder_for(status).first().after;
        let trouble = Trouble::of(&self.state).filter(|trouble| matches!(trouble, Trouble::Bad(_)));
        began_bad || trouble.is_some_and(|trouble| trouble.meets(first, self.state.suspect_for))
    }

    pub(super) fn open(
        &mut self,
        level: u32,
        outcome: Option<&Outcome>,
        next_incident: &mut u64,
        now: Moment,
    ) {
        let Some(outcome) = outcome else { return };
        let rung = self.service.ladder_for(outcome.status).rung(level);
        let record = Incident {
            id: IncidentId(*next_incident),
            opened: self.state.suspect_since.unwrap_or(outcome.at),
            closed: None,
            severity: rung.severity,
            status: outcome.status,
            reason: outcome.summary.clone(),
            checks_failed: self.failures_so_far(),
            acknowledged: None,
        };
        *next_incident = next_incident.saturating_add(1);
        self.state.incident = Some(SavedIncident {
            record,
            status: outcome.status,
            level,
            lasted: self.state.suspect_for,
            saved_at: now.wall,
            told: Vec::new(),
            announced: false,
            maintenance: self.muting,
            since_alert: Duration::ZERO,
            held_recovery: None,
            last_summary: outcome.summary.clone(),
            last_response_time: outcome.response_time,
            flapping: false,
        });
    }

    /// It failed again before anyone heard that it was well.
    pub(super) fn reopen(&mut self, outcome: Option<&Outcome>) {
        let failures = self.failures_so_far();
        let (Some(incident), Some(outcome)) = (self.state.incident.as_mut(), outcome) else { return };
        incident.held_recovery = None;
        incident.record.closed = None;
        incident.record.acknowledged = None;
        incident.last_summary.clone_from(&outcome.summary);
        incident.last_response_time = outcome.response_time;
        incident.count_failures(failures, outcome);
        incident.confirm(outcome.status);
    }

    fn failures_so_far(&self) -> u32 {
        match Trouble::of(&self.state) {
            Some(Trouble::Bad(streak) | Trouble::Unknown(streak)) => streak,
            None => 0,
        }
    }

    pub(super) fn raise(&mut self, level: u32) {
        if let Some(incident) = &mut self.state.incident {
            incident.level = level;
        }
    }

    /// Ends the incident in history; one that has ended already stays as it is.
    pub(super) fn end(&mut self, outcome: Option<&Outcome>, now: Moment) {
        let at = outcome.map_or(now.wall, |outcome| outcome.at);
        let Some(incident) = self.state.incident.as_mut().filter(|incident| incident.held_recovery.is_none())
        else {
            return;
        };
        incident.record.closed = Some(at);
        incident.held_recovery = Some((at, incident.lasted));
        self.state.suspect_since = None;
        self.state.suspect_for = Duration::ZERO;
    }

    /// Makes the alert and remembers who was told. `from` is the level that the incident comes from.
    pub(super) fn tell(&mut self, kind: AlertKind, reason: Reason, from: u32, now: Moment) -> Option<Alert> {
        let level = self.state.incident.as_ref()?.level;
        let sinks = self.audience(kind, reason, from);
        let rung = self.ladder(None).rung(level).clone();
        let incident = self.state.incident.as_mut()?;
        let (status, severity, mention) = match kind {
            AlertKind::Recovered => (Status::Up, incident.record.severity, None),
            // News go a way of their own.
            AlertKind::Notice => return None,
            AlertKind::Opened | AlertKind::Escalated | AlertKind::Reminder => {
                incident.record.severity = incident.record.severity.max(rung.severity);
                (incident.status, rung.severity, rung.mention)
            }
        };
        incident.announced = true;
        incident.maintenance = Muting::Audible;
        incident.since_alert = Duration::ZERO;
        append_new(&mut incident.told, &sinks);
        Some(Alert {
            kind,
            reason,
            incident: incident.record.id,
            service: self.service.id.clone(),
            name: self.service.name.clone(),
            zone: self.service.zone.clone(),
            status,
            severity,
            level,
            mention,
            formatter: rung.formatter.clone(),
            at: now.wall,
            since: incident.record.opened,
            lasted: incident.held_recovery.map_or(incident.lasted, |(_, lasted)| lasted),
            failures: incident.record.checks_failed,
            summary: incident.last_summary.clone(),
            response_time: incident.last_response_time,
            sinks,
        })
    }

    /// Who hears of it: the level's sinks, and those of the levels below that know nothing yet, so that nobody is left out
    /// by a leap or a change of ladder. That it became worse hears, too, who was told that it was better; of the recovery,
    /// everybody who was told anything.
    fn audience(&self, kind: AlertKind, reason: Reason, from: u32) -> Vec<SinkId> {
        let Some(incident) = &self.state.incident else { return Vec::new() };
        let lowest = match kind {
            AlertKind::Recovered => return incident.told.clone(),
            AlertKind::Opened | AlertKind::Notice => 0,
            AlertKind::Reminder => from,
            AlertKind::Escalated => incident.level.min(from.saturating_add(1)),
        };
        let mut sinks = Vec::new();
        let ladder = self.ladder(None);
        let top = incident.level.min(ladder.top());
        for (number, rung) in (0..=top).zip(ladder.levels()) {
            let told = |sink: &&SinkId| number >= lowest.min(top) || !incident.told.contains(sink);
            append_new(&mut sinks, rung.sinks.iter().filter(told));
        }
        if reason == Reason::Worse {
            append_new(&mut sinks, &incident.told);
        }
        sinks
    }
}

impl SavedIncident {
    fn count_failures(&mut self, failures: u32, outcome: &Outcome) {
        self.record.checks_failed = self.record.checks_failed.saturating_add(failures);
        self.record.reason.clone_from(&outcome.summary);
    }

    /// The status from now on. Only a new worst is news: who was told that it is down need not hear it twice.
    fn confirm(&mut self, status: Status) -> Turn {
        self.status = status;
        if status.badness() <= self.record.status.badness() {
            return Turn::Outcome;
        }
        self.record.status = status;
        Turn::Worse
    }
}

fn append_new<'s>(sinks: &mut Vec<SinkId>, more: impl IntoIterator<Item = &'s SinkId>) {
    for sink in more {
        if !sinks.contains(sink) {
            sinks.push(sink.clone());
        }
    }
}
