use pihook_plugin::settings::read;
use serde_json::{Value, json};

use super::*;

/// 2026-11-22 12:00 UTC.
const NOW: i64 = 1_795_348_800_000;

fn settings(rest: Value) -> Settings {
    let mut all = json!({"unit": "nginx"});
    if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
        all.extend(rest);
    }
    read(&all.to_string()).expect("the settings are good")
}

fn unit(load: &str, active: &str, sub: &str, reason: &str) -> Unit {
    Unit {
        load_state: load.into(),
        active_state: active.into(),
        sub_state: sub.into(),
        reason: reason.into(),
        restarts: 3,
        since_ms: NOW - 90_500,
    }
}

#[track_caller]
fn assert_verdict(json: Value, unit: &Unit, status: Status, summary: &str) {
    let outcome = judge(&settings(json), unit, Some(3), NOW);
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
}

#[test]
fn states_are_judged() {
    use Status::{Degraded, Down, Up};
    for (json, unit, status, summary) in [
        (json!({}), unit("loaded", "active", "running", "success"), Up, "nginx.service is active (running)"),
        (json!({}), unit("loaded", "active", "exited", "success"), Up, "nginx.service is active (exited)"),
        (json!({}), unit("loaded", "active", "", ""), Up, "nginx.service is active"),
        (
            json!({"substates": ["running", "listening"]}),
            unit("loaded", "active", "exited", "success"),
            Down,
            "nginx.service is active (exited), expected running or listening",
        ),
        (
            json!({}),
            unit("loaded", "failed", "failed", "exit-code"),
            Down,
            "nginx.service has failed (it ended with an error: exit-code)",
        ),
        (
            json!({}),
            unit("loaded", "failed", "failed", "oom-kill"),
            Down,
            "nginx.service has failed (out of memory: oom-kill)",
        ),
        (
            json!({}),
            unit("loaded", "failed", "failed", "resources\nx"),
            Down,
            "nginx.service has failed (resources x)",
        ),
        (
            json!({}),
            unit("loaded", "inactive", "dead", "success"),
            Down,
            "nginx.service is inactive (dead), expected active",
        ),
        (
            json!({"states": ["active", "inactive"]}),
            unit("loaded", "inactive", "dead", "success"),
            Up,
            "nginx.service is inactive (dead)",
        ),
        (
            json!({}),
            unit("loaded", "activating", "start", ""),
            Degraded,
            "nginx.service is activating (start)",
        ),
        (
            json!({}),
            unit("loaded", "reloading", "reload", ""),
            Degraded,
            "nginx.service is reloading (reload)",
        ),
        (
            json!({}),
            unit("loaded", "activating", "auto-restart", "signal"),
            Down,
            "nginx.service has ended (a signal ended it) and waits to be restarted",
        ),
    ] {
        assert_verdict(json, &unit, status, summary);
    }
}

#[test]
fn units_that_cannot_be_started_are_told() {
    use Status::{Degraded, Down};
    for (json, unit, status, summary) in [
        (
            json!({}),
            unit("loaded", "deactivating", "stop-sigterm", "success"),
            Down,
            "nginx.service is deactivating (stop-sigterm), expected active",
        ),
        (
            json!({}),
            unit("masked", "inactive", "dead", ""),
            Down,
            "nginx.service is masked, so it cannot be started",
        ),
        (
            json!({}),
            unit("bad-setting", "inactive", "dead", ""),
            Down,
            "nginx.service is inactive (dead): its file has a mistake, which `systemctl status nginx.service` shows",
        ),
        (
            json!({}),
            unit("not-found", "inactive", "dead", ""),
            Down,
            "there is no unit nginx.service: a typo?",
        ),
        (
            json!({}),
            unit("not-found", "active", "running", ""),
            Degraded,
            "nginx.service is active (running), but its file is gone",
        ),
        (json!({}), unit("", "", "", ""), Down, "nginx.service is , expected active"),
    ] {
        assert_verdict(json, &unit, status, summary);
    }
}

#[test]
fn restarts_since_the_last_check_are_degraded() {
    let well = unit("loaded", "active", "running", "success");
    for (before, status, summary) in [
        (None, Status::Up, "nginx.service is active (running)"),
        (Some(3), Status::Up, "nginx.service is active (running)"),
        (Some(7), Status::Up, "nginx.service is active (running)"),
        (
            Some(2),
            Status::Degraded,
            "nginx.service is active (running), but was restarted 1 time since the last check",
        ),
        (
            Some(0),
            Status::Degraded,
            "nginx.service is active (running), but was restarted 3 times since the last check",
        ),
    ] {
        let outcome = judge(&settings(json!({})), &well, before, NOW);
        assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    }
    let failed = judge(&settings(json!({})), &unit("loaded", "failed", "failed", ""), Some(0), NOW);
    assert_eq!((failed.status, failed.summary.as_str()), (Status::Down, "nginx.service has failed"));
}

#[test]
fn metrics_hold_whatever_the_clock_says() {
    let guide = include_str!("../../../../docs/checks/systemd-unit.md");
    for (since_ms, now, age) in [
        (NOW - 90_500, NOW, Some(90.0)),
        (NOW + 1, NOW, Some(0.0)),
        (0, NOW, None),
        (-5, NOW, None),
        (i64::MAX, i64::MIN, Some(0.0)),
    ] {
        let unit = Unit { since_ms, ..unit("loaded", "active", "running", "") };
        let outcome = judge(&settings(json!({})), &unit, None, now);
        let metrics: Vec<(&str, f64)> = outcome.metrics.iter().map(|m| (m.name.as_str(), m.value)).collect();
        let expected = [("restarts", Some(3.0)), ("state_age_seconds", age)];
        assert_eq!(pihook_plugin::guide::column(guide, "Metric"), expected.map(|(name, _)| name));
        let expected: Vec<_> =
            expected.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        assert_eq!(metrics, expected);
    }
}
