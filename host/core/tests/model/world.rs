//! A world around the monitor: services, two clocks, a flag, and a ledger that watches every commit.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::maintenance::{Flag, Maintenance, Window};
use pihook_core::monitor::{Commit, Effect, Event, Monitor, SavedService, SavedState, Setup};
use pihook_core::{
    After, Alert, Cadence, Ladder, Level, Moment, Outcome, Service, ServiceId, Severity, SinkId, Status,
    Timestamp, ZoneId,
};

use crate::ledger::{Explained, Ledger};

pub(crate) const START: i64 = 1_800_000_000;

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn failures(count: u32) -> After {
    After::Failures(NonZeroU32::new(count).unwrap())
}

pub(crate) const fn elapsed(seconds: u64) -> After {
    After::Elapsed(secs(seconds))
}

/// A level that tells the sinks in `sinks`, one letter each.
pub(crate) fn level(after: After, sinks: &str, repeat: Option<u64>) -> Level {
    Level {
        after,
        severity: Severity::Critical,
        sinks: sinks.chars().map(|sink| SinkId::new(&sink.to_string())).collect(),
        mention: None,
        formatter: None,
        repeat: repeat.map(secs),
    }
}

pub(crate) fn ladder(levels: Vec<Level>) -> Arc<Ladder> {
    let mut levels = levels.into_iter();
    let first = levels.next().unwrap();
    Arc::new(Ladder::new(first, levels.collect()))
}

/// A service whose outcomes are pushed in, so that a test says when.
pub(crate) fn service(id: &str, ladder: Arc<Ladder>, recover_after: u32) -> Service {
    Service {
        id: ServiceId::new(id),
        name: Arc::from(id.to_uppercase()),
        zone: ZoneId::new("local"),
        cadence: Cadence::Pushed,
        recover_after: NonZeroU32::new(recover_after).unwrap(),
        depends_on: Vec::new(),
        flap: None,
        ladder,
        degraded: None,
    }
}

pub(crate) fn names(alert: &Alert) -> String {
    alert.sinks.iter().map(SinkId::as_str).collect()
}

pub(crate) struct World {
    pub(crate) monitor: Monitor,
    pub(crate) services: Vec<Service>,
    pub(crate) flag: Option<Flag>,
    pub(crate) windows: Vec<Window>,
    pub(crate) uptime: Duration,
    pub(crate) wall: Timestamp,
    pub(crate) ledger: Ledger,
    /// What a store would have: the newest state of each service.
    pub(crate) stored: BTreeMap<ServiceId, SavedService>,
    /// Time of the test, which no restart sets back.
    pub(crate) age: Duration,
    newest_news: u32,
}

impl World {
    pub(crate) fn new(services: Vec<Service>) -> Self {
        let now = Moment { uptime: secs(50), wall: Timestamp::from_second(START).unwrap() };
        let monitor = Monitor::new(services.clone().into(), None, SavedState::default(), now);
        Self {
            monitor,
            services,
            flag: None,
            windows: Vec::new(),
            uptime: now.uptime,
            wall: now.wall,
            ledger: Ledger::default(),
            stored: BTreeMap::new(),
            age: Duration::ZERO,
            newest_news: 0,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment { uptime: self.uptime, wall: self.wall }
    }

    pub(crate) fn send(&mut self, event: Event) -> Vec<Commit> {
        let now = self.now();
        let mut commits = Vec::new();
        for effect in self.monitor.handle(event, now) {
            let Effect::Commit(commit) = effect else { panic!("pushed services are never started") };
            if let Some(state) = &commit.state {
                self.stored.insert(commit.service.clone(), state.clone());
            }
            let maintenance = Maintenance { flag: self.flag.clone(), windows: self.windows.clone() };
            self.ledger.record(&commit, &self.services, &maintenance, now, self.age);
            commits.push(commit);
        }
        let again = self.monitor.handle(Event::Woken, now);
        assert_eq!(again, [], "a spurious wake-up is harmless");
        assert!(self.monitor.next_wakeup().is_none_or(|next| next > self.uptime), "it asks for what is done");
        let saved: BTreeMap<_, _> = self.monitor.save(now).services.into_iter().collect();
        for service in &self.services {
            let explained = saved[&service.id].explained_by.is_some();
            let explained = if explained { Explained::Yes } else { Explained::No };
            self.ledger.agree(&service.id, &self.monitor.view(&service.id).unwrap(), explained);
            self.ledger.owes_no_news(&service.id, self.monitor.muting(&service.id).unwrap());
        }
        self.ledger.none_open_but(&self.services);
        commits
    }

    pub(crate) fn outcome(&mut self, id: &str, status: Status) -> Vec<Commit> {
        self.outcome_with(id, status, None)
    }

    /// An outcome with news of its own.
    pub(crate) fn news(&mut self, id: &str, status: Status) -> Vec<Commit> {
        self.newest_news += 1;
        self.outcome_with(id, status, Some(news(self.newest_news)))
    }

    fn outcome_with(&mut self, id: &str, status: Status, notice: Option<String>) -> Vec<Commit> {
        let outcome = Outcome {
            status,
            summary: format!("{status} at {}", self.age.as_secs()),
            notice,
            response_time: Some(Duration::from_millis(7)),
            attempts: 1,
            metrics: Vec::new(),
            at: self.wall,
        };
        self.send(Event::CheckFinished { service: ServiceId::new(id), outcome })
    }

    /// Lets time pass, waking the monitor when it wants to be; what it said and after how many seconds.
    pub(crate) fn pass(&mut self, seconds: u64) -> Vec<(u64, Commit)> {
        let begin = self.uptime;
        let end = begin + secs(seconds);
        let mut said = Vec::new();
        while let Some(next) = self.monitor.next_wakeup().filter(|next| *next <= end) {
            self.step(next - self.uptime);
            for commit in self.send(Event::Woken) {
                said.push(((self.uptime - begin).as_secs(), commit));
            }
        }
        self.step(end - self.uptime);
        said
    }

    fn step(&mut self, time: Duration) {
        self.uptime += time;
        self.age += time;
        self.wall = moved(self.wall, i64::try_from(time.as_secs()).unwrap());
    }

    pub(crate) fn jump(&mut self, seconds: i64) {
        self.wall = moved(self.wall, seconds);
    }

    pub(crate) fn set_flag(&mut self, flag: Option<Flag>) -> Vec<Commit> {
        self.flag.clone_from(&flag);
        self.send(Event::MaintenanceChanged(flag))
    }

    pub(crate) fn reconfigure(&mut self, services: Vec<Service>) -> Vec<Commit> {
        self.services.clone_from(&services);
        self.send(Event::Reconfigured(self.setup()))
    }

    pub(crate) fn set_windows(&mut self, windows: Vec<Window>) -> Vec<Commit> {
        self.windows = windows;
        self.send(Event::Reconfigured(self.setup()))
    }

    fn setup(&self) -> Setup {
        Setup { services: self.services.clone(), windows: self.windows.clone() }
    }

    /// An orderly restart that takes no time.
    pub(crate) fn restart(&mut self) -> Vec<Commit> {
        let saved = self.monitor.save(self.now());
        self.ledger.restore(&saved);
        self.stored = saved.services.iter().cloned().collect();
        self.restore(saved)
    }

    /// A restart with nothing but what the commits made durable.
    pub(crate) fn crash(&mut self) -> Vec<Commit> {
        let services = self.stored.iter().map(|(id, state)| (id.clone(), state.clone())).collect();
        let next_incident = self.ledger.next_incident();
        self.restore(SavedState { services, next_incident })
    }

    fn restore(&mut self, saved: SavedState) -> Vec<Commit> {
        self.uptime = secs(3);
        self.monitor = Monitor::new(self.setup(), self.flag.clone(), saved, self.now());
        self.send(Event::Woken)
    }
}

/// The text of the news with this number.
pub(crate) fn news(number: u32) -> String {
    format!("news {number}")
}

pub(crate) fn moved(wall: Timestamp, seconds: i64) -> Timestamp {
    let (min, max) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(wall.as_second().saturating_add(seconds).clamp(min, max)).unwrap()
}
