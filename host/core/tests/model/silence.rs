//! Silence when silence is right: failures that something else explains, and services that flap.

use std::time::Duration;

use pihook_core::monitor::{Commit, Event};
use pihook_core::{AlertKind, Flap, Moment, Outcome, Reason, Service, ServiceId, Status, Timestamp, ZoneId};

use crate::world::{World, elapsed, failures, ladder, level, secs, service};

fn dependent(id: &str, on: &[&str]) -> Service {
    let ladder = ladder(vec![level(failures(2), "d", Some(1000)), level(elapsed(600), "p", None)]);
    Service { depends_on: on.iter().map(|id| ServiceId::new(id)).collect(), ..service(id, ladder, 1) }
}

fn gist(commits: &[Commit]) -> Vec<(&str, Status, usize)> {
    let one = |commit: &'_ Commit| {
        let outcome = &commit.outcome.as_ref().unwrap().outcome;
        (outcome.status, commit.alerts.len())
    };
    commits
        .iter()
        .map(|commit| {
            let (status, alerts) = one(commit);
            (commit.service.as_str(), status, alerts)
        })
        .collect()
}

fn said(commits: &[Commit]) -> Vec<(AlertKind, Reason)> {
    commits.iter().flat_map(|commit| &commit.alerts).map(|alert| (alert.kind, alert.reason)).collect()
}

#[test]
fn a_failure_is_held_until_what_it_depends_on_has_answered() {
    let mut world = World::new(vec![dependent("a", &["b"]), dependent("b", &[])]);
    assert_eq!(world.outcome("a", Status::Down), []);
    assert!(world.monitor.holds(&ServiceId::new("a")));
    let commits = world.outcome("b", Status::Down);
    assert_eq!(gist(&commits), [("b", Status::Down, 0), ("a", Status::Unknown, 0)]);
    let told = &commits[1].outcome.as_ref().unwrap().outcome.summary;
    assert!(told.starts_with("B is down; the check said: down"), "{told}");

    world.pass(60);
    world.outcome("a", Status::Down);
    let commits = world.outcome("b", Status::Up);
    assert_eq!(gist(&commits), [("b", Status::Up, 0), ("a", Status::Down, 0)], "its first that counts");
    world.pass(60);
    world.outcome("a", Status::Down);
    assert_eq!(gist(&world.outcome("b", Status::Up)), [("b", Status::Up, 0), ("a", Status::Down, 1)]);
}

#[test]
fn a_chain_is_explained_by_its_root_which_alone_is_told() {
    let mut world = World::new(vec![dependent("a", &["b"]), dependent("b", &["c"]), dependent("c", &[])]);
    for round in 0..5 {
        assert_eq!(world.outcome("a", Status::Down), []);
        assert_eq!(world.outcome("b", Status::Down), []);
        let alerts = usize::from(round == 1);
        let commits = world.outcome("c", Status::Down);
        assert_eq!(
            gist(&commits),
            [("c", Status::Down, alerts), ("b", Status::Unknown, 0), ("a", Status::Unknown, 0)]
        );
        world.pass(60);
    }
}

#[test]
fn a_zone_that_is_cut_off_is_one_alert_and_the_others_go_on() {
    let zone = pihook_core::silence::zone_service(&ZoneId::new("external"));
    let canaries = service(zone.as_str(), ladder(vec![level(failures(1), "d", None)]), 1);
    let mut services = vec![canaries, dependent("local", &[])];
    let ids: Vec<_> = (0..20).map(|number| format!("s{number}")).collect();
    services.extend(ids.iter().map(|id| dependent(id, &[zone.as_str()])));
    let mut world = World::new(services);
    let mut alerts = Vec::new();
    for _ in 0..8 {
        for id in &ids {
            alerts.extend(said(&world.outcome(id, Status::Down)));
        }
        alerts.extend(said(&world.outcome(zone.as_str(), Status::Down)));
        alerts.extend(said(&world.outcome("local", Status::Up)));
        world.pass(60);
    }
    assert_eq!(alerts, [(AlertKind::Opened, Reason::Failures)]);
    world.outcome("local", Status::Down);
    assert_eq!(
        said(&world.outcome("local", Status::Down)).len(),
        1,
        "another zone's outage is told meanwhile"
    );
    assert_eq!(said(&world.outcome(zone.as_str(), Status::Up)), [(AlertKind::Recovered, Reason::Recovered)]);
    for id in &ids {
        let status = if id == "s7" { Status::Down } else { Status::Up };
        assert_eq!(said(&world.outcome(id, status)), []);
    }
    let really_down = said(&world.outcome("s7", Status::Down));
    assert_eq!(really_down, [(AlertKind::Opened, Reason::Failures)]);
}

#[test]
fn an_open_incident_is_neither_reminded_nor_escalated_nor_ended_by_what_is_explained() {
    let mut world = World::new(vec![dependent("a", &["b"]), dependent("b", &[])]);
    for _ in 0..2 {
        world.outcome("a", Status::Down);
        world.outcome("b", Status::Up);
        world.pass(10);
    }
    assert_eq!(world.outcome("a", Status::Down), []);
    world.outcome("b", Status::Down);
    let quiet = world.pass(5000);
    assert!(quiet.iter().all(|(_, commit)| commit.service.as_str() != "a"), "{quiet:?}");
    assert_eq!(world.restart(), [], "a restart does not change that");
    assert_eq!(world.pass(5000).len(), 0);
    assert_eq!(said(&world.outcome("a", Status::Up)), [(AlertKind::Recovered, Reason::Recovered)]);
}

#[test]
fn news_are_told_while_a_failure_is_explained_and_nothing_else_is() {
    let mut world = World::new(vec![dependent("a", &["b"]), dependent("b", &[])]);
    for _ in 0..2 {
        world.outcome("a", Status::Down);
        world.outcome("b", Status::Up);
    }
    world.set_flag(Some(pihook_core::maintenance::Flag::default()));
    world.pass(10);
    assert_eq!(world.news("a", Status::Down), []);
    world.outcome("b", Status::Down);
    world.pass(5000);
    let told = said(&world.set_flag(None));
    let news = (AlertKind::Notice, Reason::AfterMaintenance);
    assert_eq!(told, [news], "that it was down already is said when it can be told again");
    world.pass(10);
    world.outcome("a", Status::Down);
    assert_eq!(said(&world.outcome("b", Status::Up)), [(AlertKind::Reminder, Reason::AfterMaintenance)]);
}

#[test]
fn what_nobody_answers_counts_after_a_minute() {
    let mut world = World::new(vec![dependent("a", &["b"]), dependent("b", &[])]);
    world.outcome("a", Status::Down);
    let counted = world.pass(100);
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].0, 60);
    assert_eq!(counted[0].1.outcome.as_ref().unwrap().outcome.status, Status::Down);
}

#[test]
fn the_canaries_are_asked_once_for_many_failures_and_no_check_starts_while_it_is_held() {
    use pihook_core::Cadence;
    use pihook_core::monitor::{Effect, Monitor, SavedState};
    let every = |mut service: Service, seconds| {
        service.cadence = Cadence::Every(secs(seconds));
        service
    };
    let ids: Vec<_> = (0..200).map(|number| format!("s{number}")).collect();
    let mut services: Vec<_> = ids.iter().map(|id| every(dependent(id, &["zone"]), 1)).collect();
    services.push(every(dependent("zone", &[]), 100_000));
    let now = |uptime| Moment { uptime, wall: Timestamp::UNIX_EPOCH };
    let mut monitor = Monitor::new(services.into(), None, SavedState::default(), now(secs(0)));
    let started = |effects: Vec<Effect>, of: &str| {
        effects.into_iter().filter(|it| *it == Effect::StartCheck(ServiceId::new(of))).count()
    };
    monitor.handle(Event::Woken, now(secs(61)));
    let finished = |service: &str, status| Event::CheckFinished {
        service: ServiceId::new(service),
        outcome: bare(status),
    };
    monitor.handle(finished("zone", Status::Up), now(secs(62)));
    let mut asked = 0;
    for id in &ids {
        asked += started(monitor.handle(finished(id, Status::Down), now(secs(70))), "zone");
    }
    assert_eq!(asked, 1);
    let late = now(secs(72) + Duration::from_millis(500));
    assert_eq!(monitor.handle(Event::Woken, late), [], "all of them are held, and none is started");
    let commits = monitor.handle(finished("zone", Status::Down), late);
    let explained = |effect: &&Effect| {
        matches!(effect, Effect::Commit(commit)
            if commit.outcome.as_ref().unwrap().outcome.status == Status::Unknown)
    };
    assert_eq!(commits.iter().filter(explained).count(), 200);
}

#[test]
fn who_was_explained_is_checked_at_once_when_its_zone_is_back() {
    use pihook_core::Cadence;
    use pihook_core::monitor::{Effect, Monitor, SavedState};

    let hourly = |service: Service| Service { cadence: Cadence::Every(secs(3600)), ..service };
    let services = vec![hourly(dependent("zone", &[])), hourly(dependent("a", &["zone"]))];
    let now = |uptime| Moment { uptime: secs(uptime), wall: Timestamp::UNIX_EPOCH };
    let mut monitor = Monitor::new(services.into(), None, SavedState::default(), now(0));
    // Has the check run, and says which others that starts.
    let mut finish = |service: &str, status, uptime| {
        let id = ServiceId::new(service);
        if !monitor.view(&id).unwrap().running {
            monitor.handle(Event::CheckDue { service: id.clone() }, now(uptime - 1));
        }
        let effects =
            monitor.handle(Event::CheckFinished { service: id, outcome: bare(status) }, now(uptime));
        let started = effects.into_iter().filter_map(|effect| match effect {
            Effect::StartCheck(id) => Some(id.as_str().to_owned()),
            Effect::Commit(_) => None,
        });
        started.collect::<Vec<_>>()
    };
    assert_eq!(finish("zone", Status::Up, 62), [""; 0]);
    assert_eq!(finish("a", Status::Up, 63), [""; 0]);
    assert_eq!(finish("a", Status::Down, 100), ["zone"]);
    assert_eq!(finish("zone", Status::Down, 101), [""; 0], "it is explained");
    assert_eq!(finish("zone", Status::Down, 200), [""; 0]);
    assert_eq!(finish("zone", Status::Up, 300), ["a"]);
    assert_eq!(finish("a", Status::Up, 301), [""; 0]);
    assert_eq!(finish("zone", Status::Up, 400), [""; 0], "once is enough");
}

fn bare(status: Status) -> Outcome {
    Outcome {
        status,
        summary: String::new(),
        notice: None,
        response_time: None,
        attempts: 1,
        metrics: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn flapping() -> World {
    let ladder = ladder(vec![level(failures(3), "d", Some(300)), level(elapsed(900), "p", None)]);
    let mut service = service("a", ladder, 1);
    service.flap = Some(Flap::default());
    World::new(vec![service])
}

/// Lets it blink, and says what was said.
fn blink(world: &mut World, times: usize) -> Vec<(AlertKind, Reason)> {
    let mut all = Vec::new();
    for _ in 0..times {
        for status in [Status::Down, Status::Up] {
            all.extend(said(&world.outcome("a", status)));
            let passed: Vec<_> = world.pass(60).into_iter().map(|(_, commit)| commit).collect();
            all.extend(said(&passed));
        }
    }
    all
}

#[test]
fn flapping_is_told_once_and_once_when_it_has_settled() {
    let mut world = flapping();
    assert_eq!(blink(&mut world, 40), [(AlertKind::Opened, Reason::Flapping)]);
    let mut settled = Vec::new();
    for _ in 0..40 {
        settled.extend(said(&world.outcome("a", Status::Up)));
    }
    assert_eq!(settled, [(AlertKind::Recovered, Reason::Settled)]);
    assert!(world.outcome("a", Status::Up)[0].state.is_none(), "what is steady is not written");
}

#[test]
fn what_settles_badly_stays_an_incident_and_climbs_on() {
    let mut world = flapping();
    blink(&mut world, 20);
    let mut after = Vec::new();
    for _ in 0..20 {
        after.extend(said(&world.outcome("a", Status::Down)));
    }
    assert_eq!(after, [(AlertKind::Escalated, Reason::Settled)]);
    assert_eq!(said(&world.outcome("a", Status::Up)), [(AlertKind::Recovered, Reason::Recovered)]);
}

#[test]
fn an_outage_that_begins_to_flap_says_so_once_and_survives_a_restart() {
    let mut world = flapping();
    for _ in 0..3 {
        world.outcome("a", Status::Down);
    }
    // Up ends the incident of the outage, as ever; the next ones begin to flap.
    let told = blink(&mut world, 8);
    assert_eq!(told.iter().filter(|(_, reason)| *reason == Reason::Flapping).count(), 1, "{told:?}");
    assert_eq!(world.restart(), []);
    assert_eq!(blink(&mut world, 10), []);
}

#[test]
fn what_happens_under_maintenance_is_no_flapping() {
    let mut world = flapping();
    world.set_flag(Some(pihook_core::maintenance::Flag::default()));
    blink(&mut world, 40);
    world.set_flag(None);
    assert_eq!(blink(&mut world, 1), []);
}
