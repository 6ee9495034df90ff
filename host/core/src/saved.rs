//! What survives a restart.

use std::time::Duration;

use crate::event::Muting;
use crate::{IncidentId, ServiceId, Severity, SinkId, Status, Timestamp};

/// An incident as history shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Wall time of its first bad outcome.
    pub opened: Timestamp,
    /// Wall time of the outcome that ended it; none while it lasts.
    pub closed: Option<Timestamp>,
    /// The highest so far.
    pub severity: Severity,
    /// The worst status so far.
    pub status: Status,
    /// The newest bad outcome's summary.
    pub reason: String,
    /// Failed checks so far; as long as PiHook could only not tell, the checks that could not.
    pub checks_failed: u32,
    /// Wall time when somebody said that they see to it: nothing is told of it from then on but its end.
    pub acknowledged: Option<Timestamp>,
}

/// What survives a restart, of all services.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedState {
    /// By service. Trouble of one that is not configured any more ends in history.
    pub services: Vec<(ServiceId, SavedService)>,
    /// The number that the next incident gets, from 1.
    pub next_incident: u64,
}

/// What survives a restart, of one service. Durations instead of instants, since uptime begins anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedService {
    /// Consecutive bad outcomes; inside an incident it stops growing where no level asks for more.
    pub bad_streak: u32,
    /// Consecutive good outcomes; it stops growing at `recover_after`.
    pub good_streak: u32,
    /// Consecutive `Unknown` outcomes; bounded like the bad ones.
    pub unknown_streak: u32,
    /// Wall time of the first outcome of the bad or unknown streak; inside an incident, of the one that began it.
    pub suspect_since: Option<Timestamp>,
    /// Uptime since then, without the time that PiHook was off or the service muted.
    pub suspect_for: Duration,
    /// The incident that is open or whose recovery is still to be told.
    pub incident: Option<SavedIncident>,
    /// News that came while the service was muted, the newest alone: to be told when maintenance ends.
    pub held_notice: Option<HeldNotice>,
    /// The newest definite outcomes, for flapping: the newest is the lowest bit, 1 for a bad one.
    pub outcomes: u64,
    /// What explained the newest outcome, so that it did not count: the clocks of the ladder stand still.
    pub explained_by: Option<String>,
}

/// News that wait for the end of maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldNotice {
    /// The news.
    pub text: String,
    /// Wall time of the outcome that brought them.
    pub at: Timestamp,
}

/// What survives a restart, of an open incident.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedIncident {
    /// As history shows it.
    pub record: Incident,
    /// Confirmed status now.
    pub status: Status,
    /// The ladder's level, from 0.
    pub level: u32,
    /// How long it has lasted by uptime; what a message calls its duration.
    pub lasted: Duration,
    /// Wall time when this was saved: the time that PiHook is off from then on counts as `lasted` too.
    pub saved_at: Timestamp,
    /// Who has been told of it; empty while it is unannounced.
    pub told: Vec<SinkId>,
    /// Whether any alert was decided for it, be it to no sink.
    pub announced: bool,
    /// Whether maintenance has covered it since its last alert: when maintenance ends, it is to be spoken of.
    pub maintenance: Muting,
    /// Uptime since its last alert, without the time muted.
    pub since_alert: Duration,
    /// It ended while muted, at this wall time and after this long: the recovery is to be told when maintenance ends.
    pub held_recovery: Option<(Timestamp, Duration)>,
    /// The newest outcome's summary and response time, for alerts that time causes.
    pub last_summary: String,
    /// See `last_summary`.
    pub last_response_time: Option<Duration>,
    /// Whether it flaps: then good outcomes do not end it, and nothing is said until it has settled.
    pub flapping: bool,
}

impl SavedService {
    /// The incident that is open; one whose recovery is held is over.
    pub(crate) fn open_incident(&self) -> Option<&SavedIncident> {
        self.incident.as_ref().filter(|incident| incident.held_recovery.is_none())
    }

    /// Whether a restart would lose nothing worth mentioning.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.incident.is_none() && self.suspect_since.is_none() && self.held_notice.is_none()
    }

    /// Whether both are the same but for what moves on with every failed check.
    pub(crate) fn is_like(&self, other: &SavedService) -> bool {
        let same_incident = match (&self.incident, &other.incident) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_like(other),
            _ => false,
        };
        let streaks = |state: &SavedService| (state.bad_streak, state.good_streak, state.unknown_streak);
        same_incident
            && streaks(self) == streaks(other)
            && self.suspect_since == other.suspect_since
            && self.held_notice == other.held_notice
            && self.explained_by == other.explained_by
    }

    /// The confirmed status: `Up` as long as no incident says otherwise.
    pub(crate) fn confirmed(&self) -> Status {
        self.open_incident().map_or(Status::Up, |incident| incident.status)
    }
}

impl SavedIncident {
    fn is_like(&self, other: &SavedIncident) -> bool {
        // All fields are named, so that a new one cannot be forgotten here.
        let SavedIncident {
            record:
                Incident {
                    id,
                    opened,
                    closed,
                    severity,
                    status: worst,
                    reason: _,
                    checks_failed: _,
                    acknowledged,
                },
            status,
            level,
            lasted: _,
            saved_at: _,
            told,
            announced,
            maintenance,
            since_alert: _,
            held_recovery,
            last_summary: _,
            last_response_time: _,
            flapping,
        } = self;
        let record = &other.record;
        (*id, *opened, *closed) == (record.id, record.opened, record.closed)
            && (*severity, *worst, *acknowledged) == (record.severity, record.status, record.acknowledged)
            && (*status, *level, *announced) == (other.status, other.level, other.announced)
            && (*maintenance, *held_recovery) == (other.maintenance, other.held_recovery)
            && *flapping == other.flapping
            && *told == other.told
    }
}

impl SavedService {
    /// Lets time pass. The clocks of escalation stand still while muted; how long the incident lasts does not.
    pub(crate) fn age(&mut self, passed: Duration, muting: Muting) {
        let audible = if muting == Muting::Audible { passed } else { Duration::ZERO };
        if self.suspect_since.is_some() {
            self.suspect_for = self.suspect_for.saturating_add(audible);
        }
        if let Some(incident) = &mut self.incident {
            incident.lasted = incident.lasted.saturating_add(passed);
            incident.since_alert = incident.since_alert.saturating_add(audible);
        }
    }

    /// Marks the instant from which a restart has to count the time that PiHook was off.
    pub(crate) fn stamp(&mut self, now: Timestamp) {
        if let Some(incident) = &mut self.incident {
            incident.saved_at = now;
        }
    }

    /// Counts the time that PiHook was off; none if the wall clock claims that it ran backward.
    pub(crate) fn count_absence(&mut self, now: Timestamp) {
        if let Some(incident) = &mut self.incident {
            let absence = Duration::try_from(now.duration_since(incident.saved_at)).unwrap_or_default();
            incident.lasted = incident.lasted.saturating_add(absence);
        }
    }
}
