//! The escalation table, a test a row, and the rules beside it.

use pihook_core::monitor::{Commit, Muting};
use pihook_core::{Alert, AlertKind, IncidentId, Reason, Status};

use Status::{Degraded, Down, Unknown, Up};

use crate::world::{World, elapsed, failures, ladder, level, names, secs, service};

/// 3 failures tell `d`; after 30 min `dp`, and again every 4 h.
fn world() -> World {
    world_that_recovers_after(1)
}

fn world_that_recovers_after(count: u32) -> World {
    let levels = vec![level(failures(3), "d", None), level(elapsed(1800), "dp", Some(14_400))];
    World::new(vec![service("a", ladder(levels), count)])
}

fn feed(world: &mut World, statuses: &[Status]) -> Vec<Alert> {
    statuses.iter().flat_map(|status| world.outcome("a", *status)).flat_map(|commit| commit.alerts).collect()
}

fn only(mut commits: Vec<Commit>) -> Commit {
    assert_eq!(commits.len(), 1, "{commits:?}");
    commits.remove(0)
}

fn gist(alerts: &[Alert]) -> Vec<(AlertKind, Reason, u32, String)> {
    alerts.iter().map(|alert| (alert.kind, alert.reason, alert.level, names(alert))).collect()
}

/// What was said while time passed, with the second.
fn passing(world: &mut World, seconds: u64) -> Vec<(u64, AlertKind, Reason)> {
    let said = world.pass(seconds);
    said.iter().flat_map(|(at, commit)| commit.alerts.iter().map(|a| (*at, a.kind, a.reason))).collect()
}

fn mute(world: &mut World) {
    world.set_flag(Some(Default::default()));
}

fn unmute(world: &mut World) -> Vec<Alert> {
    world.set_flag(None).into_iter().flat_map(|commit| commit.alerts).collect()
}

fn view(world: &World) -> pihook_core::monitor::View {
    world.monitor.view(&pihook_core::ServiceId::new("a")).unwrap()
}

#[test]
fn calm_with_a_bad_outcome_below_the_threshold_is_suspect_and_silent() {
    let mut world = world();
    assert_eq!(feed(&mut world, &[Up, Down, Down]), []);
    assert_eq!((view(&world).health, view(&world).incident), (Some(Up), None));
}

#[test]
fn suspect_with_a_good_outcome_is_calm() {
    let mut world = world();
    assert_eq!(feed(&mut world, &[Down, Down, Up, Down, Down, Up]), []);
}

#[test]
fn suspect_opens_when_the_streak_reaches_the_first_level() {
    let mut world = world();
    feed(&mut world, &[Up]);
    world.pass(60);
    let since = world.wall;
    feed(&mut world, &[Down]);
    world.pass(60);
    feed(&mut world, &[Degraded]);
    world.pass(60);
    let commit = only(world.outcome("a", Down));
    assert_eq!(gist(&commit.alerts), [(AlertKind::Opened, Reason::Failures, 0, "d".to_owned())]);
    let alert = &commit.alerts[0];
    assert_eq!((alert.since, alert.lasted, alert.failures, alert.status), (since, secs(120), 3, Down));
    assert_eq!((alert.at, &*alert.name), (world.wall, "A"));
    let transition = commit.transition.unwrap();
    assert_eq!((transition.from, transition.to), (Up, Down));
    let incident = commit.incident.unwrap();
    assert_eq!((incident.id, incident.opened, incident.checks_failed), (IncidentId(1), since, 3));
    assert_eq!(view(&world).incident, Some(incident));
}

#[test]
fn open_climbs_when_the_next_levels_condition_holds() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    assert_eq!(passing(&mut world, 5000), [(1800, AlertKind::Escalated, Reason::Elapsed)]);
}

#[test]
fn open_reminds_when_the_repeat_interval_has_elapsed() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    let reminder = |at| (at, AlertKind::Reminder, Reason::Repeat);
    let escalated = (1800, AlertKind::Escalated, Reason::Elapsed);
    assert_eq!(passing(&mut world, 40_000), [escalated, reminder(16_200), reminder(30_600)]);
}

#[test]
fn open_that_becomes_worse_says_so_once() {
    let mut world = world();
    feed(&mut world, &[Degraded, Degraded, Degraded]);
    let alerts = feed(&mut world, &[Degraded, Down, Down, Degraded, Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Escalated, Reason::Worse, 0, "d".to_owned())]);
    assert_eq!(alerts[0].status, Down);
}

#[test]
fn open_that_becomes_better_says_nothing_but_shows_it() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    assert_eq!(feed(&mut world, &[Degraded]), []);
    assert_eq!(view(&world).health, Some(Degraded));
    assert_eq!(view(&world).incident.unwrap().status, Down, "the worst so far");
}

#[test]
fn open_recovers_with_every_sink_told_and_the_downtime() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    world.pass(2000);
    let commit = only(world.outcome("a", Up));
    assert_eq!(gist(&commit.alerts), [(AlertKind::Recovered, Reason::Recovered, 1, "dp".to_owned())]);
    let alert = &commit.alerts[0];
    assert_eq!((alert.lasted, alert.status, alert.failures), (secs(2000), Up, 3));
    assert_eq!(commit.incident.unwrap().closed, Some(world.wall));
    assert_eq!((view(&world).health, view(&world).incident), (Some(Up), None));
}

#[test]
fn open_needs_as_many_good_outcomes_as_asked_for() {
    let mut world = world_that_recovers_after(3);
    feed(&mut world, &[Down, Down, Down]);
    assert_eq!(feed(&mut world, &[Up, Up, Down, Up, Up]), []);
    assert_eq!(gist(&feed(&mut world, &[Up]))[0].0, AlertKind::Recovered);
}

#[test]
fn maintenance_pauses_the_escalation_clock() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    world.pass(1000);
    mute(&mut world);
    assert_eq!(passing(&mut world, 50_000), []);
    unmute(&mut world);
    assert_eq!(passing(&mut world, 2000), [(800, AlertKind::Escalated, Reason::Elapsed)]);
}

#[test]
fn muted_and_announced_holds_the_recovery_until_maintenance_ends() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    mute(&mut world);
    world.pass(300);
    let commit = only(world.outcome("a", Up));
    assert_eq!(commit.outcome.unwrap().maintenance, Muting::Muted);
    assert_eq!((commit.alerts, commit.incident.unwrap().closed), (vec![], Some(world.wall)));
    world.pass(5000);
    let alerts = unmute(&mut world);
    assert_eq!(gist(&alerts), [(AlertKind::Recovered, Reason::Recovered, 0, "d".to_owned())]);
    assert_eq!(alerts[0].lasted, secs(300), "the downtime, not the time until it was told");
    assert_eq!(unmute(&mut world), []);
}

#[test]
fn muted_and_not_announced_recovers_in_silence() {
    let mut world = world();
    mute(&mut world);
    assert_eq!(feed(&mut world, &[Down, Down, Down]), []);
    assert!(view(&world).incident.is_some(), "history goes on");
    assert_eq!(feed(&mut world, &[Up]), []);
    assert_eq!(unmute(&mut world), []);
}

#[test]
fn maintenance_that_ends_on_a_new_outage_opens_it() {
    let mut world = world();
    mute(&mut world);
    feed(&mut world, &[Down, Down, Down, Down]);
    let alerts = unmute(&mut world);
    assert_eq!(gist(&alerts), [(AlertKind::Opened, Reason::AfterMaintenance, 0, "d".to_owned())]);
    assert_eq!(alerts[0].failures, 4);
}

#[test]
fn maintenance_that_ends_on_a_known_outage_reminds_of_it() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    mute(&mut world);
    feed(&mut world, &[Down]);
    assert_eq!(
        gist(&unmute(&mut world)),
        [(AlertKind::Reminder, Reason::AfterMaintenance, 0, "d".to_owned())]
    );
}

#[test]
fn a_held_recovery_that_fails_again_is_the_same_incident() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    mute(&mut world);
    feed(&mut world, &[Up, Down, Down]);
    assert_eq!(view(&world).incident, None, "two failures are no outage");
    feed(&mut world, &[Down]);
    let incident = view(&world).incident.unwrap();
    assert_eq!((incident.id, incident.closed, incident.checks_failed), (IncidentId(1), None, 6));
    assert_eq!(gist(&unmute(&mut world))[0].0, AlertKind::Reminder);
}

#[test]
fn unknown_neither_advances_nor_resets_the_streak() {
    let mut world = world();
    let alerts = feed(&mut world, &[Down, Unknown, Down, Unknown, Unknown, Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Opened, Reason::Failures, 0, "d".to_owned())]);
    let mut world = world_that_recovers_after(2);
    feed(&mut world, &[Down, Down, Down]);
    assert_eq!(gist(&feed(&mut world, &[Up, Unknown, Up]))[0].0, AlertKind::Recovered);
}

#[test]
fn not_being_able_to_tell_takes_twice_as_many() {
    let mut world = world();
    assert_eq!(feed(&mut world, &[Unknown, Unknown, Unknown, Unknown, Unknown]), []);
    let alerts = feed(&mut world, &[Unknown]);
    assert_eq!(gist(&alerts), [(AlertKind::Opened, Reason::CannotTell, 0, "d".to_owned())]);
    assert_eq!((alerts[0].status, alerts[0].failures), (Unknown, 6));
    assert_eq!(passing(&mut world, 3600), [(3600, AlertKind::Escalated, Reason::CannotTell)]);
}

#[test]
fn a_definite_outcome_resets_the_streak_of_unknown() {
    let mut world = world();
    assert_eq!(feed(&mut world, &[Unknown, Unknown, Unknown, Unknown, Unknown, Up, Unknown]), []);
}

#[test]
fn unknown_that_turns_out_to_be_an_outage_became_worse() {
    let mut world = world();
    feed(&mut world, &[Unknown; 6]);
    assert_eq!(feed(&mut world, &[Down, Down]), []);
    assert_eq!(view(&world).health, Some(Unknown));
    let alerts = feed(&mut world, &[Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Escalated, Reason::Worse, 0, "d".to_owned())]);
    assert_eq!(alerts[0].status, Down);
}

#[test]
fn bad_outcomes_climb_no_level_before_they_confirm_the_outage() {
    let levels = vec![level(failures(3), "d", None), level(elapsed(100), "p", None)];
    let mut world = World::new(vec![service("a", ladder(levels), 1)]);
    feed(&mut world, &[Unknown; 6]);
    world.pass(150);
    assert_eq!(feed(&mut world, &[Down, Down]), []);
    assert_eq!(passing(&mut world, 500), []);
    let alerts = feed(&mut world, &[Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Escalated, Reason::Worse, 1, "pd".to_owned())]);
}

#[test]
fn a_leap_over_levels_is_one_alert_that_leaves_nobody_out() {
    let levels =
        vec![level(failures(2), "d", None), level(failures(2), "p", None), level(failures(9), "x", None)];
    let mut world = World::new(vec![service("a", ladder(levels), 1)]);
    let alerts = feed(&mut world, &[Down, Down, Up]);
    let opened = (AlertKind::Opened, Reason::Failures, 1, "dp".to_owned());
    assert_eq!(gist(&alerts), [opened, (AlertKind::Recovered, Reason::Recovered, 1, "dp".to_owned())]);
}

#[test]
fn a_first_level_of_time_opens_with_the_first_bad_outcome_after_it() {
    let mut world = World::new(vec![service("a", ladder(vec![level(elapsed(100), "d", None)]), 1)]);
    for _ in 0..10 {
        assert_eq!(feed(&mut world, &[Down]), []);
        assert_eq!(passing(&mut world, 10), []);
    }
    let alerts = feed(&mut world, &[Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Opened, Reason::Elapsed, 0, "d".to_owned())]);
    assert_eq!((alerts[0].failures, alerts[0].lasted), (11, secs(100)));
}

#[test]
fn a_ladder_without_sinks_still_decides() {
    let mut world = World::new(vec![service("a", ladder(vec![level(failures(1), "", None)]), 1)]);
    let alerts = feed(&mut world, &[Down, Up]);
    assert_eq!(
        alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(),
        [AlertKind::Opened, AlertKind::Recovered]
    );
    assert!(alerts.iter().all(|alert| alert.sinks.is_empty()));
}

#[test]
fn a_reload_keeps_the_incident_and_applies_the_ladder() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    world.pass(2000);
    world.ledger.forget_levels();
    let lower = ladder(vec![level(failures(3), "n", Some(600))]);
    assert_eq!(world.reconfigure(vec![service("a", lower, 1)]), []);
    assert_eq!(passing(&mut world, 500), [(400, AlertKind::Reminder, Reason::Repeat)]);
    assert_eq!(
        gist(&feed(&mut world, &[Up])),
        [(AlertKind::Recovered, Reason::Recovered, 0, "dpn".to_owned())]
    );
}

#[test]
fn a_removed_service_leaves_history_in_silence_and_returns_calm() {
    let mut world = world();
    feed(&mut world, &[Down, Down, Down]);
    let services = world.services.clone();
    let commit = only(world.reconfigure(Vec::new()));
    assert_eq!((commit.alerts, commit.transition), (vec![], None));
    assert_eq!(commit.incident.unwrap().closed, Some(world.wall));
    assert_eq!(world.outcome("a", Up), [], "nobody waits for it");
    assert_eq!(world.reconfigure(services), []);
    assert_eq!(feed(&mut world, &[Down, Down]), []);
    assert_eq!(feed(&mut world, &[Down])[0].incident, IncidentId(2));
}

/// Down: 3 failures tell `d`, 30 min `p`. Degraded: 2 failures tell `m`, then 4 `n`, then 6 `o`.
fn world_with_two_ladders() -> World {
    let levels = vec![level(failures(3), "d", None), level(elapsed(1800), "p", None)];
    let quiet = [(2, "m"), (4, "n"), (6, "o")].map(|(count, sinks)| level(failures(count), sinks, None));
    let mut service = service("a", ladder(levels), 1);
    service.degraded = Some(ladder(quiet.to_vec()));
    World::new(vec![service])
}

#[test]
fn degraded_has_a_ladder_of_its_own() {
    let mut world = world_with_two_ladders();
    let alerts = feed(&mut world, &[Degraded, Degraded, Degraded, Degraded, Up]);
    let told = [(AlertKind::Opened, 0, "m"), (AlertKind::Escalated, 1, "n"), (AlertKind::Recovered, 1, "mn")];
    let gist: Vec<_> = alerts.iter().map(|alert| (alert.kind, alert.level, names(alert))).collect();
    assert_eq!(gist, told.map(|(kind, level, sinks)| (kind, level, sinks.to_owned())));
    assert_eq!(feed(&mut world, &[Down, Down]), [], "what is down waits for its own");
}

#[test]
fn degraded_that_becomes_down_tells_both_and_keeps_its_level() {
    let mut world = world_with_two_ladders();
    feed(&mut world, &[Degraded, Degraded]);
    let alerts = feed(&mut world, &[Down]);
    assert_eq!(gist(&alerts), [(AlertKind::Escalated, Reason::Worse, 0, "dm".to_owned())]);
    assert_eq!(passing(&mut world, 4000), [(1800, AlertKind::Escalated, Reason::Elapsed)]);

    let mut world = world_with_two_ladders();
    feed(&mut world, &[Degraded; 6]);
    let alerts = feed(&mut world, &[Down]);
    let worse = (AlertKind::Escalated, Reason::Worse, 2, "dpmno".to_owned());
    assert_eq!(gist(&alerts), [worse], "the shorter ladder's top is as high as it gets");
}

#[test]
fn what_becomes_down_during_maintenance_reaches_its_own_ladder_afterwards() {
    let mut world = world_with_two_ladders();
    feed(&mut world, &[Degraded; 4]);
    mute(&mut world);
    feed(&mut world, &[Down]);
    let reminder = (AlertKind::Reminder, Reason::AfterMaintenance, 1, "dp".to_owned());
    assert_eq!(gist(&unmute(&mut world)), [reminder]);
}
