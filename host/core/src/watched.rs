//! One service under watch: its state, and what an outcome, the time or the flag makes of it.

mod acknowledged;
mod flapping;
mod incident;
mod notice;
mod silenced;

use std::time::Duration;

use crate::escalation::{self, Next, Situation, Stage, Told, Turn};
use crate::event::{Commit, Logged, Muting, Transition, Urgency};
use crate::health::{self, Limits, Trouble};
use crate::saved::{Incident, SavedService};
use crate::{Alert, Ladder, Moment, Outcome, Service, ServiceId, Status};

/// The clocks and counts of a long outage are handed out once in each of these spans of uptime. All services keep the
/// same spans, so that many outages share the pages that they rewrite.
const SPAN: Duration = Duration::from_secs(60);

/// One service and all that is known of it.
#[derive(Debug)]
pub(crate) struct Watched {
    service: Service,
    state: SavedService,
    /// The state as it was last handed out to be saved.
    saved: SavedService,
    /// The uptime at which that was.
    saved_at: Duration,
    muting: Muting,
    /// The uptime up to which the state's clocks have been counted.
    as_of: Duration,
    health: Option<Status>,
    last: Option<Outcome>,
}

/// What a commit is compared with.
struct Before {
    confirmed: Status,
    counting: (u32, u32),
    record: Option<Incident>,
}

/// What the table made of a situation.
struct Settled {
    alerts: Vec<Alert>,
    record: Option<Incident>,
}

impl Watched {
    /// Takes up a service, with what was saved of it.
    pub(crate) fn restore(service: Service, saved: SavedService, muting: Muting, now: Moment) -> Self {
        let mut state = saved.clone();
        state.count_absence(now.wall);
        let health = state
            .open_incident()
            .map(|incident| incident.status)
            .or_else(|| (state.good_streak > 0).then_some(Status::Up));
        let as_of = now.uptime;
        let muted = Muting::Audible;
        let mut watched =
            Self { service, state, saved, saved_at: as_of, muting: muted, as_of, health, last: None };
        watched.fit_ladder();
        watched.set_muting(muting);
        watched
    }

    /// The service.
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// Whether it is muted.
    pub(crate) fn muting(&self) -> Muting {
        self.muting
    }

    /// The confirmed status; none before it is known, and unknown while something else explains why it fails.
    pub(crate) fn health(&self) -> Option<Status> {
        if self.is_explained() { Some(Status::Unknown) } else { self.health }
    }

    /// Whether something else explained its newest outcome.
    pub(crate) fn is_explained(&self) -> bool {
        self.state.explained_by.is_some()
    }

    /// Its newest outcome in this run of the process.
    pub(crate) fn last(&self) -> Option<&Outcome> {
        self.last.as_ref()
    }

    /// The incident that is open.
    pub(crate) fn open_incident(&self) -> Option<&Incident> {
        self.state.open_incident().map(|incident| &incident.record)
    }

    /// The state to restore, as of now.
    pub(crate) fn to_save(&self, now: Moment) -> SavedService {
        let mut state = self.state.clone();
        state.age(now.since(self.as_of), self.clocks());
        state.stamp(now.wall);
        state
    }

    /// The uptime at which time alone makes it speak.
    pub(crate) fn speaks_at(&self) -> Option<Duration> {
        let news = (self.muting == Muting::Audible && self.holds_news()).then_some(Duration::ZERO);
        let silent_for = || self.situation(Turn::Time, None).silent_for();
        let keeps_quiet = self.is_explained() || self.is_acknowledged();
        let of_incident = if keeps_quiet { None } else { silent_for() };
        let silence = [of_incident, news].into_iter().flatten().min();
        silence.map(|silence| self.as_of.saturating_add(silence))
    }

    /// Takes an outcome in. `next_incident` is the number that a new incident takes.
    pub(crate) fn observe(&mut self, outcome: Outcome, next_incident: &mut u64, now: Moment) -> Commit {
        self.age(now);
        let before = self.before();
        health::count(&mut self.state, &outcome, Limits::of(&self.service));
        self.state.explained_by = None;
        let turn = self.note(&outcome);
        let turn = self.flap(&outcome, turn);
        let mut settled = self.settle(turn, Some(&outcome), next_incident, now);
        settled.alerts.extend(self.tell_news(Some(&outcome), now));
        let confirmed = self.state.confirmed();
        if outcome.status == Status::Up || self.state.open_incident().is_some() {
            self.health = Some(confirmed);
        }
        self.last = Some(outcome.clone());
        let mut commit = self.commit(&before, settled, now);
        commit.outcome = Some(Logged { outcome, maintenance: self.muting });
        commit
    }

    /// Says what time alone makes due; nothing if there is nothing to say.
    pub(crate) fn speak(&mut self, next_incident: &mut u64, now: Moment) -> Option<Commit> {
        self.age(now);
        let before = self.before();
        // What cannot be told now says nothing, be it late: time may have passed for something else.
        let mut settled = if self.is_explained() {
            Settled { alerts: Vec::new(), record: before.record.clone() }
        } else {
            self.settle(Turn::Time, None, next_incident, now)
        };
        settled.alerts.extend(self.tell_news(None, now));
        (!settled.alerts.is_empty()).then(|| self.commit(&before, settled, now))
    }

    /// Maintenance covers it or does not. What its end gives rise to is for [`Watched::speak`].
    pub(crate) fn mute(&mut self, muting: Muting, now: Moment) -> Option<Commit> {
        if muting == self.muting {
            return None;
        }
        self.age(now);
        let before = self.before();
        self.set_muting(muting);
        let settled = Settled { alerts: Vec::new(), record: before.record.clone() };
        let worth_saving = muting == Muting::Muted && self.state.incident.is_some();
        worth_saving.then(|| self.commit(&before, settled, now))
    }

    /// The configuration has changed, perhaps not for this service. The clocks are brought up to date first.
    pub(crate) fn reconfigure(&mut self, service: Service, now: Moment) {
        self.age(now);
        self.service = service;
        self.fit_ladder();
    }

    /// It is not configured any more: its incident ends in history, and nothing is left to restore.
    pub(crate) fn retire(self, now: Moment) -> Option<Commit> {
        retire(self.service.id, self.state, now)
    }

    fn age(&mut self, now: Moment) {
        self.state.age(now.since(self.as_of), self.clocks());
        self.as_of = self.as_of.max(now.uptime);
    }

    /// Whether the clocks of the ladder run: they stand still under maintenance, and while something else explains why
    /// it fails.
    fn clocks(&self) -> Muting {
        if self.is_explained() { Muting::Muted } else { self.muting }
    }

    fn set_muting(&mut self, muting: Muting) {
        self.muting = muting;
        if let Some(incident) = self.state.incident.as_mut().filter(|_| muting == Muting::Muted) {
            incident.maintenance = Muting::Muted;
        }
    }

    fn fit_ladder(&mut self) {
        if self.service.flap.is_none() {
            self.forget_flapping();
        }
        if self.service.depends_on.is_empty() {
            self.state.explained_by = None;
        }
        let top = self.service.ladders().map(Ladder::top).max();
        if let (Some(incident), Some(top)) = (&mut self.state.incident, top) {
            incident.level = incident.level.min(top);
        }
    }

    /// The ladder of the open incident. Without one, the outcome that may open it says which.
    fn ladder(&self, outcome: Option<&Outcome>) -> &Ladder {
        let worst = self.state.open_incident().map(|incident| incident.record.status);
        let worst = worst.or(outcome.map(|outcome| outcome.status)).unwrap_or(Status::Unknown);
        self.service.ladder_for(worst)
    }

    fn situation(&self, turn: Turn, outcome: Option<&Outcome>) -> Situation<'_> {
        let stage = match &self.state.incident {
            None => Stage::Closed,
            Some(incident) if incident.held_recovery.is_some() => Stage::Held,
            Some(incident) => {
                let told = match (incident.announced, incident.maintenance) {
                    (false, _) => Told::Never,
                    (true, Muting::Muted) => Told::BeforeMaintenance,
                    (true, Muting::Audible) => Told::UpToDate,
                };
                let stage = if incident.flapping { Stage::Flapping } else { Stage::Open };
                stage(incident.level, told)
            }
        };
        Situation {
            ladder: self.ladder(outcome),
            stage,
            muting: self.muting,
            turn,
            trouble: self.trouble_of_incident(),
            elapsed: self.state.suspect_for,
            since_alert: self.state.incident.as_ref().map_or(Duration::ZERO, |incident| incident.since_alert),
        }
    }

    /// The trouble that levels look at. In an incident that began since PiHook could not tell, bad outcomes are looked
    /// at once they confirm an outage, which [`Watched::note`] decides.
    fn trouble_of_incident(&self) -> Option<Trouble> {
        let unclear =
            self.state.open_incident().is_some_and(|incident| incident.record.status == Status::Unknown);
        Trouble::of(&self.state).filter(|trouble| !(unclear && matches!(trouble, Trouble::Bad(_))))
    }

    /// Looks up the table and goes where it says.
    fn settle(
        &mut self,
        turn: Turn,
        outcome: Option<&Outcome>,
        next_incident: &mut u64,
        now: Moment,
    ) -> Settled {
        let (next, news) = escalation::decide(&self.situation(turn, outcome));
        let news = news.filter(|(kind, _)| self.may_tell(*kind));
        let from = self.state.incident.as_ref().map_or(0, |incident| incident.level);
        match next {
            Next::Stay => {}
            Next::Open(level) => self.open(level, outcome, next_incident, now),
            Next::OpenFlapping => {
                self.open(0, outcome, next_incident, now);
                self.start_flapping();
            }
            Next::ReopenFlapping => {
                self.reopen(outcome);
                self.start_flapping();
            }
            Next::Flap => self.start_flapping(),
            Next::Reopen => self.reopen(outcome),
            Next::Level(level) => self.raise(level),
            Next::Hold | Next::Close => self.end(outcome, now),
        }
        let alerts = news.and_then(|(kind, reason)| self.tell(kind, reason, from, now)).into_iter().collect();
        let record = self.record();
        if next == Next::Close {
            self.state.incident = None;
        }
        Settled { alerts, record }
    }

    fn record(&self) -> Option<Incident> {
        self.state.incident.as_ref().map(|incident| incident.record.clone())
    }

    fn before(&self) -> Before {
        Before { confirmed: self.state.confirmed(), counting: self.counting(), record: self.record() }
    }

    /// The streaks of trouble as far as a restart must not lose them.
    fn counting(&self) -> (u32, u32) {
        Limits::of(&self.service).counting(&self.state)
    }

    fn commit(&mut self, before: &Before, settled: Settled, now: Moment) -> Commit {
        let confirmed = self.state.confirmed();
        let worst = |record: &Option<Incident>| record.as_ref().map(|record| (record.id, record.status));
        let worse = worst(&settled.record) != worst(&before.record);
        let came_or_went = (confirmed == Status::Up) != (before.confirmed == Status::Up);
        let transition = (confirmed != before.confirmed && (came_or_went || worse)).then_some(Transition {
            from: before.confirmed,
            to: confirmed,
            at: now.wall,
        });
        let suspicion_changed = self.state.open_incident().is_none() && self.counting() != before.counting;
        let holding_changed = self.state.held_notice != self.saved.held_notice;
        let urgency = match (
            transition.is_some() || !settled.alerts.is_empty(),
            suspicion_changed || holding_changed,
        ) {
            (true, _) => Urgency::AtOnce,
            (false, true) => Urgency::Soon,
            (false, false) => Urgency::Ordinary,
        };
        let (incident, state) = self.changed(settled.record, urgency, now).unwrap_or_default();
        Commit {
            service: self.service.id.clone(),
            urgency,
            outcome: None,
            transition,
            incident,
            state,
            alerts: settled.alerts,
        }
    }

    /// What is new of the incident and the state. What moves on with every failed check is no news of its own before
    /// the next span, so that an outage does not wear the disk; both go together, so that they never disagree.
    fn changed(
        &mut self,
        record: Option<Incident>,
        urgency: Urgency,
        now: Moment,
    ) -> Option<(Option<Incident>, Option<SavedService>)> {
        let span = |uptime: Duration| uptime.as_secs() / SPAN.as_secs();
        let same_span = span(now.uptime) == span(self.saved_at);
        let mere_progress = urgency != Urgency::AtOnce && self.state.is_like(&self.saved);
        if self.state == self.saved || (mere_progress && same_span) {
            return None;
        }
        let written = self.saved.incident.as_ref().map(|incident| &incident.record);
        let record = record.filter(|record| written != Some(record));
        self.state.stamp(now.wall);
        self.saved = self.state.clone();
        self.saved_at = now.uptime;
        Some((record, Some(self.state.clone())))
    }
}

/// A service is not configured any more: its incident ends in history, and nothing is left to restore. It left and did
/// not become well, so nobody hears of it.
pub(crate) fn retire(service: ServiceId, state: SavedService, now: Moment) -> Option<Commit> {
    if state.is_at_rest() {
        return None;
    }
    let open = state.incident.map(|incident| incident.record).filter(|record| record.closed.is_none());
    Some(Commit {
        service,
        urgency: Urgency::AtOnce,
        outcome: None,
        transition: None,
        incident: open.map(|record| Incident { closed: Some(now.wall.max(record.opened)), ..record }),
        state: Some(SavedService::default()),
        alerts: Vec::new(),
    })
}
