//! Two hundred services over a virtual week, against the reference model: outages, zones that are cut off, flapping,
//! maintenance, restarts, clocks that jump and sinks that fail. What is printed is how many messages that makes, beside
//! those of a monitor that tells each change.

mod follow;
mod outbox;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pihook_core::maintenance::{Flag, Maintenance};
use pihook_core::monitor::{Commit, Effect, Event, Monitor, Muting, SavedState, Setup};
use pihook_core::summary::Sample;
use pihook_core::{
    Alert, AlertKind, Cadence, Moment, Outcome, Reason, ServiceId, Status, Summary, Timestamp,
};

use self::follow::Follow;
use self::outbox::Outbox;
use self::truth::{Happening, Random, Span, TICK, Truth};
use crate::ledger::{Explained, Ledger};
use crate::reference::Said;
use crate::world::{START, moved, secs};

/// A check that has ended and whose outcome is not settled yet.
struct Ended {
    began: u64,
    ended: u64,
    status: Status,
}

/// What came of it all.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    checks: u64,
    explained: u64,
    incidents: u64,
    alerts: u64,
    flapping: u64,
    messages: usize,
    refused: u64,
    /// What a monitor would have sent that tells each change between up and not up.
    changes: u64,
    told: Vec<(u64, ServiceId, AlertKind, Reason)>,
}

struct Simulation<'t> {
    truth: &'t Truth,
    random: Random,
    monitor: Monitor,
    flag: Option<Flag>,
    /// Which windows are open, a bit each; none if everybody is to be asked anew anyway.
    open: Option<u64>,
    uptime: Duration,
    wall: Timestamp,
    /// Time of the simulation, which nothing sets back.
    age: Duration,
    index: BTreeMap<ServiceId, usize>,
    running: BTreeMap<usize, u64>,
    /// When checks end, by their time and a number.
    ends: BTreeMap<(Duration, u64), usize>,
    settling: BTreeMap<usize, Ended>,
    /// Since when each service could be started, and within what.
    free: Vec<(Duration, Duration)>,
    follows: Vec<Follow>,
    /// The newest outcome as it came, for the count of changes.
    last: Vec<Status>,
    explained: BTreeSet<usize>,
    ledger: Ledger,
    outbox: Outbox,
    /// Of some services, since summing up takes longer than watching.
    days: BTreeMap<(usize, u64), Summary>,
    weeks: BTreeMap<usize, Summary>,
    tally: Tally,
}

impl<'t> Simulation<'t> {
    fn run(truth: &'t Truth, seed: u64) -> Tally {
        let wall = Timestamp::from_second(START).unwrap();
        let uptime = secs(20);
        let setup = Setup { services: truth.services.clone(), windows: truth.windows.clone() };
        let monitor = Monitor::new(setup, None, SavedState::default(), Moment { uptime, wall });
        let ids = truth.services.iter().map(|service| service.id.clone()).zip(0..);
        let mut simulation = Simulation {
            truth,
            random: Random::new(seed),
            monitor,
            flag: None,
            open: None,
            uptime,
            wall,
            age: Duration::ZERO,
            index: ids.collect(),
            running: BTreeMap::new(),
            ends: BTreeMap::new(),
            settling: BTreeMap::new(),
            free: vec![(Duration::ZERO, secs(61)); truth.services.len()],
            follows: truth.services.iter().map(Follow::new).collect(),
            last: vec![Status::Up; truth.services.len()],
            explained: BTreeSet::new(),
            ledger: Ledger::default(),
            outbox: Outbox::default(),
            days: BTreeMap::new(),
            weeks: BTreeMap::new(),
            tally: Tally::default(),
        };
        let mut happenings: Vec<_> = truth.happenings.iter().rev().collect();
        while simulation.tick() < truth.end {
            simulation.step(&mut happenings);
        }
        simulation.finish()
    }

    fn now(&self) -> Moment {
        Moment { uptime: self.uptime, wall: self.wall }
    }

    fn tick(&self) -> u64 {
        u64::try_from(self.age.as_nanos() / TICK.as_nanos()).unwrap()
    }

    /// The next thing that happens: what time makes due comes first, and then checks that end.
    fn step(&mut self, happenings: &mut Vec<(&(u64, u64), &Happening)>) {
        let wake = self.monitor.next_wakeup().unwrap();
        let wake = self.age + wake.saturating_sub(self.uptime);
        let end = self.ends.keys().next().map(|(at, _)| *at);
        let happens = happenings.last().map(|((tick, _), _)| TICK * u32::try_from(*tick).unwrap());
        let next = [Some(wake), end, happens].into_iter().flatten().min().unwrap();
        self.pass(next);
        if next >= wake {
            self.handle(Event::Woken);
        } else if Some(next) == end {
            let (_, index) = self.ends.pop_first().unwrap();
            self.end(index);
        } else if let Some((_, happening)) = happenings.pop() {
            self.happen(happening);
        }
    }

    fn pass(&mut self, until: Duration) {
        let Some(time) = until.checked_sub(self.age) else { return };
        self.age += time;
        self.uptime += time;
        let nanos = i64::try_from(time.as_nanos()).unwrap();
        self.wall = self.wall.checked_add(jiff::SignedDuration::from_nanos(nanos)).unwrap();
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Flag(flag) => {
                self.flag.clone_from(flag);
                self.open = None;
                self.handle(Event::MaintenanceChanged(flag.clone()));
            }
            Happening::Jump(seconds) => {
                self.wall = moved(self.wall, *seconds);
                self.handle(Event::Woken);
            }
            Happening::Reload => self.handle(Event::Reconfigured(self.setup())),
            Happening::Restart(off) => self.restart(*off),
        }
    }

    fn setup(&self) -> Setup {
        Setup { services: self.truth.services.clone(), windows: self.truth.windows.clone() }
    }

    /// Checks that run are lost, and so is what is held.
    fn restart(&mut self, off: u64) {
        let saved = self.monitor.save(self.now());
        self.ledger.restore(&saved);
        let began = self.tick();
        self.pass(self.age + TICK * u32::try_from(off).unwrap());
        let now = self.tick();
        for follow in &mut self.follows {
            follow.pass(began);
            follow.off(now);
        }
        self.running.clear();
        self.ends.clear();
        self.settling.clear();
        self.free.fill((self.age, secs(61)));
        self.uptime = secs(3);
        self.monitor = Monitor::new(self.setup(), self.flag.clone(), saved, self.now());
        self.handle(Event::Woken);
    }

    fn handle(&mut self, event: Event) {
        self.look_at_the_wall();
        let now = self.now();
        let mut touched = BTreeSet::new();
        for effect in self.monitor.handle(event, now) {
            match effect {
                Effect::StartCheck(id) => self.start(self.index[&id]),
                Effect::Commit(commit) => {
                    touched.insert(self.index[&commit.service]);
                    self.commit(&commit);
                }
            }
        }
        let tick = self.tick();
        for index in touched {
            self.follows[index].pass(tick);
            self.follows[index].agree(&self.truth.services[index]);
        }
    }

    /// Asks everyone anew whether they are muted, if that may have changed.
    fn look_at_the_wall(&mut self) {
        let windows = self.truth.windows.iter();
        let open =
            Some(windows.fold(0, |open, window| open << 1 | u64::from(window.when.contains(self.wall))));
        if open == self.open {
            return;
        }
        self.open = open;
        let (maintenance, tick) = (self.maintenance(), self.tick());
        for (follow, service) in self.follows.iter_mut().zip(&self.truth.services) {
            follow.pass(tick);
            follow.mute(maintenance.covers(service, self.wall));
        }
    }

    fn maintenance(&self) -> Maintenance {
        Maintenance { flag: self.flag.clone(), windows: self.truth.windows.clone() }
    }

    fn start(&mut self, index: usize) {
        let service = &self.truth.services[index];
        let (since, within) = self.free[index];
        assert!(self.age - since <= within, "{} starves", service.id);
        assert!(!self.settling.contains_key(&index), "{} is held, and starts nevertheless", service.id);
        // It ends on a tick. What fails takes a while.
        let began = self.tick();
        let tick = self.uptime.as_nanos().div_ceil(TICK.as_nanos());
        let well = self.truth.status(index, began, &mut self.random) == Status::Up;
        let takes = if well { 1 } else { self.random.within(1..7) };
        let end = TICK * (u32::try_from(tick).unwrap() + u32::try_from(takes).unwrap());
        let twice = self.running.insert(index, began);
        assert_eq!(twice, None, "{} runs twice at once", service.id);
        self.tally.checks += 1;
        self.ends.insert((self.age + (end - self.uptime), self.tally.checks), index);
    }

    fn end(&mut self, index: usize) {
        let began = self.running.remove(&index).unwrap();
        let ended = self.tick();
        let status = self.truth.status(index, ended, &mut self.random);
        self.tally.changes += u64::from((self.last[index] == Status::Up) != (status == Status::Up));
        self.last[index] = status;
        self.settling.insert(index, Ended { began, ended, status });
        let outcome = Outcome {
            status,
            summary: status.to_string(),
            notice: None,
            response_time: Some(Duration::from_millis(3 + self.random.within(0..500))),
            attempts: 1,
            metrics: Vec::new(),
            at: self.wall,
        };
        self.handle(Event::CheckFinished { service: self.truth.services[index].id.clone(), outcome });
    }

    fn commit(&mut self, commit: &Commit) {
        let index = self.index[&commit.service];
        let tick = self.tick();
        self.follows[index].pass(tick);
        if let Some(logged) = &commit.outcome {
            let ended = self.settling.remove(&index).unwrap();
            let cause = logged.outcome.summary.split_once("; the check said: ").map(|(cause, _)| cause);
            self.is_right_to_be_explained(index, &ended, cause);
            match cause {
                Some(_) => {
                    assert_eq!(logged.outcome.status, Status::Unknown);
                    self.tally.explained += 1;
                    self.explained.insert(index);
                    self.follows[index].explain();
                }
                None => {
                    assert_eq!(logged.outcome.status, ended.status);
                    self.explained.remove(&index);
                    self.follows[index].outcome(ended.status);
                }
            }
            let Cadence::Every(interval) = self.truth.services[index].cadence else {
                panic!("all are checked")
            };
            self.free[index] = (self.age, interval + secs(1).min(interval / 10));
            self.sum_up(index, &logged.outcome, logged.maintenance, interval);
        }
        // What is ordinary has nothing that the ledger looks at.
        if commit.incident.is_some() || commit.transition.is_some() || !commit.alerts.is_empty() {
            let (maintenance, now) = (self.maintenance(), self.now());
            self.ledger.record(commit, &self.truth.services, &maintenance, now, self.age);
        }
        for alert in &commit.alerts {
            self.tell(index, alert, tick);
        }
    }

    /// Whether a failure that was explained had that cause, and one that was not had none that the canaries could know of.
    fn is_right_to_be_explained(&self, index: usize, ended: &Ended, cause: Option<&str>) {
        let service = &self.truth.services[index];
        let (second, tick) = (truth::TICKS_A_SECOND, self.tick());
        assert!(tick - ended.ended <= 60 * second, "{} was held for too long", service.id);
        let about: Span = ended.began.min(ended.ended.saturating_sub(3 * second))..tick + 1;
        let since: Span = ended.ended.saturating_sub(second)..tick + 1;
        match cause {
            Some("ROUTER is down") => {
                assert!(
                    self.truth.router_has_trouble(&about),
                    "{} at {tick}: the router is well",
                    service.id
                );
            }
            Some(_) => {
                assert!(
                    self.truth.is_cut_off(index, about),
                    "{} at {tick}: its zone is not cut off",
                    service.id
                );
            }
            None if ended.status == Status::Down && !service.depends_on.is_empty() => {
                let certain = self.truth.is_cut_off_throughout(index, &since);
                assert!(!certain, "{} at {tick}: its zone is cut off", service.id);
            }
            None => {}
        }
    }

    fn sum_up(&mut self, index: usize, outcome: &Outcome, maintenance: Muting, interval: Duration) {
        let sample = Sample {
            at: outcome.at,
            status: outcome.status,
            maintenance,
            response: outcome.response_time,
            stands_for: interval,
        };
        if !index.is_multiple_of(10) {
            return;
        }
        let day = self.age.as_secs() / 86_400;
        self.days.entry((index, day)).or_default().record(&sample);
        self.weeks.entry(index).or_default().record(&sample);
    }

    fn tell(&mut self, index: usize, alert: &Alert, tick: u64) {
        self.follows[index].note(tick, Said::of(alert));
        self.outbox.run(self.truth, self.age);
        self.outbox.add(alert, self.age);
        self.tally.alerts += 1;
        self.tally.flapping += u64::from(alert.reason == Reason::Flapping);
        if alert.kind == AlertKind::Opened {
            self.tally.incidents += 1;
            let is_zone = pihook_core::silence::zone_of(alert.service.as_str()).is_some();
            // Nobody hears of a failure that is another's alone.
            let Cadence::Every(interval) = self.truth.services[index].cadence else { return };
            let lately = 25 * interval.as_secs() * truth::TICKS_A_SECOND;
            let since: Span = tick.saturating_sub(lately)..tick + 1;
            let muted = alert.reason == Reason::AfterMaintenance;
            assert!(is_zone || muted || self.truth.has_trouble(index, &since), "a false alarm: {alert:?}");
        }
        self.tally.told.push((tick, alert.service.clone(), alert.kind, alert.reason));
    }

    fn finish(mut self) -> Tally {
        let tick = self.tick();
        for (follow, service) in self.follows.iter_mut().zip(&self.truth.services) {
            follow.pass(tick);
            follow.agree(service);
        }
        for (index, service) in self.truth.services.iter().enumerate() {
            let explained = if self.explained.contains(&index) { Explained::Yes } else { Explained::No };
            self.ledger.agree(&service.id, &self.monitor.view(&service.id).unwrap(), explained);
            let mut merged = Summary::default();
            self.days.range((index, 0)..(index + 1, 0)).for_each(|(_, day)| merged.merge(day));
            let week = self.weeks.get(&index).cloned().unwrap_or_default();
            assert_eq!(merged, week, "the days of {} do not make its week", service.id);
        }
        (self.tally.messages, self.tally.refused) = self.outbox.settle(self.truth);
        self.tally
    }
}

#[test]
fn a_week_of_two_hundred_services_is_told_as_the_reference_tells_it() {
    let truth = Truth::new(2026, 200, 7);
    let tally = Simulation::run(&truth, 1);
    let Tally { checks, explained, incidents, alerts, flapping, messages, refused, changes, .. } = tally;
    println!(
        "{checks} checks of 200 services in 7 days: {incidents} incidents told in {alerts} alerts ({flapping} of flapping), \
         {messages} messages to two sinks, which refused {refused} times before; {explained} failures explained. \
         Telling each change would have taken {changes} messages to one sink."
    );
    assert!(checks > 1_000_000 && explained > 1000 && flapping > 10 && refused > 10);
    assert!(alerts * 2 < changes, "it is not quieter");
}

#[test]
fn other_homelabs_have_other_days_and_the_same_rules() {
    for seed in 0..6 {
        Simulation::run(&Truth::new(seed, 30, 2), seed);
    }
}

#[test]
fn the_same_seed_is_the_same_week() {
    let truth = Truth::new(7, 20, 1);
    assert_eq!(Simulation::run(&truth, 7), Simulation::run(&truth, 7));
    assert_ne!(Simulation::run(&truth, 7).told, Simulation::run(&truth, 8).told);
}
