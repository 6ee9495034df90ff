//! A restart is invisible if it is orderly, and harmless if it is not.

use proptest::prelude::*;

use pihook_core::monitor::{Commit, Monitor, Urgency};
use pihook_core::{AlertKind, Status};

use crate::agreement::{Step, any_services, any_step, carry_out};
use crate::world::{World, elapsed, failures, ladder, level, secs, service};

/// What a commit says, without the instants at which states were taken.
fn essence(commits: &[(u64, Commit)]) -> Vec<(u64, Commit)> {
    let mut commits = commits.to_vec();
    for (_, commit) in &mut commits {
        commit.state = None;
    }
    commits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// `restore(save(m))` then anything gives the same as `m` then the same.
    #[test]
    fn restarting_once_changes_nothing_that_follows(
        services in any_services(),
        before in prop::collection::vec(any_step(), 0..40),
        after in prop::collection::vec(any_step(), 1..20),
    ) {
        let orderly = |step: &&Step| !matches!(step, Step::Crash | Step::Restart);
        let (mut stayed, mut restarted) = (World::new(services.clone()), World::new(services));
        for step in before.iter().filter(orderly) {
            carry_out(&mut stayed, step);
            carry_out(&mut restarted, step);
        }
        prop_assert_eq!(restarted.restart(), []);
        for step in after.iter().filter(orderly) {
            let (one, other) = (carry_out(&mut stayed, step), carry_out(&mut restarted, step));
            prop_assert_eq!(essence(&one), essence(&other), "{:?}", step);
            let states = [&stayed, &restarted].map(|world| world.monitor.save(world.now()));
            prop_assert_eq!(&states[0], &states[1]);
        }
    }

    /// With nothing but what the commits made durable, alerts and history stay in order: the ledger checks each commit.
    #[test]
    fn a_crash_repeats_nothing_and_forgets_nothing(
        services in any_services(),
        steps in prop::collection::vec(any_step(), 1..80),
    ) {
        let mut world = World::new(services);
        for step in &steps {
            carry_out(&mut world, step);
        }
    }
}

fn one() -> World {
    World::new(vec![service(
        "a",
        ladder(vec![level(failures(3), "d", None), level(elapsed(600), "p", None)]),
        1,
    )])
}

#[test]
fn a_crash_after_two_failures_remembers_both() {
    let mut world = one();
    assert_eq!(world.outcome("a", Status::Down)[0].urgency, Urgency::AtOnce);
    assert_eq!(world.outcome("a", Status::Down)[0].urgency, Urgency::AtOnce);
    world.crash();
    let alerts = &world.outcome("a", Status::Down)[0].alerts;
    assert_eq!(alerts[0].kind, AlertKind::Opened);
}

#[test]
fn a_number_in_use_is_never_given_again() {
    let mut world = one();
    for _ in 0..3 {
        world.outcome("a", Status::Down);
    }
    let mut saved = world.monitor.save(world.now());
    assert_eq!(saved.next_incident, 1);
    saved.next_incident = 0;
    let monitor = Monitor::new(world.services.clone(), None, saved, world.now());
    assert_eq!(monitor.save(world.now()).next_incident, 1);
}

#[test]
fn the_time_that_pihook_was_off_counts_as_downtime_but_not_for_the_ladder() {
    let mut world = one();
    for _ in 0..3 {
        world.outcome("a", Status::Down);
    }
    let saved = world.monitor.save(world.now());
    world.jump(100_000);
    world.stored = saved.services.into_iter().collect();
    assert_eq!(world.crash(), [], "the time off is no reason to escalate");
    let escalated = world.pass(600);
    assert_eq!(escalated[0].0, 600);
    assert_eq!(escalated[0].1.alerts[0].lasted, secs(100_600));
    let recovered = world.outcome("a", Status::Up);
    assert_eq!(recovered[0].alerts[0].lasted, secs(100_600));
}

#[test]
fn a_clock_that_ran_backward_while_off_adds_nothing() {
    let mut world = one();
    for _ in 0..3 {
        world.outcome("a", Status::Down);
    }
    let saved = world.monitor.save(world.now());
    world.jump(-100_000);
    world.stored = saved.services.into_iter().collect();
    world.crash();
    assert_eq!(world.outcome("a", Status::Up)[0].alerts[0].lasted, secs(0));
}

#[test]
fn a_steady_service_writes_its_state_once() {
    let mut world = one();
    assert!(world.outcome("a", Status::Up)[0].state.is_some());
    for _ in 0..10 {
        world.pass(60);
        let commit = &world.outcome("a", Status::Up)[0];
        assert_eq!((commit.state.as_ref(), commit.urgency), (None, Urgency::Ordinary));
        world.jump(-1_000_000);
    }
}

#[test]
fn a_long_outage_is_written_without_hurry() {
    let mut world = one();
    for _ in 0..3 {
        world.outcome("a", Status::Down);
    }
    for failed in 4..20 {
        let commit = &world.outcome("a", Status::Down)[0];
        assert_eq!(commit.urgency, Urgency::Ordinary);
        assert_eq!(commit.incident.as_ref().unwrap().checks_failed, failed);
    }
}
