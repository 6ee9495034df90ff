use std::num::NonZeroU32;
use std::sync::Arc;

use super::*;
use crate::{After, Ladder, Level, Severity, ZoneId};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn service(id: &str, cadence: Cadence) -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::MIN),
        severity: Severity::Critical,
        sinks: Vec::new(),
        mention: None,
        formatter: None,
        repeat: None,
    };
    Service {
        id: ServiceId::new(id),
        name: Arc::from(id),
        zone: ZoneId::new("local"),
        cadence,
        recover_after: NonZeroU32::MIN,
        depends_on: Vec::new(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

fn every(interval: Duration, ids: &[&str]) -> Vec<Service> {
    ids.iter().map(|id| service(id, Cadence::Every(interval))).collect()
}

fn index_of(services: &[Service]) -> BTreeMap<ServiceId, usize> {
    services.iter().enumerate().map(|(index, service)| (service.id.clone(), index)).collect()
}

/// Runs every check in no time; the starts until `end`.
fn starts(schedule: &mut Schedule, services: &[Service], end: Duration) -> Vec<(usize, Duration)> {
    let mut starts = Vec::new();
    while let Some(now) = schedule.first().filter(|first| *first < end) {
        let index = schedule.start_due(now).unwrap();
        starts.push((index, now));
        assert_eq!(schedule.finish(&services[index].id, Some(index), now), Finished::Counts);
    }
    starts
}

#[test]
fn first_runs_are_spread_and_the_first_is_at_once() {
    let services = every(secs(300), &["a", "b", "c"]);
    let mut schedule = Schedule::new(&services, secs(1000));
    let first = starts(&mut schedule, &services, secs(1060));
    assert_eq!(first, [(0, secs(1000)), (1, secs(1020)), (2, secs(1040))]);
    let services = every(secs(10), &["a", "b"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    assert_eq!(starts(&mut schedule, &services, secs(10)), [(0, secs(0)), (1, secs(5))]);
}

#[test]
fn the_average_interval_is_exact_and_starts_scatter_a_little() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    let all = starts(&mut schedule, &services, secs(10_000));
    assert_eq!(all.len(), 1000);
    let scatter = |(number, (_, at)): (u32, &(usize, Duration))| at.checked_sub(secs(10) * number).unwrap();
    assert!((0..).zip(&all).map(scatter).all(|scatter| scatter <= secs(1)));
    assert!((0..).zip(&all).map(scatter).any(|scatter| scatter > Duration::from_millis(400)));
}

#[test]
fn starts_fall_on_beats_that_services_share() {
    let ids: Vec<String> = (0..100).map(|number| format!("s{number}")).collect();
    let services = every(secs(10), &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    let all = starts(&mut schedule, &services, secs(1000));
    let after_first: Vec<Duration> = all.iter().map(|(_, at)| *at).filter(|at| *at > secs(11)).collect();
    assert!(after_first.iter().all(|at| at.as_millis() % 500 == 0));
    let wake_ups: BTreeSet<Duration> = after_first.iter().copied().collect();
    assert!(wake_ups.len() * 4 < after_first.len(), "{} wake-ups for {}", wake_ups.len(), after_first.len());
}

#[test]
fn a_long_interval_scatters_by_a_second_at_most() {
    let services = every(secs(3600), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    for (number, (_, at)) in (0..).zip(starts(&mut schedule, &services, secs(360_000))) {
        assert!(at - secs(3600) * number <= secs(1));
    }
}

#[test]
fn missed_slots_are_skipped_and_never_bunched() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    assert_eq!(schedule.start_due(Duration::ZERO), Some(0));
    assert_eq!(schedule.first(), None, "it is running");
    schedule.finish(&services[0].id, Some(0), secs(34));
    let next = schedule.first().unwrap();
    assert!((secs(40)..secs(41)).contains(&next), "{next:?}");
    // The process was stalled for an hour.
    assert_eq!(schedule.start_due(secs(3645)), Some(0));
    schedule.finish(&services[0].id, Some(0), secs(3645));
    assert_eq!(schedule.start_due(secs(3645)), None);
    assert!((secs(3650)..secs(3651)).contains(&schedule.first().unwrap()));
}

#[test]
fn a_report_that_nobody_asked_for_moves_no_slot() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    schedule.finish(&services[0].id, Some(0), secs(3));
    assert_eq!(schedule.start_due(secs(3)), Some(0));
}

#[test]
fn a_check_that_is_called_for_runs_at_once_and_moves_no_slot() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    let mut quiet = Schedule::new(&services, Duration::ZERO);
    for schedule in [&mut schedule, &mut quiet] {
        starts(schedule, &services, secs(11));
    }
    for at in [secs(12), secs(13)] {
        schedule.call(0, at);
        assert_eq!(schedule.start_due(at), Some(0));
        schedule.finish(&services[0].id, Some(0), at);
        assert_eq!(schedule.start_due(at), None, "once for each call");
    }
    assert_eq!(starts(&mut schedule, &services, secs(99)), starts(&mut quiet, &services, secs(99)));
}

#[test]
fn a_running_check_that_is_called_for_runs_once_more_however_often() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    assert_eq!(schedule.start_due(Duration::ZERO), Some(0));
    for _ in 0..3 {
        schedule.call(0, secs(1));
        assert_eq!(schedule.start_due(secs(1)), None, "it is running");
    }
    schedule.finish(&services[0].id, Some(0), secs(2));
    assert_eq!(schedule.start_due(secs(2)), Some(0));
    schedule.finish(&services[0].id, Some(0), secs(3));
    assert_eq!(schedule.start_due(secs(3)), None);
    assert!(schedule.first().is_some_and(|first| (secs(10)..secs(11)).contains(&first)));
}

#[test]
fn what_is_not_there_or_has_no_check_cannot_be_called_for() {
    let services = [service("pushed", Cadence::Pushed)];
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    schedule.call(0, secs(1));
    schedule.call(7, secs(1));
    assert_eq!(schedule.start_due(secs(1)), None);
}

#[test]
fn pushed_services_are_never_started() {
    let services = [service("pushed", Cadence::Pushed)];
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    assert_eq!(schedule.first(), None);
    assert_eq!(schedule.finish(&services[0].id, Some(0), secs(1)), Finished::Counts);
    assert_eq!(schedule.first(), None);
}

#[test]
fn a_reload_keeps_the_phase_of_unchanged_intervals() {
    let services = every(secs(60), &["a", "b", "c"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    let mut after = every(secs(60), &["new", "c", "b"]);
    after[2].cadence = Cadence::Every(secs(30));
    schedule.reconfigure(&after, &index_of(&services), secs(5));
    let first = starts(&mut schedule, &after, secs(45));
    assert_eq!(first[0], (0, secs(5)), "the first new one starts at once");
    assert!(first.contains(&(1, secs(40))), "c keeps its slot: {first:?}");
    assert!(first.contains(&(2, secs(20))), "b is spread like a new one: {first:?}");
}

#[test]
fn a_removed_service_that_returns_waits_for_its_old_run() {
    let services = every(secs(10), &["a"]);
    let mut schedule = Schedule::new(&services, Duration::ZERO);
    assert_eq!(schedule.start_due(Duration::ZERO), Some(0));
    schedule.reconfigure(&[], &index_of(&services), secs(1));
    schedule.reconfigure(&services, &BTreeMap::new(), secs(2));
    assert_eq!(schedule.start_due(secs(100)), None, "the old run has not ended");
    assert_eq!(schedule.finish(&services[0].id, Some(0), secs(101)), Finished::Orphaned);
    assert!(schedule.first().is_some());
    assert!(schedule.orphans.is_empty());
}

#[test]
fn absurd_times_do_not_panic() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let services = every(interval, &["a", "b"]);
        let mut schedule = Schedule::new(&services, Duration::MAX - secs(1));
        while let Some(index) = schedule.start_due(Duration::MAX) {
            schedule.finish(&services[index].id, Some(index), Duration::MAX);
            if schedule.first() == Some(Duration::MAX) {
                break;
            }
        }
    }
}
