//! All services together: events in, effects out. No IO, no clock.

mod acknowledgement;
mod finish;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::agenda::Agenda;
pub use crate::event::{Commit, Effect, Event, Logged, Muting, Transition, Urgency};
use crate::maintenance::{Flag, Maintenance, Scope, Window};
pub use crate::saved::{HeldNotice, Incident, SavedIncident, SavedService, SavedState};
use crate::schedule::Schedule;
use crate::silence::Silence;
use crate::watched::{self, Watched};
use crate::{Moment, Outcome, Service, ServiceId, Status, Timestamp};

/// Maintenance that begins or ends by itself is looked at this often, since it does so by the wall clock, which may jump.
const WALL_WATCH: Duration = Duration::from_secs(60);

/// All that is known of the services and decided about them.
///
/// Its owner hands every event to [`Monitor::handle`], carries the effects out in their order, and sends
/// [`Event::Woken`] at [`Monitor::next_wakeup`]. An event costs O(log n); only a reload and a change of maintenance look
/// at every service.
#[derive(Debug)]
pub struct Monitor {
    /// In the file's order; the other fields refer to services by their place here.
    watched: Vec<Watched>,
    index: BTreeMap<ServiceId, usize>,
    schedule: Schedule,
    /// When time alone makes a service speak.
    speakers: Agenda,
    silence: Silence,
    maintenance: Maintenance,
    /// For which times on the wall clock the services are known to be muted as they are: from the first on, and before
    /// the second, if there is one.
    settled: (Timestamp, Option<Timestamp>),
    maintenance_wakeup: Option<Duration>,
    /// Goes up whenever every service was asked about.
    maintenance_looks: u64,
    next_incident: u64,
    /// What was saved of services that are not configured any more; the first event retires them.
    leftovers: Vec<(ServiceId, SavedService)>,
}

/// What services.yaml sets up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// All services, in the file's order.
    pub services: Vec<Service>,
    /// The windows of maintenance.
    pub windows: Vec<Window>,
}

impl From<Vec<Service>> for Setup {
    fn from(services: Vec<Service>) -> Self {
        Self { services, windows: Vec::new() }
    }
}

/// A service as people are shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The confirmed status; none before the first outcome, and unknown while something else explains why it fails.
    pub health: Option<Status>,
    /// Its newest outcome in this run of the process.
    pub last: Option<Outcome>,
    /// Whether a check is running.
    pub running: bool,
    /// The incident that is open.
    pub incident: Option<Incident>,
}

impl Monitor {
    /// Takes up the services with what was saved of them. The first checks and what is left to say come with the first
    /// [`Event::Woken`].
    #[must_use]
    pub fn new(setup: Setup, flag: Option<Flag>, saved: SavedState, now: Moment) -> Monitor {
        let maintenance = Maintenance { flag, windows: setup.windows };
        let services = distinct(setup.services);
        let known = saved.services.iter().filter_map(|(_, service)| service.incident.as_ref());
        let after_known = known.map(|incident| incident.record.id.0.saturating_add(1)).max();
        let mut states: BTreeMap<_, _> = saved.services.into_iter().collect();
        let schedule = Schedule::new(&services, now.uptime);
        let mut watched = Vec::with_capacity(services.len());
        let muted = scopes(&maintenance, now.wall);
        for service in services {
            let state = states.remove(&service.id).unwrap_or_default();
            let muting = muting_of(&service, &muted);
            watched.push(Watched::restore(service, state, muting, now));
        }
        let mut monitor = Monitor {
            watched,
            index: BTreeMap::new(),
            schedule,
            speakers: Agenda::new(),
            silence: Silence::default(),
            settled: (now.wall, maintenance.next_change(now.wall)),
            maintenance,
            maintenance_wakeup: None,
            maintenance_looks: 1,
            next_incident: saved.next_incident.max(after_known.unwrap_or(0)).max(1),
            leftovers: states.into_iter().filter(|(_, state)| !state.is_at_rest()).collect(),
        };
        monitor.watch_wall(now);
        monitor.reindex();
        monitor
    }

    /// Takes an event in and says what to do about it, in this order.
    pub fn handle(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let leftovers = std::mem::take(&mut self.leftovers).into_iter();
        let retired = leftovers.filter_map(|(service, state)| watched::retire(service, state, now));
        let mut effects: Vec<_> = retired.map(Effect::Commit).collect();
        if let Event::MaintenanceChanged(flag) = &event {
            self.maintenance.flag.clone_from(flag);
        }
        if matches!(event, Event::MaintenanceChanged(_)) || !self.is_settled(now.wall) {
            self.mute(now, &mut effects);
        }
        match event {
            Event::Woken | Event::MaintenanceChanged(_) => {}
            Event::CheckFinished { service, outcome } => self.finish(&service, outcome, now, &mut effects),
            Event::CheckDue { service } => {
                if let Some(index) = self.index.get(&service) {
                    self.schedule.call(*index, now.uptime);
                }
            }
            Event::Acknowledged(incident) => self.acknowledge(incident, now, &mut effects),
            Event::Reconfigured(setup) => self.reconfigure(setup, now, &mut effects),
        }
        self.watch_wall(now);
        self.count_overdue(now, &mut effects);
        self.speak(now, &mut effects);
        while let Some(index) = self.schedule.start_due(now.uptime) {
            let started = self.watched.get(index).map(|watched| watched.service().id.clone());
            effects.extend(started.map(Effect::StartCheck));
        }
        effects
    }

    /// The uptime at which [`Event::Woken`] is wanted; it may have passed already. None if only another event can bring
    /// something to do.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Duration> {
        let leftovers = (!self.leftovers.is_empty()).then_some(Duration::ZERO);
        [
            leftovers,
            self.schedule.first(),
            self.speakers.first(),
            self.silence.first(),
            self.maintenance_wakeup,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The uptime at which the next check is to start; it may have passed already. None while all are running.
    #[must_use]
    pub fn next_start(&self) -> Option<Duration> {
        self.schedule.first()
    }

    /// What to hand to [`Monitor::new`] after a restart.
    #[must_use]
    pub fn save(&self, now: Moment) -> SavedState {
        let watched = self.watched.iter().map(|watched| (watched.service().id.clone(), watched.to_save(now)));
        let services = watched.chain(self.leftovers.iter().cloned()).collect();
        SavedState { services, next_incident: self.next_incident }
    }

    /// The services, in the file's order.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.watched.iter().map(Watched::service)
    }

    /// How the service is doing; none if there is no such service.
    #[must_use]
    pub fn view(&self, service: &ServiceId) -> Option<View> {
        let index = *self.index.get(service)?;
        let watched = self.watched.get(index)?;
        Some(View {
            health: watched.health(),
            last: watched.last().cloned(),
            running: self.schedule.is_running(index),
            incident: watched.open_incident().cloned(),
        })
    }

    /// Whether maintenance covers the service; none if there is no such service.
    #[must_use]
    pub fn muting(&self, service: &ServiceId) -> Option<Muting> {
        self.watched.get(*self.index.get(service)?).map(Watched::muting)
    }

    /// Goes up whenever maintenance may have begun or ended; it starts above zero.
    #[must_use]
    pub fn maintenance_looks(&self) -> u64 {
        self.maintenance_looks
    }

    /// The flag and the windows.
    #[must_use]
    pub fn maintenance(&self) -> &Maintenance {
        &self.maintenance
    }

    /// Whether an outcome of the service waits for what may explain it.
    #[must_use]
    pub fn holds(&self, service: &ServiceId) -> bool {
        self.silence.held_of(service).is_some()
    }

    /// Lets the services speak whose time has come, each once.
    fn speak(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let mut due = Vec::new();
        while let Some(index) = self.speakers.pop_due(now.uptime) {
            due.push(index);
        }
        for index in due {
            let Some(watched) = self.watched.get_mut(index) else { continue };
            effects.extend(watched.speak(&mut self.next_incident, now).map(Effect::Commit));
            self.speakers.set(index, watched.speaks_at());
        }
    }

    /// Asks maintenance about every service.
    fn mute(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.settled = (now.wall, self.maintenance.next_change(now.wall));
        self.maintenance_looks = self.maintenance_looks.wrapping_add(1);
        let muted = scopes(&self.maintenance, now.wall);
        for (index, watched) in self.watched.iter_mut().enumerate() {
            let muting = muting_of(watched.service(), &muted);
            effects.extend(watched.mute(muting, now).map(Effect::Commit));
            self.speakers.set(index, watched.speaks_at());
        }
    }

    /// Whether nothing of maintenance has begun or ended since every service was asked about; a wall clock that was set
    /// back may have undone what has.
    fn is_settled(&self, wall: Timestamp) -> bool {
        let (from, before) = self.settled;
        from <= wall && before.is_none_or(|before| wall < before)
    }

    /// Notes when the wall clock is to be looked at again.
    fn watch_wall(&mut self, now: Moment) {
        let left = self.settled.1.map(|change| change.duration_since(now.wall));
        self.maintenance_wakeup = left.map(|left| {
            let left = Duration::try_from(left).unwrap_or_default();
            now.uptime.saturating_add(left.min(WALL_WATCH))
        });
    }

    fn reconfigure(&mut self, setup: Setup, now: Moment, effects: &mut Vec<Effect>) {
        self.maintenance.windows = setup.windows;
        self.settled = (now.wall, self.maintenance.next_change(now.wall));
        self.maintenance_looks = self.maintenance_looks.wrapping_add(1);
        let muted = scopes(&self.maintenance, now.wall);
        let services = distinct(setup.services);
        self.schedule.reconfigure(&services, &self.index, now.uptime);
        let mut before: BTreeMap<ServiceId, Watched> = std::mem::take(&mut self.watched)
            .into_iter()
            .map(|watched| (watched.service().id.clone(), watched))
            .collect();
        for service in services {
            let muting = muting_of(&service, &muted);
            let watched = match before.remove(&service.id) {
                Some(mut watched) => {
                    watched.reconfigure(service, now);
                    effects.extend(watched.mute(muting, now).map(Effect::Commit));
                    watched
                }
                None => Watched::restore(service, SavedService::default(), muting, now),
            };
            self.watched.push(watched);
        }
        let retired = before.into_values().filter_map(|watched| watched.retire(now));
        effects.extend(retired.map(Effect::Commit));
        self.reindex();
        self.judge_all_held(now, effects);
    }

    fn reindex(&mut self) {
        self.index.clear();
        self.silence.reconfigure(self.watched.iter().map(Watched::service));
        self.speakers = Agenda::new();
        for (index, watched) in self.watched.iter().enumerate() {
            self.index.insert(watched.service().id.clone(), index);
            self.speakers.set(index, watched.speaks_at());
        }
    }
}

/// Whom maintenance covers now.
fn scopes(maintenance: &Maintenance, wall: Timestamp) -> Vec<Scope<'_>> {
    maintenance.ongoing(wall).map(|ongoing| ongoing.scope).collect()
}

fn muting_of(service: &Service, muted: &[Scope<'_>]) -> Muting {
    if muted.iter().any(|scope| scope.covers(service)) { Muting::Muted } else { Muting::Audible }
}

/// The services without later ones of the same identity; the configuration refuses such a file.
fn distinct(mut services: Vec<Service>) -> Vec<Service> {
    let mut seen = BTreeSet::new();
    services.retain(|service| seen.insert(service.id.clone()));
    services
}
