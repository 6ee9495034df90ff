//! News that are an event: each is told once, at once or after maintenance, and opens nothing.

use pihook_core::maintenance::Flag;
use pihook_core::monitor::{Commit, Event, Urgency};
use pihook_core::{AlertKind, IncidentId, Reason, ServiceId, Severity, Status, Timestamp};

use crate::world::{START, World, elapsed, failures, ladder, level, names, news, secs, service};

/// 3 failures tell `d`; after 30 min `p`.
fn world() -> World {
    let levels = vec![level(failures(3), "d", None), level(elapsed(1800), "p", None)];
    World::new(vec![service("a", ladder(levels), 1)])
}

fn said(commits: &[Commit]) -> Vec<(AlertKind, Reason, String)> {
    let alerts = commits.iter().flat_map(|commit| &commit.alerts);
    alerts.map(|alert| (alert.kind, alert.reason, alert.summary.clone())).collect()
}

fn event(number: u32) -> (AlertKind, Reason, String) {
    (AlertKind::Notice, Reason::Event, news(number))
}

fn held(number: u32) -> (AlertKind, Reason, String) {
    (AlertKind::Notice, Reason::AfterMaintenance, news(number))
}

#[test]
fn news_are_told_at_once_quietly_to_the_first_levels_sinks_and_open_nothing() {
    let mut world = world();
    world.outcome("a", Status::Up);
    let commits = world.news("a", Status::Up);
    assert_eq!(said(&commits), [event(1)]);
    let commit = &commits[0];
    assert_eq!((commit.urgency, commit.transition, &commit.incident), (Urgency::AtOnce, None, &None));
    assert_eq!(commit.outcome.as_ref().unwrap().outcome.notice, Some(news(1)), "in one with the outcome");
    assert_eq!(commit.state, None, "there is nothing to remember");
    let alert = &commit.alerts[0];
    assert_eq!((alert.severity, alert.status, names(alert)), (Severity::Info, Status::Up, "d".to_owned()));
    assert_eq!((alert.incident, alert.level, alert.failures), (IncidentId::NONE, 0, 0));
    assert_eq!((alert.at, alert.since, alert.lasted), (world.wall, world.wall, secs(0)));
    assert_eq!(said(&world.outcome("a", Status::Up)), []);
    assert_eq!(world.monitor.view(&ServiceId::new("a")).unwrap().incident, None);
}

#[test]
fn news_come_behind_what_is_said_of_the_outage_and_do_not_touch_it() {
    let mut world = world();
    let commits: Vec<Commit> = (0..4).flat_map(|_| world.news("a", Status::Down)).collect();
    let opened = (AlertKind::Opened, Reason::Failures, "down at 0".to_owned());
    assert_eq!(said(&commits), [event(1), event(2), opened, event(3), event(4)]);
    assert_eq!(commits[3].alerts[0].status, Status::Down, "it says how the service is");
    let escalated: Vec<Commit> = world.pass(1800).into_iter().map(|(_, commit)| commit).collect();
    assert_eq!(said(&escalated)[0].0, AlertKind::Escalated, "its clock has not been set back");
    let over = world.news("a", Status::Up);
    assert_eq!(
        said(&over).iter().map(|it| it.0).collect::<Vec<_>>(),
        [AlertKind::Recovered, AlertKind::Notice]
    );
    assert_eq!(over[0].alerts.iter().map(names).collect::<Vec<_>>(), ["dp", "d"]);
}

#[test]
fn while_muted_the_newest_is_held_and_told_once_afterwards() {
    let mut world = world();
    world.outcome("a", Status::Up);
    world.set_flag(Some(Flag::default()));
    for _ in 0..2 {
        let commit = &world.news("a", Status::Up)[0];
        assert_eq!((commit.urgency, commit.alerts.len()), (Urgency::Soon, 0));
    }
    let noticed = world.wall;
    world.pass(600);
    assert!(world.outcome("a", Status::Up)[0].state.is_none(), "it is on disk already");
    let commits = world.set_flag(None);
    assert_eq!(said(&commits), [held(2)]);
    assert_eq!((commits[0].alerts[0].since, commits[0].alerts[0].at), (noticed, world.wall));
    assert_eq!(commits[0].state.as_ref().unwrap().held_notice, None, "what was told is told");
    assert_eq!(said(&world.set_flag(Some(Flag::default()))), []);
    assert_eq!(said(&world.set_flag(None)), []);
}

#[test]
fn what_is_held_survives_a_restart_and_a_crash_and_is_not_told_twice() {
    for crash in [World::restart, World::crash] {
        let mut world = world();
        world.set_flag(Some(Flag::default()));
        world.news("a", Status::Up);
        assert_eq!(crash(&mut world), []);
        world.flag = None;
        assert_eq!(said(&crash(&mut world)), [held(1)], "the flag went while PiHook was off");
        assert_eq!(crash(&mut world), []);
        assert_eq!(said(&world.outcome("a", Status::Up)), []);
    }
}

#[test]
fn an_outage_and_news_that_were_held_are_told_together() {
    let mut world = world();
    world.set_flag(Some(Flag::default()));
    for _ in 0..3 {
        world.news("a", Status::Down);
    }
    let opened = (AlertKind::Opened, Reason::AfterMaintenance, "down at 0".to_owned());
    assert_eq!(said(&world.set_flag(None)), [opened, held(3)]);
}

#[test]
fn the_flags_end_and_fresh_news_in_one_event_lose_neither() {
    let mut world = world();
    let until = Some(Timestamp::from_second(START + 10).unwrap());
    world.set_flag(Some(Flag { until, ..Flag::default() }));
    world.news("a", Status::Up);
    world.jump(10);
    assert_eq!(said(&world.news("a", Status::Up)), [held(1), event(2)]);
    assert_eq!(world.send(Event::Woken), []);
}

#[test]
fn news_of_a_service_that_is_gone_are_nobodys() {
    let mut world = world();
    world.set_flag(Some(Flag::default()));
    world.news("a", Status::Up);
    let gone = world.reconfigure(Vec::new());
    assert_eq!((gone.len(), said(&gone)), (1, Vec::new()), "what was held is not kept for ever");
    assert_eq!(world.set_flag(None), []);
}
