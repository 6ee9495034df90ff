use std::collections::BTreeSet;

use pihook_plugin::guide;
use pihook_plugin::settings::{keys, problems, read};
use serde_json::json;

use super::*;
use crate::AptUpdates;

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let settings: Settings = read("{}").unwrap();
    assert_eq!((settings.warn, settings.security_critical), (Threshold(Some(1)), Threshold(Some(1))));
    assert_eq!((settings.lists_max_age.0, settings.reboot_required), (604_800_000, Reboot::Warn));
    assert_eq!(settings.root.0, "");
}

#[test]
fn thresholds_are_numbers_or_off() {
    for (value, expected) in [(json!(3), Some(3)), (json!("off"), None), (json!(false), None)] {
        let settings: Settings = read(&json!({"warn": value, "root": "/host/"}).to_string()).unwrap();
        assert_eq!(settings.warn.0, expected);
        assert_eq!(settings.root.0, "/host");
    }
    assert!(Threshold(Some(2)).reached(2) && !Threshold(Some(2)).reached(1) && !Threshold(None).reached(9));
}

#[test]
fn each_mistake_is_told_with_its_remedy() {
    for (settings, path, what) in [
        (json!({"warn": 0}), "warn", "0 would always be reached"),
        (json!({"warn": -1}), "warn", "-1"),
        (json!({"security_critical": "many"}), "security_critical", "many"),
        (json!({"warn": true}), "warn", "`on` is no number"),
        (json!({"lists_max_age": "1m"}), "lists_max_age", "once a day"),
        (json!({"lists_max_age": 7}), "lists_max_age", "7"),
        (json!({"reboot_required": "maybe"}), "reboot_required", "maybe"),
        (json!({"root": "host"}), "root", "\"host\" is no absolute path"),
        (json!({"root": "/a/../b"}), "root", "no absolute path"),
        (json!({"wran": 1}), "wran", "wran"),
    ] {
        let found = problems::<AptUpdates>(&settings.to_string());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].path == path && found[0].what.contains(what), "{found:?}");
        assert!(!found[0].remedy.is_empty(), "{found:?}");
    }
}

#[test]
fn the_documentation_has_every_setting() {
    let page = include_str!("../../../../docs/checks/apt-updates.md");
    let documented: BTreeSet<&str> = guide::column(page, "Setting").into_iter().collect();
    assert_eq!(documented, keys::<Settings>().iter().copied().collect());
}
