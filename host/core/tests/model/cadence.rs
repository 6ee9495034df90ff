//! Checks run at their cadence: never twice at once, never starving, whatever the runs take.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use pihook_core::monitor::{Effect, Event, Monitor, SavedState};
use pihook_core::{Cadence, Moment, Outcome, Service, ServiceId, Status, Timestamp};

use crate::world::{failures, ladder, level, secs, service};

const END: Duration = secs(1000);

#[derive(Clone, Debug)]
struct Plan {
    intervals: Vec<u64>,
    /// How long the runs take, in turn.
    runs: Vec<u64>,
    /// When the configuration is reloaded, and without which service.
    reloads: Vec<(u64, usize)>,
    /// When which check is called for.
    calls: Vec<(u64, usize)>,
    jump: i64,
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let intervals = prop::collection::vec(1_u64..120, 1..8);
    let runs = prop::collection::vec(prop_oneof![4 => 0_u64..900, 1 => 0_u64..200_000], 1..20);
    let reloads = prop::collection::vec((0..1_000_000_u64, 0_usize..8), 0..4);
    let calls = prop::collection::vec((0..1_000_000_u64, 0_usize..8), 0..30);
    (intervals, runs, reloads, calls, -1_000_000_000_i64..1_000_000_000)
        .prop_map(|(intervals, runs, reloads, calls, jump)| Plan { intervals, runs, reloads, calls, jump })
}

fn services(intervals: &[u64], without: Option<usize>) -> Vec<Service> {
    let ladder = ladder(vec![level(failures(3), "d", None)]);
    let all = intervals.iter().enumerate().filter(|(index, _)| Some(*index) != without);
    all.map(|(index, interval)| Service {
        cadence: Cadence::Every(secs(*interval)),
        ..service(&format!("s{index}"), ladder.clone(), 1)
    })
    .collect()
}

/// What goes on outside the monitor.
#[derive(Clone, Debug)]
enum Outside {
    Ends(ServiceId),
    Reload(usize),
    Call(ServiceId),
}

struct Run {
    monitor: Monitor,
    plan: Plan,
    configured: Vec<Service>,
    outside: BTreeMap<(Duration, usize), Outside>,
    running: BTreeMap<ServiceId, Duration>,
    /// When each service was last started or became free to be.
    since: BTreeMap<ServiceId, Duration>,
    /// Those that were called for while they ran.
    called: BTreeSet<ServiceId>,
    started: usize,
}

impl Run {
    fn new(plan: Plan) -> Self {
        let configured = services(&plan.intervals, None);
        let monitor =
            Monitor::new(configured.clone().into(), None, SavedState::default(), moment(Duration::ZERO, 0));
        let reloads = plan.reloads.iter().map(|(at, without)| (*at, Outside::Reload(*without)));
        let called = |index: &usize| Outside::Call(ServiceId::new(&format!("s{index}")));
        let calls = plan.calls.iter().map(|(at, index)| (*at, called(index)));
        let outside = reloads
            .chain(calls)
            .enumerate()
            .map(|(number, (at, what))| ((Duration::from_millis(at), number), what))
            .collect();
        let since = configured.iter().map(|service| (service.id.clone(), Duration::ZERO)).collect();
        let (running, called) = (BTreeMap::new(), BTreeSet::new());
        Run { monitor, plan, configured, outside, running, since, called, started: 0 }
    }

    /// Goes to what happens next; none at the end.
    fn step(&mut self) -> Option<()> {
        let outside = self.outside.first_key_value().map(|((at, _), _)| *at);
        let wakeup = self.monitor.next_wakeup();
        let now = [outside, wakeup].into_iter().flatten().min().filter(|now| *now < END)?;
        let due = outside == Some(now);
        let mut must_start = None;
        let event = match self.outside.first_entry().filter(|_| due).map(|entry| entry.remove()) {
            None => Event::Woken,
            Some(Outside::Ends(service)) => {
                self.running.remove(&service);
                self.since.entry(service.clone()).and_modify(|since| *since = now);
                must_start = self.called.take(&service);
                Event::CheckFinished { service, outcome: outcome() }
            }
            Some(Outside::Reload(without)) => {
                self.configured = services(&self.plan.intervals, Some(without));
                let before = std::mem::take(&mut self.since);
                for service in &self.configured {
                    let since = before.get(&service.id).copied().unwrap_or(now);
                    self.since.insert(service.id.clone(), since);
                }
                self.called.retain(|called| self.configured.iter().any(|service| service.id == *called));
                Event::Reconfigured(self.configured.clone().into())
            }
            Some(Outside::Call(service)) => {
                let known = self.configured.iter().any(|configured| configured.id == service);
                match self.running.contains_key(&service) {
                    _ if !known => {}
                    true => drop(self.called.insert(service.clone())),
                    false => must_start = Some(service.clone()),
                }
                Event::CheckDue { service }
            }
        };
        let before = self.started;
        for effect in self.monitor.handle(event, moment(now, self.plan.jump)) {
            if let Effect::StartCheck(id) = effect {
                must_start.take_if(|wanted| *wanted == id);
                self.start(id, now);
            }
        }
        assert_eq!(must_start, None, "it was called for and has not started; {before} had");
        Some(())
    }

    fn start(&mut self, id: ServiceId, now: Duration) {
        assert!(self.configured.iter().any(|service| service.id == id), "{id} is not configured");
        self.not_starved(&id, now);
        let twice = self.running.insert(id.clone(), now);
        assert_eq!(twice, None, "{id} runs twice at once");
        let takes = self.plan.runs[self.started % self.plan.runs.len()];
        self.started += 1;
        let end = now + Duration::from_millis(takes);
        let number = self.plan.reloads.len() + self.plan.calls.len() + self.started;
        self.outside.insert((end, number), Outside::Ends(id.clone()));
        self.since.insert(id, end);
    }

    /// From the end of a run, or from its first day, it takes an interval and the scatter at most until it starts.
    fn not_starved(&self, id: &ServiceId, now: Duration) {
        let service = self.configured.iter().find(|service| service.id == *id).unwrap();
        let Cadence::Every(interval) = service.cadence else { return };
        let waits = now.saturating_sub(self.since[id]);
        let scatter = (interval / 10).min(secs(1));
        assert!(waits <= interval + scatter, "{id} starves: {waits:?}");
    }

    /// All checks to the end; those that do not run then are not starved either.
    fn finish(&mut self) {
        while self.step().is_some() {}
        for service in &self.configured {
            if !self.running.contains_key(&service.id) {
                self.not_starved(&service.id, END);
            }
        }
    }
}

fn moment(uptime: Duration, jump: i64) -> Moment {
    let odd = uptime.as_millis() % 2 == 1;
    let wall = 1_800_000_000 + if odd { jump } else { 0 };
    Moment { uptime, wall: Timestamp::from_second(wall).unwrap() }
}

fn outcome() -> Outcome {
    Outcome {
        status: Status::Up,
        summary: String::new(),
        notice: None,
        response_time: None,
        attempts: 1,
        metrics: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    }
}

proptest! {
    #[test]
    fn no_check_runs_twice_at_once_and_none_starves(plan in any_plan()) {
        let mut run = Run::new(plan);
        run.finish();
        prop_assert!(run.started > 0);
    }
}

#[test]
fn the_first_check_starts_with_the_first_wake_up() {
    let mut run =
        Run::new(Plan { intervals: vec![60; 200], runs: vec![5], reloads: vec![], calls: vec![], jump: 0 });
    assert_eq!(run.monitor.next_wakeup(), Some(Duration::ZERO));
    run.step();
    assert_eq!(run.started, 1);
    run.finish();
    let expected = 200 * 1000 / 60;
    assert!((expected - 200..=expected + 200).contains(&run.started), "{}", run.started);
}

#[test]
fn two_hundred_services_a_second_are_all_checked_each_second() {
    let mut run =
        Run::new(Plan { intervals: vec![1; 200], runs: vec![3], reloads: vec![], calls: vec![], jump: 0 });
    run.finish();
    assert!((199_800..=200_000).contains(&run.started), "{}", run.started);
}

#[test]
fn a_check_shows_as_running() {
    let mut run =
        Run::new(Plan { intervals: vec![60], runs: vec![5], reloads: vec![], calls: vec![], jump: 0 });
    run.step();
    let id = ServiceId::new("s0");
    assert!(run.monitor.view(&id).unwrap().running);
    run.step();
    let view = run.monitor.view(&id).unwrap();
    assert!(!view.running && view.health == Some(Status::Up) && view.last.is_some());
}
