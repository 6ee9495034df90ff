use std::sync::Arc;

use super::*;
use crate::{After, Cadence, Ladder, Level, Severity, Timestamp};

fn service(id: &str, depends_on: &[&str]) -> Service {
    let level = Level {
        after: After::Elapsed(Duration::ZERO),
        severity: Severity::Info,
        sinks: Vec::new(),
        mention: None,
        formatter: None,
        repeat: None,
    };
    Service {
        id: ServiceId::new(id),
        name: Arc::from(id.to_uppercase()),
        zone: ZoneId::new("local"),
        cadence: Cadence::Pushed,
        recover_after: std::num::NonZeroU32::MIN,
        depends_on: depends_on.iter().map(|id| ServiceId::new(id)).collect(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

fn ran(status: Status, began: u64, ended: u64) -> Ran {
    let outcome = Outcome {
        status,
        summary: "no answer".to_owned(),
        notice: None,
        response_time: None,
        attempts: 1,
        metrics: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
    };
    Ran { outcome, began: Duration::from_secs(began), ended: Duration::from_secs(ended) }
}

/// What is said of A's failure from 100 to 110 if B answers so; B's ids are those of a service or a zone.
fn verdict(b: &str, status: Status, began: u64, ended: u64) -> Verdict {
    let (a, b) = (service("a", &[b]), service(b, &[]));
    let mut silence = Silence::default();
    silence.reconfigure([&a, &b].into_iter());
    silence.note(&b, &ran(status, began, ended), None);
    silence.judge(&a, &ran(Status::Down, 100, 110))
}

#[test]
fn down_explains_what_it_overlaps_and_anything_else_acquits_if_it_was_asked_afterwards() {
    let explained = Verdict::Explained("B is down".to_owned());
    let wait = Verdict::Wait(vec![ServiceId::new("b")]);
    for (status, began, ended, expected) in [
        (Status::Down, 110, 111, &explained),
        (Status::Down, 90, 100, &explained),
        (Status::Down, 90, 99, &wait),
        (Status::Up, 109, 109, &Verdict::Counts),
        (Status::Up, 108, 111, &wait),
        (Status::Degraded, 110, 111, &Verdict::Counts),
        (Status::Unknown, 110, 111, &Verdict::Counts),
    ] {
        assert_eq!(verdict("b", status, began, ended), *expected, "{status} from {began} to {ended}");
    }
    let cut_off = verdict("pihook:zone:external", Status::Down, 110, 111);
    assert_eq!(cut_off, Verdict::Explained("zone external is cut off".to_owned()));
}

#[test]
fn many_that_fail_at_once_ask_once() {
    let (a, b) = (service("a", &["b"]), service("b", &[]));
    let mut silence = Silence::default();
    silence.reconfigure([&a, &b].into_iter());
    silence.note(&b, &ran(Status::Down, 107, 108), None);
    // It failed within an instant, after B was asked.
    assert!(matches!(silence.judge(&a, &ran(Status::Down, 110, 111)), Verdict::Explained(_)));
    assert!(matches!(silence.judge(&a, &ran(Status::Down, 112, 112)), Verdict::Wait(_)));
}

#[test]
fn who_answers_badly_was_reached_and_who_is_not_watched_is_of_no_account() {
    let (a, b) = (service("a", &["b", "gone"]), service("b", &[]));
    let mut silence = Silence::default();
    silence.reconfigure([&a, &b].into_iter());
    assert_eq!(silence.judge(&a, &ran(Status::Degraded, 0, 1)), Verdict::Counts);
    assert_eq!(silence.judge(&a, &ran(Status::Down, 0, 1)), Verdict::Wait(vec![ServiceId::new("b")]));
    silence.reconfigure([&a].into_iter());
    assert_eq!(silence.judge(&a, &ran(Status::Down, 0, 1)), Verdict::Counts);
}

#[test]
fn what_cannot_be_told_passes_its_cause_on() {
    let services = [service("a", &["b"]), service("b", &["c"]), service("c", &[])];
    let mut silence = Silence::default();
    silence.reconfigure(services.iter());
    silence.note(&services[1], &ran(Status::Down, 110, 111), Some("C is down"));
    let verdict = silence.judge(&services[0], &ran(Status::Down, 100, 110));
    assert_eq!(verdict, Verdict::Explained("C is down".to_owned()));
}

#[test]
fn nothing_is_held_for_ever() {
    let mut silence = Silence::default();
    silence.hold(&ServiceId::new("a"), ran(Status::Down, 1, 2));
    let end = Duration::from_secs(2) + PATIENCE;
    assert_eq!(silence.first(), Some(end));
    assert_eq!(silence.overdue(end - Duration::from_nanos(1)), None);
    assert_eq!(silence.overdue(end), Some(ServiceId::new("a")));
}
