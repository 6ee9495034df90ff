use pihook_plugin::settings::read;
use serde_json::{Value, json};

use super::*;

/// 2026-11-22 12:00 UTC.
const NOW: i64 = 1_795_348_800_000;

fn settings(rest: Value) -> Settings {
    let mut all = json!({"container": "jellyfin"});
    if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
        all.extend(rest);
    }
    read(&all.to_string()).expect("the settings are good")
}

fn container(state: &str, health: Option<&str>) -> Container {
    Container {
        state: state.into(),
        health: health.map(str::to_owned),
        health_output: "curl: (7) Failed\nto connect\n".into(),
        exit_code: 1,
        out_of_memory: false,
        restarts: 2,
        started_ms: NOW - 3_600_000,
        image: "jellyfin/jellyfin".into(),
    }
}

#[test]
fn states_are_judged() {
    use Status::{Degraded, Down, Up};
    let ended =
        |exit_code, out_of_memory| Container { exit_code, out_of_memory, ..container("exited", None) };
    for (json, container, status, summary) in [
        (json!({}), container("running", None), Up, "jellyfin is running"),
        (json!({}), container("running", Some("healthy")), Up, "jellyfin is running and healthy"),
        (
            json!({}),
            container("running", Some("starting")),
            Up,
            "jellyfin is running; its health check has not decided yet",
        ),
        (
            json!({}),
            container("running", Some("unhealthy")),
            Down,
            "jellyfin is running, but unhealthy by its own health check: curl: (7) Failed to connect",
        ),
        (json!({"healthy": false}), container("running", Some("unhealthy")), Up, "jellyfin is running"),
        (json!({}), container("running", Some("odd")), Up, "jellyfin is running"),
        (json!({}), container("paused", None), Degraded, "jellyfin is paused"),
        (
            json!({}),
            container("restarting", None),
            Down,
            "jellyfin keeps ending with code 1 and being restarted",
        ),
        (json!({}), ended(0, false), Down, "jellyfin has ended with code 0"),
        (json!({}), ended(137, true), Down, "jellyfin has ended with code 137, out of memory"),
        (json!({}), ended(137, false), Down, "jellyfin has ended with code 137: it was killed"),
        (json!({}), ended(143, false), Down, "jellyfin has ended with code 143: it was told to end"),
        (json!({}), ended(i32::MIN, false), Down, "jellyfin has ended with code -2147483648"),
        (json!({}), container("created", None), Down, "jellyfin was never started"),
        (json!({}), container("de\nad", None), Down, "jellyfin is de ad"),
    ] {
        let outcome = judge(&settings(json), &container, Some(2), NOW);
        assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    }
}

#[test]
fn restarts_since_the_last_check_are_degraded() {
    for (before, status, summary) in [
        (None, Status::Up, "jellyfin is running"),
        (Some(2), Status::Up, "jellyfin is running"),
        (Some(9), Status::Up, "jellyfin is running"),
        (Some(0), Status::Degraded, "jellyfin is running, but was restarted 2 times since the last check"),
    ] {
        let outcome = judge(&settings(json!({})), &container("running", None), before, NOW);
        assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    }
    let ended = judge(&settings(json!({})), &container("exited", None), Some(0), NOW);
    assert_eq!(ended.status, Status::Down);
}

#[test]
fn metrics_hold_whatever_the_clock_says() {
    let guide = include_str!("../../../../docs/checks/container.md");
    assert_eq!(pihook_plugin::guide::column(guide, "Metric"), ["restarts", "uptime_seconds"]);
    for (state, started_ms, now, uptime) in [
        ("running", NOW - 3_600_500, NOW, Some(3600.0)),
        ("running", NOW + 1, NOW, Some(0.0)),
        ("running", i64::MAX, i64::MIN, Some(0.0)),
        ("running", 0, NOW, None),
        ("exited", NOW - 1, NOW, None),
    ] {
        let container = Container { started_ms, ..container(state, None) };
        let outcome = judge(&settings(json!({})), &container, None, now);
        let found = outcome.metrics.iter().find(|metric| metric.name == "uptime_seconds");
        assert_eq!(found.map(|metric| metric.value), uptime, "{state}");
    }
}
