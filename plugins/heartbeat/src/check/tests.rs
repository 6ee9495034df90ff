use std::collections::BTreeSet;

use pihook_plugin::guide::column;
use pihook_plugin::settings::Millis;
use pihook_plugin::{Metric, Status};
use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn daily() -> Settings {
    Settings { token: "${secret:0}".to_owned(), period: Millis(DAY), grace: Some(Millis(2 * HOUR)) }
}

fn beat(ago_ms: u64) -> Beat {
    Beat { at_ms: 1_800_000_000_000, ago_ms, ok: true, ..Beat::default() }
}

fn observed(last: Option<Beat>) -> Observed {
    Observed { last, waited_ms: 100 * DAY, listening_ms: Some(100 * DAY), before: Standing::Heard }
}

fn verdict(observed: &Observed) -> (Status, String) {
    let (outcome, standing) = judge(&daily(), observed).expect("it can tell");
    assert_eq!(standing == Standing::Missed, outcome.summary.starts_with("no sign of life"));
    (outcome.status, outcome.summary)
}

#[track_caller]
fn check(last: Beat, status: Status, summary: &str) {
    assert_eq!(verdict(&observed(Some(last))), (status, summary.to_owned()));
}

#[test]
fn in_time_and_within_the_grace_it_is_up_and_then_down() {
    const WELL: &str = "signs of life come in time";
    check(beat(0), Status::Up, WELL);
    check(beat(DAY), Status::Up, WELL);
    check(beat(DAY + HOUR), Status::Up, WELL);
    check(beat(26 * HOUR), Status::Up, WELL);
    const LATE: &str = "(expected every 1 d, 2 h of grace)";
    check(beat(26 * HOUR + 1), Status::Down, &format!("no sign of life for 1 d 2 h {LATE}"));
    check(beat(27 * HOUR), Status::Down, &format!("no sign of life for 1 d 3 h {LATE}"));
    check(beat(u64::MAX), Status::Down, &format!("no sign of life for 213503982334 d 14 h {LATE}"));
}

#[test]
fn a_reported_failure_is_down_with_its_words() {
    let failed = |message: &str, ago_ms| Beat { ok: false, message: message.to_owned(), ..beat(ago_ms) };
    check(failed("", 5), Status::Down, "reported a failure");
    check(failed("disk full", HOUR), Status::Down, "reported a failure: disk full");
    check(
        failed("disk full", 2 * DAY),
        Status::Down,
        "no sign of life for 2 d (expected every 1 d, 2 h of grace); the last one reported a failure: disk full",
    );
    let said = Beat { message: "3 GiB copied".to_owned(), ..beat(5) };
    check(said, Status::Up, "signs of life come in time: 3 GiB copied");
}

#[test]
fn a_new_service_is_waited_for_as_long_as_any() {
    let new = |waited_ms| Observed { waited_ms, ..observed(None) };
    assert_eq!(verdict(&new(0)), (Status::Up, "waiting for the first sign of life".to_owned()));
    assert_eq!(verdict(&new(26 * HOUR)).0, Status::Up);
    let missed = "no sign of life yet, after 1 d 3 h (expected every 1 d, 2 h of grace)";
    assert_eq!(verdict(&new(27 * HOUR)), (Status::Down, missed.to_owned()));
}

#[test]
fn without_grace_none_is_spoken_of() {
    let strict = Settings { grace: Some(Millis(0)), ..daily() };
    let (outcome, _) = judge(&strict, &observed(Some(beat(DAY + 1)))).expect("it can tell");
    assert_eq!(outcome.summary, "no sign of life for 1 d (expected every 1 d)");
}

#[test]
fn what_pihook_could_not_hear_has_its_grace_anew() {
    let started = |listening_ms, before| Observed {
        listening_ms: Some(listening_ms),
        before,
        ..observed(Some(beat(30 * HOUR)))
    };
    let waiting = "waiting for a sign of life: one may have been sent while PiHook was off";
    assert_eq!(verdict(&started(0, Standing::Heard)), (Status::Up, waiting.to_owned()));
    assert_eq!(verdict(&started(2 * HOUR - 1, Standing::Heard)).0, Status::Up);
    assert_eq!(verdict(&started(2 * HOUR, Standing::Heard)).0, Status::Down);
    // A restart makes nothing well that was missed before it.
    assert_eq!(verdict(&started(0, Standing::Missed)).0, Status::Down);
    let returned = Observed { last: Some(beat(5)), ..started(0, Standing::Missed) };
    assert_eq!(verdict(&returned).0, Status::Up);
    let failed = Beat { ok: false, ..beat(30 * HOUR) };
    let failed = Observed { last: Some(failed), ..started(0, Standing::Heard) };
    assert_eq!(verdict(&failed), (Status::Down, "reported a failure".to_owned()));
    let new = Observed { last: None, ..started(0, Standing::Heard) };
    assert_eq!(verdict(&new).0, Status::Up);
}

#[test]
fn whoever_cannot_hear_cannot_tell() {
    let deaf = Observed { listening_ms: None, ..observed(Some(beat(5))) };
    let Err(Failure::Other(text)) = judge(&daily(), &deaf) else { panic!("it cannot tell") };
    assert!(text.starts_with("PiHook cannot hear signs of life: "), "{text}");
}

#[test]
fn what_is_measured_is_documented() {
    let took = |ms| Observed { last: Some(Beat { took_ms: Some(ms), ..beat(2_500) }), ..observed(None) };
    let (outcome, _) = judge(&daily(), &took(90_000.0)).expect("it can tell");
    let metric = |name: &str, value, unit: &str| Metric { name: name.into(), value, unit: unit.into() };
    let expected = [metric("seconds_since_last", 2.5, "seconds"), metric("took_ms", 90_000.0, "ms")];
    assert_eq!(outcome.metrics, expected);
    assert_eq!(outcome.response_ms, Some(90_000.0));
    let names: BTreeSet<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let guide = include_str!("../../../../docs/checks/heartbeat.md");
    assert_eq!(names, column(guide, "Metric").into_iter().collect());
    for absurd in [f64::NAN, f64::INFINITY, -1.0] {
        let (outcome, _) = judge(&daily(), &took(absurd)).expect("it can tell");
        assert_eq!((outcome.metrics.len(), outcome.response_ms), (1, None));
    }
}

proptest! {
    #[test]
    fn later_is_never_better(ago in any::<u64>(), more in any::<u64>(), period in any::<u64>(), grace in any::<u64>()) {
        let settings = Settings { period: Millis(period), grace: Some(Millis(grace)), ..daily() };
        let down = |ago| {
            let observed = Observed { listening_ms: Some(u64::MAX), ..observed(Some(beat(ago))) };
            judge(&settings, &observed).expect("it can tell").0.status == Status::Down
        };
        prop_assert!(!down(ago) || down(ago.saturating_add(more)));
    }
}
