//! Random lives of services that depend on others: every outcome is settled once, in its turn and in time, what explains it
//! is really down, and alerts are those of the reference, which is told what counted and what was explained.

use std::collections::BTreeMap;

use proptest::prelude::*;

use pihook_core::maintenance::Flag;
use pihook_core::monitor::Commit;
use pihook_core::{Flap, Service, ServiceId, Status, ZoneId};

use crate::agreement::any_status;
use crate::reference::{Reference, Said};
use crate::world::{World, elapsed, failures, ladder, level, service};

/// A zone, a router in it, what is behind the router, and what only the zone explains.
const GRAPH: [(&str, &[&str]); 5] = [
    ("pihook:zone:local", &[]),
    ("router", &["pihook:zone:local"]),
    ("behind", &["router", "pihook:zone:local"]),
    ("deep", &["behind"]),
    ("beside", &["pihook:zone:local"]),
];

#[derive(Clone, Debug)]
enum Step {
    Outcome(usize, Status),
    /// All fail in this order or the other.
    AllFail(bool),
    Pass(u64),
    Flag(bool),
    Restart,
    Crash,
    /// Without the dependencies of this one, or with all of them.
    Reload(Option<usize>),
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = 0..GRAPH.len();
    prop_oneof![
        12 => (index.clone(), any_status()).prop_map(|(index, status)| Step::Outcome(index, status)),
        3 => any::<bool>().prop_map(Step::AllFail),
        6 => prop_oneof![Just(1), 2_u64..59, 60_u64..500].prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Flag),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
        1 => prop::option::of(index).prop_map(Step::Reload),
    ]
}

fn services(without: Option<usize>) -> Vec<Service> {
    let ladder = ladder(vec![level(failures(2), "d", Some(400)), level(elapsed(300), "p", None)]);
    let one = |(index, (id, on)): (usize, &(&str, &[&str]))| {
        let mut service = service(id, ladder.clone(), 1 + index as u32 % 2);
        service.zone = ZoneId::new(if index == 4 { "other" } else { "local" });
        service.flap = (index % 2 == 1).then_some(Flap { window: 6, high: 60, low: 30 });
        if without != Some(index) {
            service.depends_on = on.iter().map(|id| ServiceId::new(id)).collect();
        }
        service
    };
    GRAPH.iter().enumerate().map(one).collect()
}

struct Life {
    world: World,
    references: BTreeMap<ServiceId, Reference>,
    /// Outcomes that were pushed and are not settled: their status, and the second.
    pending: BTreeMap<ServiceId, (Status, u64)>,
    /// Who was settled as down, or explained itself, when last heard of.
    explains: BTreeMap<ServiceId, bool>,
    second: u64,
}

impl Life {
    fn new() -> Self {
        let references =
            services(None).into_iter().map(|service| (service.id.clone(), Reference::new(service, false)));
        Self {
            references: references.collect(),
            world: World::new(services(None)),
            pending: BTreeMap::new(),
            explains: BTreeMap::new(),
            second: 0,
        }
    }

    fn push(&mut self, index: usize, status: Status) {
        let id = ServiceId::new(GRAPH[index].0);
        // A second one would settle the first; a check does not run while it is held.
        if self.pending.contains_key(&id) {
            return;
        }
        self.pending.insert(id.clone(), (status, self.second));
        let commits = self.world.outcome(id.as_str(), status);
        let answered = matches!(status, Status::Up | Status::Degraded);
        self.take(commits);
        assert!(!answered || !self.pending.contains_key(&id), "who answered was reached");
    }

    /// Goes through what was committed, and has the reference say the same.
    fn take(&mut self, commits: Vec<Commit>) {
        let mut said = Vec::new();
        let mut expected = Vec::new();
        for commit in commits {
            let id = commit.service.clone();
            if let Some(logged) = &commit.outcome {
                let (status, since) = self.pending.remove(&id).unwrap();
                assert!(self.second - since <= 60, "{id} was held for {} s", self.second - since);
                let reference = self.references.get_mut(&id).unwrap();
                let explained = logged.outcome.summary.contains("; the check said: ");
                if explained {
                    assert_eq!(logged.outcome.status, Status::Unknown);
                    let service = self.world.services.iter().find(|service| service.id == id).unwrap();
                    let causes = service.depends_on.iter().filter(|on| self.explains.get(*on) == Some(&true));
                    assert!(causes.count() > 0, "nothing explains {id}");
                    reference.explain();
                } else {
                    assert_eq!(logged.outcome.status, status);
                    expected.extend(reference.outcome(status).map(|said| (id.clone(), said)));
                }
                self.explains.insert(id.clone(), explained || status == Status::Down);
            }
            said.extend(commit.alerts.iter().map(|alert| (id.clone(), Said::of(alert))));
        }
        for (id, reference) in &mut self.references {
            expected.extend(reference.speak_now().map(|said| (id.clone(), said)));
        }
        let by_service = |said: &(ServiceId, Said)| said.0.clone();
        said.sort_by_key(by_service);
        expected.sort_by_key(by_service);
        assert_eq!(said, expected);
        for id in self.references.keys() {
            assert_eq!(self.world.monitor.holds(id), self.pending.contains_key(id), "{id}");
        }
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second += 1;
            self.references.values_mut().for_each(|reference| reference.seconds(1));
            let commits = self.world.pass(1).into_iter().map(|(_, commit)| commit).collect();
            self.take(commits);
        }
        let held = self.pending.values().map(|(_, since)| self.second - since).max();
        assert!(held.is_none_or(|held| held < 60), "nothing is held for ever");
    }

    /// What was held is forgotten, as is what was running.
    fn restart(&mut self) {
        self.pending.clear();
        assert_eq!(self.world.restart(), []);
        self.take(Vec::new());
    }

    fn flag(&mut self, on: bool) {
        let flag = on.then(Flag::default);
        for reference in self.references.values_mut() {
            reference.set_muted(on);
        }
        let commits = self.world.set_flag(flag);
        self.take(commits);
    }

    /// A reload judges anew what is held.
    fn reload(&mut self, without: Option<usize>) {
        for service in services(without) {
            self.references.get_mut(&service.id).unwrap().reconfigure(service);
        }
        let commits = self.world.reconfigure(services(without));
        self.take(commits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_held_is_settled_once_in_time_and_for_a_reason(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut life = Life::new();
        for step in &steps {
            match step {
                Step::Outcome(index, status) => life.push(*index, *status),
                Step::AllFail(true) => (0..GRAPH.len()).for_each(|index| life.push(index, Status::Down)),
                Step::AllFail(false) => (0..GRAPH.len()).rev().for_each(|index| life.push(index, Status::Down)),
                Step::Pass(seconds) => life.pass(*seconds),
                Step::Flag(on) => life.flag(*on),
                Step::Restart => life.restart(),
                // It loses time, which the reference does not know of.
                Step::Crash => {}
                Step::Reload(without) => life.reload(*without),
            }
        }
    }

    /// With nothing but what the commits made durable the alerts stay in order: the ledger looks at each commit.
    #[test]
    fn a_crash_while_something_is_held_repeats_nothing(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut world = World::new(services(None));
        for step in &steps {
            match step {
                Step::Outcome(index, status) => drop(world.outcome(GRAPH[*index].0, *status)),
                Step::AllFail(_) => GRAPH.iter().for_each(|(id, _)| drop(world.outcome(id, Status::Down))),
                Step::Pass(seconds) => drop(world.pass(*seconds)),
                Step::Flag(on) => drop(world.set_flag(on.then(Flag::default))),
                Step::Restart => drop(world.restart()),
                Step::Crash => drop(world.crash()),
                Step::Reload(without) => drop(world.reconfigure(services(*without))),
            }
        }
        world.pass(61);
        for (id, _) in GRAPH {
            prop_assert!(!world.monitor.holds(&ServiceId::new(id)), "{} is held for ever", id);
        }
    }
}
