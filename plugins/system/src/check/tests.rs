use pihook_plugin::settings::read;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const GIB: u64 = 1 << 30;

fn settings(json: &Value) -> Settings {
    read(&json.to_string()).expect("the settings are good")
}

/// A Raspberry Pi at rest.
fn machine() -> Machine {
    Machine {
        cores: 4,
        cpu_busy_ms: 1_000_000,
        cpu_total_ms: 10_000_000,
        memory_total_bytes: 4 * GIB,
        memory_available_bytes: 3 * GIB,
        swap_total_bytes: GIB,
        swap_used_bytes: GIB,
        load1: 0.5,
        load5: 0.5,
        load15: 0.5,
        uptime_seconds: 2500.0,
        boot_id: "b".into(),
        temperatures: vec![
            Sensor { name: "cpu_thermal temp1".into(), celsius: 48.3 },
            Sensor { name: "nvme Composite".into(), celsius: 60.0 },
        ],
    }
}

fn sample() -> Sample {
    Sample { busy_ms: 900_000, total_ms: 9_760_000, uptime_seconds: 2440.0, boot_id: "b".into() }
}

fn seen(change: impl FnOnce(&mut Machine)) -> Seen {
    let mut machine = machine();
    change(&mut machine);
    Seen { machine, before: Some(sample()), throttled: None }
}

#[track_caller]
fn assert_verdict(json: Value, seen: &Seen, status: Status, summary: &str) -> Outcome {
    let outcome = judge(&settings(&json), seen).expect("there is a verdict");
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    outcome
}

#[test]
fn a_fresh_raspberry_pi_is_well() {
    let outcome = assert_verdict(json!({}), &seen(|_| ()), Status::Up, "within its limits");
    let metrics: Vec<(&str, f64, &str)> = outcome
        .metrics
        .iter()
        .map(|m| (m.name.as_str(), (m.value * 100.0).round() / 100.0, m.unit.as_str()))
        .collect();
    assert_eq!(
        metrics,
        [
            ("cpu_percent", 41.67, "percent"),
            ("memory_used_percent", 25.0, "percent"),
            ("swap_used_percent", 100.0, "percent"),
            ("load1", 0.5, ""),
            ("load_per_core", 0.13, ""),
            ("temperature_celsius", 48.3, "celsius"),
            ("uptime_seconds", 2500.0, "seconds"),
        ]
    );
}

#[test]
fn the_documentation_names_each_metric() {
    let outcome = judge(&settings(&json!({})), &seen(|_| ())).expect("there is a verdict");
    let names: Vec<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let guide = include_str!("../../../../docs/checks/system.md");
    assert_eq!(pihook_plugin::guide::column(guide, "Metric"), names);
}

#[test]
fn limits_hold_from_their_value_on() {
    for (settings, change, status, summary) in [
        (
            json!({"cpu": {"warn": "90%", "critical": "95%"}}),
            (|m| m.cpu_busy_ms = 900_000 + 228_000) as fn(&mut Machine),
            Status::Down,
            "the processor is 95.0 % busy (critical at 95 %)",
        ),
        (
            json!({"cpu": {"warn": "90%", "critical": "95%"}}),
            |m| m.cpu_busy_ms = 900_000 + 227_999,
            Status::Degraded,
            "the processor is 95.0 % busy (warn at 90 %)",
        ),
        (
            json!({"cpu": {"critical": "95%"}}),
            |m| m.cpu_busy_ms = 900_000 + 227_999,
            Status::Up,
            "within its limits",
        ),
        (
            json!({}),
            |m| m.memory_available_bytes = 100 << 20,
            Status::Down,
            "memory is 97.6 % used (critical at 95 %), 100 MiB available",
        ),
        (json!({"memory": "off"}), |m| m.memory_available_bytes = 0, Status::Up, "within its limits"),
        (json!({"memory": false}), |m| m.memory_available_bytes = 0, Status::Up, "within its limits"),
        (
            json!({"swap": {"warn": "99.5%"}}),
            |_| (),
            Status::Degraded,
            "swap is 100.0 % used (warn at 99.5 %)",
        ),
        (json!({"swap": {"warn": "0%"}}), |m| m.swap_total_bytes = 0, Status::Up, "within its limits"),
        (
            json!({"load_per_core": {"warn": 1.5, "critical": 3}}),
            |m| m.load1 = 6.0,
            Status::Degraded,
            "the load per core is 1.50 (warn at 1.5)",
        ),
        (
            json!({}),
            |m| m.temperatures[0].celsius = 85.0,
            Status::Down,
            "cpu_thermal temp1 is at 85.0 °C (critical at 85 °C)",
        ),
        (
            json!({"temperature": {"warn": "60C"}, "sensor": "nvme"}),
            |_| (),
            Status::Degraded,
            "nvme Composite is at 60.0 °C (warn at 60 °C)",
        ),
        (
            json!({"temperature": "off"}),
            |m| m.temperatures[0].celsius = 99.0,
            Status::Up,
            "within its limits",
        ),
        (
            json!({"swap": {"warn": "50%"}}),
            |m| m.temperatures[0].celsius = 90.0,
            Status::Down,
            "cpu_thermal temp1 is at 90.0 °C (critical at 85 °C); swap is 100.0 % used (warn at 50 %)",
        ),
    ] {
        assert_verdict(settings, &seen(change), status, summary);
    }
}

const FIRST: &str = "within its limits; how busy the processor is shows from the next check on";

#[test]
fn the_first_check_has_nothing_to_compare_with() {
    let first = Seen { before: None, ..seen(|_| ()) };
    let outcome = assert_verdict(json!({}), &first, Status::Up, "within its limits");
    assert!(outcome.metrics.iter().all(|metric| metric.name != "cpu_percent"));
    assert_verdict(json!({"cpu": {"warn": "1%"}}), &first, Status::Up, FIRST);
}

#[test]
fn a_reboot_is_told_once() {
    let rebooted = seen(|m| (m.boot_id, m.uptime_seconds) = ("c".into(), 190.7));
    let text = "the machine was rebooted 3 min 10 s ago, after 40 min 40 s or more";
    let outcome = assert_verdict(json!({"cpu": {"warn": "0%"}}), &rebooted, Status::Up, FIRST);
    assert_eq!(outcome.notice.as_deref(), Some(text));
    assert!(outcome.metrics.iter().all(|metric| metric.name != "cpu_percent"), "it would span two boots");
    let ignored = assert_verdict(json!({"reboot": "ignore"}), &rebooted, Status::Up, "within its limits");
    assert_eq!(ignored.notice, None);
    let next = Seen { before: Some(Sample::of(&rebooted.machine)), ..rebooted };
    assert_eq!(assert_verdict(json!({}), &next, Status::Up, "within its limits").notice, None);
}

#[test]
fn without_the_boots_name_a_shorter_uptime_is_a_reboot() {
    let nameless = |uptime| Machine { boot_id: String::new(), uptime_seconds: uptime, ..machine() };
    assert!(reboot(Some(&sample()), &nameless(2439.0)).is_some());
    assert!(reboot(Some(&sample()), &nameless(2440.0)).is_none());
    assert!(reboot(Some(&sample()), &nameless(f64::NAN)).is_none());
    assert!(reboot(None, &nameless(1.0)).is_none());
}

#[test]
fn a_raspberry_pi_that_slows_down_is_degraded() {
    let slow = Seen { throttled: Some(0x50005), ..seen(|_| ()) };
    let text =
        "the Raspberry Pi reports under-voltage and throttling: its power supply or its cable is too weak";
    assert_verdict(json!({}), &slow, Status::Degraded, text);
    assert_verdict(json!({"throttling": "ignore"}), &slow, Status::Up, "within its limits");
    let over = Seen { throttled: Some(0x50000), ..seen(|_| ()) };
    let text = "within its limits; the Raspberry Pi has reported under-voltage and throttling";
    assert_verdict(json!({}), &over, Status::Up, text);
}

#[test]
fn a_temperature_that_is_asked_for_and_not_there_is_told() {
    let cold = seen(|m| m.temperatures.clear());
    assert_verdict(json!({}), &cold, Status::Up, "within its limits");
    assert_verdict(json!({"temperature": "off"}), &cold, Status::Up, "within its limits");
    for (json, seen, text) in [
        (
            json!({"temperature": {"warn": 70}}),
            &cold,
            "this machine has no temperature sensor: leave `temperature` out of the settings",
        ),
        (json!({"sensor": "gpu"}), &cold, "this machine has no sensors, so none is named `gpu`"),
        (
            json!({"sensor": "gpu"}),
            &seen(|_| ()),
            "no sensor's name has `gpu` in it; there are cpu_thermal temp1, nvme Composite",
        ),
    ] {
        assert_eq!(judge(&settings(&json), seen), Err(Failure::Other(text.into())));
    }
    // What else is wrong is told all the same.
    let json = json!({"sensor": "gpu", "swap": {"warn": "1%"}});
    assert_verdict(json, &seen(|_| ()), Status::Degraded, "swap is 100.0 % used (warn at 1 %)");
}

fn any_machine() -> impl Strategy<Value = Machine> {
    (any::<(u32, u64, u64, u64, u64, u64, u64)>(), any::<(f64, f64, f64)>(), "[ab]?").prop_map(
        |((cores, busy, total, memory, available, swap, used), (load, uptime, celsius), boot)| Machine {
            cores,
            cpu_busy_ms: busy,
            cpu_total_ms: total,
            memory_total_bytes: memory,
            memory_available_bytes: available,
            swap_total_bytes: swap,
            swap_used_bytes: used,
            load1: load,
            load5: load,
            load15: load,
            uptime_seconds: uptime,
            boot_id: boot,
            temperatures: vec![Sensor { name: "t".into(), celsius }],
        },
    )
}

proptest! {
    #[test]
    fn any_figures_are_judged(now in any_machine(), earlier in any_machine(), throttled in any::<Option<u32>>()) {
        let json = json!({"cpu": {"warn": "50%"}, "swap": {"critical": "50%"}, "load_per_core": {"warn": 1}});
        let seen = Seen { machine: now, before: Some(Sample::of(&earlier)), throttled };
        let outcome = judge(&settings(&json), &seen).expect("there is a verdict");
        for metric in &outcome.metrics {
            prop_assert!(metric.value.is_finite());
            if metric.unit == "percent" {
                prop_assert!((0.0..=100.0).contains(&metric.value), "{metric:?}");
            }
        }
    }
}
