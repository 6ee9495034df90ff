//! Somebody sees to an incident: nothing more is told of it but its end.

use pihook_core::maintenance::Flag;
use pihook_core::monitor::{Commit, Event, Urgency};
use pihook_core::{AlertKind, IncidentId, ServiceId, Status};
use proptest::prelude::*;

use crate::world::{World, elapsed, failures, ladder, level, names, service};

/// 2 failures tell `d` and remind every 10 min; after 30 min `p`.
fn world() -> World {
    let levels = vec![level(failures(2), "d", Some(600)), level(elapsed(1800), "p", Some(600))];
    World::new(vec![
        service("a", ladder(levels), 1),
        service("b", ladder(vec![level(failures(1), "d", None)]), 1),
    ])
}

fn told(commits: &[Commit]) -> Vec<AlertKind> {
    commits.iter().flat_map(|commit| &commit.alerts).map(|alert| alert.kind).collect()
}

fn open(world: &World, id: &str) -> Option<IncidentId> {
    world.monitor.view(&ServiceId::new(id)).unwrap().incident.map(|incident| incident.id)
}

fn acknowledge(world: &mut World, id: &str) -> Vec<Commit> {
    let incident = open(world, id).unwrap();
    world.send(Event::Acknowledged(incident))
}

#[test]
fn reminders_and_escalations_stop_until_it_recovers() {
    let mut world = world();
    world.outcome("a", Status::Degraded);
    assert_eq!(told(&world.outcome("a", Status::Degraded)), [AlertKind::Opened]);
    let commits = acknowledge(&mut world, "a");
    let [commit] = commits.as_slice() else { panic!("{commits:?}") };
    assert_eq!((commit.urgency, commit.alerts.len(), commit.transition), (Urgency::AtOnce, 0, None));
    assert_eq!(commit.incident.as_ref().unwrap().acknowledged, Some(world.wall));
    assert_eq!(acknowledge(&mut world, "a"), [], "twice is once");
    assert_eq!(world.pass(7200), []);
    assert_eq!(told(&world.outcome("a", Status::Down)), [], "nor that it is worse");
    let over = world.outcome("a", Status::Up);
    assert_eq!(told(&over), [AlertKind::Recovered]);
    assert_eq!(names(&over[0].alerts[0]), "d");
    world.outcome("a", Status::Down);
    assert_eq!(told(&world.outcome("a", Status::Down)), [AlertKind::Opened], "the next is another one");
    let reminded: Vec<Commit> = world.pass(600).into_iter().map(|(_, commit)| commit).collect();
    assert_eq!(told(&reminded), [AlertKind::Reminder]);
}

#[test]
fn other_incidents_and_numbers_that_are_not_open_are_left_alone() {
    let mut world = world();
    world.outcome("a", Status::Down);
    world.outcome("a", Status::Down);
    world.outcome("b", Status::Down);
    acknowledge(&mut world, "b");
    let reminded: Vec<Commit> = world.pass(600).into_iter().map(|(_, commit)| commit).collect();
    assert_eq!(told(&reminded), [AlertKind::Reminder]);
    assert_eq!(world.send(Event::Acknowledged(IncidentId(99))), []);
    assert!(!world.monitor.has_open(IncidentId(99)));
    let closed = open(&world, "b").unwrap();
    world.outcome("b", Status::Up);
    assert_eq!(world.send(Event::Acknowledged(closed)), []);
}

#[test]
fn maintenance_and_restarts_do_not_bring_it_back() {
    let mut world = world();
    world.outcome("a", Status::Down);
    world.outcome("a", Status::Down);
    acknowledge(&mut world, "a");
    world.crash();
    world.set_flag(Some(Flag::default()));
    assert_eq!(told(&world.set_flag(None)), []);
    assert_eq!(world.pass(7200), []);
    assert_eq!(told(&world.outcome("a", Status::Up)), [AlertKind::Recovered]);
}

#[derive(Clone, Debug)]
enum Step {
    Outcome(Status),
    Pass(u64),
    Flag(bool),
    Acknowledge,
    Restart,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::sample::select(&Status::ALL[..]).prop_map(Step::Outcome),
        2 => (1..3000_u64).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Flag),
        2 => Just(Step::Acknowledge),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    /// Whatever happens, the ledger agrees, and of an incident that is seen to only its end is told.
    #[test]
    fn of_what_is_seen_to_only_the_end_is_told(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = world();
        let mut seen_to = None;
        for step in steps {
            let commits: Vec<Commit> = match step {
                Step::Outcome(status) => world.outcome("a", status),
                Step::Pass(seconds) => world.pass(seconds).into_iter().map(|(_, commit)| commit).collect(),
                Step::Flag(on) => world.set_flag(on.then(Flag::default)),
                Step::Restart => world.restart(),
                Step::Crash => world.crash(),
                Step::Acknowledge => {
                    seen_to = open(&world, "a").or(seen_to);
                    match open(&world, "a") {
                        Some(incident) => world.send(Event::Acknowledged(incident)),
                        None => Vec::new(),
                    }
                }
            };
            for alert in commits.iter().flat_map(|commit| &commit.alerts) {
                let is_seen_to = Some(alert.incident) == seen_to;
                // One that had ended, though nobody was told, begins again unseen.
                let again = alert.reason == pihook_core::Reason::AfterMaintenance;
                prop_assert!(!is_seen_to || alert.kind == AlertKind::Recovered || again, "{alert:?}");
                if is_seen_to && again {
                    seen_to = None;
                }
            }
        }
    }
}
