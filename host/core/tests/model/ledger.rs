//! What must hold of commits whatever happens: alerts in a sensible order, history that agrees with them, and news that
//! are told once and not lost.

use std::collections::BTreeMap;
use std::time::Duration;

use pihook_core::maintenance::Maintenance;
use pihook_core::monitor::{Commit, Incident, Muting, SavedState, Urgency, View};
use pihook_core::{
    Alert, AlertKind, IncidentId, Moment, Reason, Service, ServiceId, Severity, SinkId, Status,
};

#[derive(Default)]
pub(crate) struct Ledger {
    books: BTreeMap<ServiceId, Book>,
    newest: Option<IncidentId>,
}

#[derive(Default)]
struct Book {
    confirmed: Option<Status>,
    incidents: BTreeMap<IncidentId, Incident>,
    announced: Option<Announced>,
    /// What was said of news, so that nothing is said twice.
    news: Vec<String>,
    /// What the newest muted outcome with news said; to be told yet.
    held: Option<String>,
}

/// The incident that people know of.
struct Announced {
    incident: IncidentId,
    level: u32,
    at: Duration,
    told: Vec<SinkId>,
}

/// Whether something else explained a service's newest outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Explained {
    Yes,
    No,
}

impl Ledger {
    pub(crate) fn next_incident(&self) -> u64 {
        self.newest.map_or(1, |newest| newest.0 + 1)
    }

    /// What was saved is on disk.
    pub(crate) fn restore(&mut self, saved: &SavedState) {
        for (id, state) in &saved.services {
            if let (Some(incident), Some(book)) = (&state.incident, self.books.get_mut(id)) {
                book.incidents.insert(incident.record.id, incident.record.clone());
            }
        }
    }

    /// A reload lowered the ladder: the next alert may be on a lower level.
    pub(crate) fn forget_levels(&mut self) {
        for announced in self.books.values_mut().filter_map(|book| book.announced.as_mut()) {
            announced.level = 0;
        }
    }

    pub(crate) fn record(
        &mut self,
        commit: &Commit,
        services: &[Service],
        maintenance: &Maintenance,
        now: Moment,
        age: Duration,
    ) {
        let service = services.iter().find(|service| service.id == commit.service);
        let muted = service.is_some_and(|service| maintenance.covers(service, now.wall));
        if let Some(logged) = &commit.outcome {
            assert_eq!(logged.maintenance == Muting::Muted, muted, "each outcome says whether it was muted");
        }
        let urgent = commit.transition.is_some() || !commit.alerts.is_empty();
        assert!(!urgent || commit.urgency == Urgency::AtOnce, "news waits for nobody: {commit:?}");
        let book = self.books.entry(commit.service.clone()).or_default();
        book.transition(commit, now);
        if let Some(incident) = &commit.incident {
            if !book.incidents.contains_key(&incident.id) {
                assert!(self.newest < Some(incident.id), "numbers are never used again");
                self.newest = Some(incident.id);
            }
            book.incident(incident);
        }
        assert!(!muted || commit.alerts.is_empty(), "muted means silent: {commit:?}");
        let (news, alerts): (Vec<_>, Vec<_>) =
            commit.alerts.iter().partition(|alert| alert.kind == AlertKind::Notice);
        assert!(alerts.len() <= 1, "one alert says it all");
        for alert in alerts {
            book.alert(alert, service.unwrap(), age);
        }
        book.news(commit, &news, service, muted);
        if service.is_none() {
            assert!(commit.alerts.is_empty(), "nobody hears of a service that was removed");
            assert!(book.incidents.values().all(|incident| incident.closed.is_some()));
            assert_eq!(commit.state, Some(pihook_core::monitor::SavedService::default()));
            *book = Book::default();
        }
    }

    /// Whoever may speak has said all of its news.
    pub(crate) fn owes_no_news(&self, id: &ServiceId, muting: Muting) {
        let held = self.books.get(id).and_then(|book| book.held.as_ref());
        assert!(muting == Muting::Muted || held.is_none(), "{id} has not said: {held:?}");
    }

    /// What is not configured has no open incident.
    pub(crate) fn none_open_but(&self, services: &[Service]) {
        for (id, book) in &self.books {
            let configured = services.iter().any(|service| service.id == *id);
            assert!(configured || book.open().is_none(), "{id} has left its incident open");
        }
    }

    /// The view shows the incident that history shows.
    pub(crate) fn agree(&self, id: &ServiceId, view: &View, explained: Explained) {
        let open = self.books.get(id).and_then(Book::open);
        assert_eq!(view.incident.as_ref().map(without_progress), open.map(without_progress));
        if let (Some(shown), Some(open)) = (&view.incident, open) {
            assert!(shown.checks_failed >= open.checks_failed);
        }
        let confirmed = self.books.get(id).and_then(|book| book.confirmed).unwrap_or(Status::Up);
        match explained {
            Explained::Yes => assert_eq!(view.health, Some(Status::Unknown)),
            Explained::No => {
                let health = view.health.unwrap_or(confirmed);
                assert_eq!(health == Status::Up, confirmed == Status::Up);
            }
        }
        assert_eq!(open.is_some(), confirmed != Status::Up, "not up, so an incident; up, so none");
    }
}

/// The record without what moves on with every failed check, which is written now and then.
fn without_progress(incident: &Incident) -> Incident {
    Incident { checks_failed: 0, reason: String::new(), ..incident.clone() }
}

impl Book {
    /// News of an outcome are told with it, and held ones once they may be; each is told once.
    fn news(&mut self, commit: &Commit, told: &[&Alert], service: Option<&Service>, muted: bool) {
        let fresh = commit.outcome.as_ref().and_then(|logged| logged.outcome.notice.clone());
        if muted {
            if fresh.is_some() {
                assert!(commit.urgency >= Urgency::Soon, "what is held is on disk soon");
                let saved = commit.state.as_ref().unwrap().held_notice.as_ref();
                assert_eq!(saved.map(|held| &held.text), fresh.as_ref(), "and with the outcome");
            }
            self.held = fresh.or(self.held.take());
            return;
        }
        let held = self.held.take_if(|_| told.iter().any(|alert| alert.reason == Reason::AfterMaintenance));
        let owed: Vec<_> = [(Reason::AfterMaintenance, held), (Reason::Event, fresh)]
            .into_iter()
            .filter_map(|(reason, text)| Some((reason, text?)))
            .collect();
        let said: Vec<_> = told.iter().map(|alert| (alert.reason, alert.summary.clone())).collect();
        assert_eq!(said, owed);
        for alert in told {
            assert!(!self.news.contains(&alert.summary), "told twice: {alert:?}");
            self.news.push(alert.summary.clone());
            assert_eq!((alert.incident, alert.level), (IncidentId::NONE, 0));
            assert_eq!((alert.severity, &alert.mention), (Severity::Info, &None));
            assert_eq!(alert.sinks, service.unwrap().ladder.first().sinks);
            assert!(self.open().is_some() || alert.status == Status::Up);
        }
    }

    fn open(&self) -> Option<&Incident> {
        let mut open = self.incidents.values().filter(|incident| incident.closed.is_none());
        let first = open.next();
        assert!(open.next().is_none(), "two incidents of one service are open");
        first
    }

    fn transition(&mut self, commit: &Commit, now: Moment) {
        let Some(transition) = &commit.transition else { return };
        let before = self.confirmed.unwrap_or(Status::Up);
        assert_eq!(transition.from == Status::Up, before == Status::Up, "transitions join");
        let incident = commit.incident.as_ref().unwrap();
        if transition.from != Status::Up && transition.to != Status::Up {
            let worst = self.incidents[&incident.id].status;
            assert!(worst.badness() < transition.to.badness(), "only a new worst is news");
        }
        assert_ne!(transition.from, transition.to);
        assert_eq!(transition.at, now.wall);
        self.confirmed = Some(transition.to);
        let closed = incident.closed.is_some();
        assert_eq!(closed, transition.to == Status::Up, "it is up when, and only when, the incident is over");
    }

    fn incident(&mut self, incident: &Incident) {
        if let Some(before) = self.incidents.insert(incident.id, incident.clone()) {
            assert_ne!(&before, incident, "an unchanged record is not written again");
            assert_eq!(before.opened, incident.opened);
            assert!(before.checks_failed <= incident.checks_failed);
            assert!(before.severity <= incident.severity);
            assert!(before.status.badness() <= incident.status.badness());
        }
        assert!(incident.checks_failed > 0 && incident.status != Status::Up);
        self.open();
    }

    fn alert(&mut self, alert: &Alert, service: &Service, age: Duration) {
        let record = &self.incidents[&alert.incident];
        assert_eq!(alert.since, record.opened);
        assert_eq!(alert.failures, record.checks_failed);
        assert_eq!(record.closed.is_some(), alert.kind == AlertKind::Recovered);
        match (alert.kind, self.announced.take()) {
            (AlertKind::Opened, None) => {
                let told = alert.sinks.clone();
                self.announced =
                    Some(Announced { incident: alert.incident, level: alert.level, at: age, told });
            }
            (AlertKind::Recovered, Some(announced)) => {
                assert_eq!(announced.incident, alert.incident);
                assert_eq!(alert.sinks, announced.told, "whoever heard of it hears that it is over");
                assert_eq!(alert.status, Status::Up);
            }
            (AlertKind::Reminder | AlertKind::Escalated, Some(mut announced)) => {
                assert_eq!(announced.incident, alert.incident);
                assert!(announced.level <= alert.level, "a level never falls");
                if alert.reason == Reason::Repeat {
                    let levels: Vec<_> = service.ladder_for(record.status).levels().collect();
                    let repeat = levels[levels.len().min(alert.level as usize + 1) - 1].repeat.unwrap();
                    assert!(age - announced.at >= repeat, "reminders keep their distance");
                }
                for sink in &alert.sinks {
                    if !announced.told.contains(sink) {
                        announced.told.push(sink.clone());
                    }
                }
                self.announced = Some(Announced { level: alert.level, at: age, ..announced });
            }
            (kind, _) => panic!("{kind} has no place here: {alert:?}"),
        }
    }
}
