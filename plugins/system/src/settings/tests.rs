use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::System;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<System>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn nothing_needs_to_be_set() {
    let settings: Settings = read("{}").expect("they are good");
    assert_eq!((settings.cpu, settings.swap), (Limits::default(), Limits::default()));
    assert_eq!(settings.memory, Limits { warn: Some(Share(90.0)), critical: Some(Share(95.0)) });
    assert_eq!((settings.reboot, settings.throttling), (Reboot::Notice, Verdict::Degraded));
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"cpu": {"warn": "90%"}, "memory": "off", "swap": {"critical": "80 %"}, "load_per_core": {"warn": 1.5}}),
        json!({"temperature": {"warn": 75, "critical": "80.5 °C"}, "sensor": "nvme", "reboot": "ignore"}),
        json!({"temperature": {"warn": "75C"}, "throttling": "ignore", "cpu": {"warn": "90%", "critical": "90%"}}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    let mut wrong = Vec::new();
    for (settings, expected) in [
        (
            json!({"cpu": {"warn": "95%", "critical": "90%"}}),
            "cpu.warn: is above `critical`; a limit that is reached before `critical`",
        ),
        (
            json!({"temperature": {"warn": 90, "critical": 80}}),
            "temperature.warn: is above `critical`; a limit that is reached before `critical`",
        ),
        (
            json!({"memory": {"warn": 90}}),
            "memory.warn: is the number 90; expected a share from 0% to 100%, such as 80%",
        ),
        (json!({"memory": {"wran": "90%"}}), "memory.wran: unknown key `wran`; did you mean `warn`?"),
        (json!({"swap": "on"}), "swap: is the text \"on\"; expected `warn` and `critical`, or off"),
        (json!({"swap": true}), "swap: is `true`; expected `warn` and `critical`, or off"),
        (
            json!({"temperature": {"warn": 151}}),
            "temperature.warn: 151 is out of range; degrees Celsius from 0 to 150, such as 75 or 75C",
        ),
        (
            json!({"temperature": {"warn": "75F"}}),
            "temperature.warn: is the text \"75F\"; expected degrees Celsius from 0 to 150, such as 75 or 75C",
        ),
        (
            json!({"load_per_core": {"warn": 0}}),
            "load_per_core.warn: 0 is no load; a number above 0, such as 1.5",
        ),
        (json!({"reboot": "down"}), "reboot: is `down`; one of notice, ignore"),
        (json!({"sensor": " "}), "sensor: is empty; part of a sensor's name, such as cpu_thermal"),
        (json!({"cpus": 1}), "cpus: unknown key `cpus`; did you mean `cpu`?"),
    ] {
        let found = mistakes(&settings);
        if found != [expected] {
            wrong.push((found, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let limited = ["cpu", "memory", "swap", "load_per_core", "temperature"];
    let in_code: BTreeSet<String> = keys::<Settings>()
        .iter()
        .flat_map(|key| match limited.contains(key) {
            true => vec![format!("{key}.warn"), format!("{key}.critical")],
            false => vec![(*key).to_owned()],
        })
        .collect();
    assert_eq!(keys::<Limits<Share>>(), ["warn", "critical"]);
    let guide = include_str!("../../../../docs/checks/system.md");
    let in_docs: BTreeSet<String> =
        pihook_plugin::guide::column(guide, "Setting").into_iter().map(str::to_owned).collect();
    assert_eq!(in_code, in_docs);
}
