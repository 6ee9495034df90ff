//! A restart is invisible if it is orderly, and harmless if it is not.

use proptest::prelude::*;

use pihook_core::monitor::{Commit, Monitor, Urgency};
use pihook_core::{AlertKind, Status};

use crate::agreement::{Step, any_services, any_step, carry_out};
use crate::world::{World, elapsed, failures, ladder, level, secs, service};

/// What a commit says, without the instants at which states were taken and how an outage's count moves on.
fn essence(commits: &[(u64, Commit)]) -> Vec<(u64, Commit)> {
    let mut commits = commits.to_vec();
    for (_, commit) in &mut commits {
        commit.state = None;
        if commit.transition.is_none() {
            commit.incident = None;
        }
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
        let orderly = |step: &&Step| !matches!(step, Step::Crash | Step::Restart | Step::RestartWithout(_));
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
    assert_eq!(world.outcome("a", Status::Down)[0].urgency, Urgency::Soon);
    assert_eq!(world.outcome("a", Status::Down)[0].urgency, Urgency::Soon);
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
    assert_eq!(saved.next_incident, 2);
    saved.next_incident = 0;
    let monitor = Monitor::new(world.services.clone().into(), None, saved, world.now());
    assert_eq!(monitor.save(world.now()).next_incident, 2);
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
    let mut written = 0;
    for _ in 4..=123 {
        world.pass(5);
        let commit = &world.outcome("a", Status::Down)[0];
        assert_eq!((commit.urgency, commit.transition), (Urgency::Ordinary, None));
        assert_eq!(commit.incident.is_some(), commit.state.is_some(), "they are never told apart");
        written += u32::from(commit.incident.is_some());
    }
    assert_eq!(written, 10, "once a minute");
    let closed = world.outcome("a", Status::Up)[0].incident.clone().unwrap();
    assert_eq!(closed.checks_failed, 123, "the record at closing is exact");
    assert_eq!(closed.reason, "down at 600");
}

#[test]
fn many_long_outages_are_written_in_the_same_minute() {
    let ids = ["a", "b", "c"];
    let ladder = ladder(vec![level(failures(1), "d", None)]);
    let mut world = World::new(ids.map(|id| service(id, ladder.clone(), 1)).to_vec());
    for id in ids {
        world.outcome(id, Status::Down);
        world.pass(7);
    }
    let mut written = Vec::new();
    for _ in 0..12 {
        world.pass(5);
        written.push(ids.map(|id| u8::from(world.outcome(id, Status::Down)[0].state.is_some())));
    }
    written.retain(|services| *services != [0, 0, 0]);
    assert_eq!(written, [[1, 1, 0], [1, 1, 1]], "c was written in that minute already");
}

#[test]
fn a_crash_in_a_long_outage_loses_a_minute_of_its_count_and_nothing_of_its_time() {
    let mut world = one();
    for _ in 0..40 {
        world.outcome("a", Status::Down);
        world.pass(5);
    }
    world.crash();
    let alert = world.outcome("a", Status::Up)[0].alerts[0].clone();
    assert!((28..=40).contains(&alert.failures), "{}", alert.failures);
    assert_eq!(alert.lasted, secs(200));
}

#[test]
fn swinging_between_bad_and_worse_is_no_news() {
    let mut world = one();
    for _ in 0..3 {
        world.outcome("a", Status::Degraded);
    }
    let worse = &world.outcome("a", Status::Down)[0];
    assert_eq!(worse.transition.map(|it| (it.from, it.to)), Some((Status::Degraded, Status::Down)));
    for status in [Status::Degraded, Status::Down, Status::Degraded] {
        let commit = &world.outcome("a", status)[0];
        assert_eq!((commit.urgency, commit.transition), (Urgency::Ordinary, None));
    }
    let recovered = &world.outcome("a", Status::Up)[0];
    assert_eq!(recovered.transition.map(|it| (it.from, it.to)), Some((Status::Degraded, Status::Up)));
}

#[test]
fn a_suspicion_that_grows_or_passes_is_written_soon_but_not_synced() {
    let mut world = one();
    world.outcome("a", Status::Up);
    let urgencies = [Status::Down, Status::Up, Status::Unknown, Status::Up, Status::Up]
        .map(|status| world.outcome("a", status)[0].urgency);
    let (soon, ordinary) = (Urgency::Soon, Urgency::Ordinary);
    assert_eq!(urgencies, [soon, soon, soon, soon, ordinary]);
}

#[test]
fn a_service_that_was_removed_while_pihook_was_off_leaves_no_incident_open() {
    let ladder = ladder(vec![level(failures(2), "d", None)]);
    let mut world = World::new(["a", "b", "c"].map(|id| service(id, ladder.clone(), 1)).to_vec());
    for (id, failed) in [("a", 2), ("b", 1)] {
        for _ in 0..failed {
            world.outcome(id, Status::Down);
        }
    }
    world.outcome("c", Status::Up);
    world.services.clear();
    let saved = world.monitor.save(world.now());
    let monitor = Monitor::new(Vec::new().into(), None, saved.clone(), world.now());
    assert!(monitor.next_wakeup().is_some());
    let again = monitor.save(world.now()).services;
    assert_eq!(again, saved.services[..2], "before the first event nothing is lost");
    world.jump(1000);
    let retired = world.crash();
    let gist: Vec<_> = retired.iter().map(|commit| (commit.service.as_str(), commit.urgency)).collect();
    assert_eq!(gist, [("a", Urgency::AtOnce), ("b", Urgency::AtOnce)]);
    assert_eq!(retired[0].incident.as_ref().unwrap().closed, Some(world.wall));
    assert_eq!(retired[1].incident, None);
    assert_eq!(world.crash(), [], "once is enough");
}
