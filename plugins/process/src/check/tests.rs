use pihook_plugin::Status;
use pihook_plugin::settings::read;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const MIB: u64 = 1 << 20;

fn settings(rest: Value) -> Settings {
    let mut all = json!({"name": "mosquitto"});
    if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
        all.extend(rest);
    }
    read(&all.to_string()).expect("the settings are good")
}

fn process(pid: u32, state: &str) -> Process {
    Process { pid, state: state.into(), memory_bytes: 10 * MIB, cpu_ms: 5_000, age_seconds: 100.0 }
}

#[track_caller]
fn assert_verdict(json: Value, found: &[Process], status: Status, summary: &str) -> Outcome {
    let before = [Used { pid: 1, cpu_ms: 2_000, age_seconds: 40.0 }];
    let outcome = judge(&settings(json), found, Some(&before));
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    outcome
}

#[test]
fn one_is_enough() {
    let outcome = assert_verdict(json!({}), &[process(1, "S")], Status::Up, "mosquitto is running");
    let metrics: Vec<(&str, f64)> = outcome.metrics.iter().map(|m| (m.name.as_str(), m.value)).collect();
    let expected = [
        ("processes", 1.0),
        ("memory_bytes", 10.0 * 1024.0 * 1024.0),
        ("cpu_percent", 5.0),
        ("age_seconds", 100.0),
    ];
    assert_eq!(metrics, expected);
    let guide = include_str!("../../../../docs/checks/process.md");
    assert_eq!(pihook_plugin::guide::column(guide, "Metric"), expected.map(|(name, _)| name));
}

#[test]
fn none_is_down_and_zombies_do_not_count() {
    let outcome = assert_verdict(json!({}), &[], Status::Down, "mosquitto is not running");
    assert_eq!(outcome.metrics.len(), 1);
    assert_verdict(
        json!({}),
        &[process(1, "Z")],
        Status::Down,
        "mosquitto is not running; 1 zombie is left of it",
    );
    assert_verdict(
        json!({"command_contains": "-c x"}),
        &[],
        Status::Down,
        "mosquitto with `-c x` in its command line is not running",
    );
}

#[test]
fn the_number_of_processes_is_compared() {
    let two = [process(1, "S"), process(2, "R"), process(3, "Z"), process(4, "X")];
    for (count, found, status, summary) in [
        (json!("2-5"), &two[..], Status::Up, "mosquitto is running"),
        (
            json!("3-5"),
            &two,
            Status::Down,
            "2 processes of mosquitto, expected 3-5; 2 zombies are left of it",
        ),
        (json!(2), &two[..1], Status::Down, "1 process of mosquitto, expected 2"),
        (json!("1-2"), &[], Status::Down, "mosquitto is not running, expected 1-2 processes"),
        (json!(0), &[], Status::Up, "mosquitto is not running"),
        (json!(0), &two[..1], Status::Down, "1 process of mosquitto, expected 0"),
    ] {
        assert_verdict(json!({ "count": count }), found, status, summary);
    }
}

#[test]
fn too_much_is_degraded() {
    let two = [process(1, "S"), process(2, "R")];
    for (json, status, summary) in [
        (json!({"max_memory": "20MiB"}), Status::Up, "mosquitto is running"),
        (
            json!({"max_memory": "19MiB"}),
            Status::Degraded,
            "mosquitto uses 20 MiB of memory, more than 19 MiB",
        ),
        (json!({"max_cpu": "5%"}), Status::Up, "mosquitto is running"),
        (
            json!({"max_cpu": "4.9%", "max_memory": "1B"}),
            Status::Degraded,
            "mosquitto uses 20 MiB of memory, more than 1 B, and 5.0 % of a core, more than 4.9 %",
        ),
    ] {
        assert_verdict(json, &two, status, summary);
    }
}

#[test]
fn cpu_time_is_compared_with_the_same_process() {
    let now = [process(1, "S"), process(2, "R"), process(3, "R")];
    let then = |pid, cpu_ms, age_seconds| Used { pid, cpu_ms, age_seconds };
    for (before, expected) in [
        (vec![], None),
        (vec![then(9, 0, 0.0)], None),
        (vec![then(1, 0, 50.0), then(2, 4_000, 90.0)], Some(20.0)),
        // Other processes with the same numbers.
        (vec![then(1, 6_000, 50.0)], None),
        (vec![then(1, 0, 100.0)], None),
        (vec![then(1, 0, 1000.0)], None),
        (vec![then(1, 0, f64::NAN)], None),
    ] {
        assert_eq!(cpu_percent(&now, &before), expected, "{before:?}");
    }
}

#[test]
fn what_is_kept_has_a_bound() {
    let many: Vec<Process> = (0..1000).map(|pid| process(pid, "S")).collect();
    assert_eq!(kept(&many).len(), KEPT);
    assert_eq!(kept(&[process(1, "Z")]), []);
}

proptest! {
    #[test]
    fn any_figures_are_judged(now in prop::collection::vec(any::<(u32, u64, u64, f64)>(), 0..4),
                              then in prop::collection::vec(any::<(u32, u64, f64)>(), 0..4)) {
        let found: Vec<Process> = now
            .into_iter()
            .map(|(pid, memory_bytes, cpu_ms, age_seconds)| {
                Process { pid: pid % 3, state: "S".into(), memory_bytes, cpu_ms, age_seconds }
            })
            .collect();
        let before: Vec<Used> = then
            .into_iter()
            .map(|(pid, cpu_ms, age_seconds)| Used { pid: pid % 3, cpu_ms, age_seconds })
            .collect();
        let outcome = judge(&settings(json!({"max_cpu": "1%", "max_memory": "1MiB"})), &found, Some(&before));
        prop_assert!(outcome.metrics.iter().all(|metric| metric.value.is_finite()));
    }
}
