//! The flag's own clock: `until` is wall time, noticed within a minute even if nothing else happens.

use pihook_core::maintenance::Flag;
use pihook_core::monitor::{Event, Muting};
use pihook_core::{AlertKind, Reason, ServiceId, Status, Timestamp};

use crate::world::{START, World, failures, ladder, level, secs, service};

fn muted_until(seconds: i64) -> World {
    let mut world = World::new(vec![service("a", ladder(vec![level(failures(1), "d", None)]), 1)]);
    let until = Some(Timestamp::from_second(START + seconds).unwrap());
    world.set_flag(Some(Flag { until, ..Flag::default() }));
    world
}

fn muting(world: &World) -> Muting {
    world.monitor.muting(&ServiceId::new("a")).unwrap()
}

#[test]
fn it_ends_by_itself_at_the_second() {
    let mut world = muted_until(1000);
    world.outcome("a", Status::Down);
    let said = world.pass(2000);
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].0, said[0].1.alerts[0].kind), (1000, AlertKind::Opened));
    assert_eq!(said[0].1.alerts[0].reason, Reason::AfterMaintenance);
    assert_eq!(world.monitor.next_wakeup(), None, "a flag that is over is not watched");
}

#[test]
fn it_is_looked_at_every_minute_since_the_clock_may_jump() {
    let mut world = muted_until(1_000_000);
    world.outcome("a", Status::Down);
    assert_eq!(world.monitor.next_wakeup(), Some(world.uptime + secs(60)));
    world.pass(90);
    world.jump(2_000_000);
    assert_eq!(world.pass(60).len(), 1);
    assert_eq!(muting(&world), Muting::Audible);
}

#[test]
fn a_clock_that_jumps_back_mutes_again() {
    let mut world = muted_until(10);
    world.pass(20);
    assert_eq!(muting(&world), Muting::Audible);
    world.jump(-1000);
    assert!(world.outcome("a", Status::Down)[0].alerts.is_empty());
    assert_eq!(muting(&world), Muting::Muted);
}

#[test]
fn its_end_and_a_recovery_in_one_event_are_one_alert() {
    let mut world = muted_until(0);
    world.outcome("a", Status::Down);
    let until = Some(world.wall.checked_add(jiff::SignedDuration::from_secs(10)).unwrap());
    world.set_flag(Some(Flag { until, ..Flag::default() }));
    world.jump(10);
    let alerts: Vec<_> =
        world.outcome("a", Status::Up).into_iter().flat_map(|commit| commit.alerts).collect();
    assert_eq!(alerts.iter().map(|alert| alert.kind).collect::<Vec<_>>(), [AlertKind::Recovered]);
}

#[test]
fn what_was_left_to_say_is_said_after_a_restart() {
    let mut world = muted_until(1000);
    world.outcome("a", Status::Down);
    world.flag = None;
    assert_eq!(world.restart()[0].alerts[0].kind, AlertKind::Opened);
    world.set_flag(Some(Flag::default()));
    world.outcome("a", Status::Up);
    world.flag = None;
    assert_eq!(world.restart()[0].alerts[0].kind, AlertKind::Recovered);
}

#[test]
fn a_reminder_survives_a_crash_during_maintenance() {
    let mut world = muted_until(0);
    world.outcome("a", Status::Down);
    world.set_flag(Some(Flag::default()));
    world.flag = None;
    let alerts = &world.crash()[0].alerts;
    assert_eq!((alerts[0].kind, alerts[0].reason), (AlertKind::Reminder, Reason::AfterMaintenance));
    assert_eq!(world.send(Event::Woken), []);
    assert_eq!(world.crash(), [], "once");
}
