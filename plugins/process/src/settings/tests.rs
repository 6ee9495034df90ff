use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems};
use serde_json::{Value, json};

use super::*;
use crate::Process;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Process>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"name": "mosquitto"}),
        json!({"name": "python3", "command_contains": "homeassistant", "count": "1-5", "max_memory": "500MiB", "max_cpu": "150%"}),
        json!({"name": "x", "count": 0, "max_cpu": "0.5 %"}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    for (settings, expected) in [
        (json!({}), "name: is missing; `name` is required"),
        (json!({"name": " "}), "name: is empty; the program's name, such as mosquitto"),
        (json!({"name": "/usr/bin/x"}), "name: is a path; the program's name alone, such as mosquitto"),
        (
            json!({"name": "${secret:0}"}),
            "name: holds a secret, which is never compared; write the name itself",
        ),
        (
            json!({"name": "x", "command_contains": ""}),
            "command_contains: is empty; the text to look for, or leave the key out",
        ),
        (
            json!({"name": "x", "command_contains": "a${secret:0}"}),
            "command_contains: holds a secret, which is never compared; write the text itself",
        ),
        (
            json!({"name": "x", "count": "5-1"}),
            "count: the range 5-1 is empty; such as 200-299 or 200,204,300-399",
        ),
        (
            json!({"name": "x", "max_memory": "500MB"}),
            "max_memory: is the text \"500MB\"; expected a whole number with its unit, such as 512KiB, 500MiB or 4GiB",
        ),
        (
            json!({"name": "x", "max_cpu": "-5%"}),
            "max_cpu: is the text \"-5%\"; expected a share of one core, such as 80%, or 150% for one and a half",
        ),
        (json!({"name": "x", "counts": 1}), "counts: unknown key `counts`; did you mean `count`?"),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    let guide = include_str!("../../../../docs/checks/process.md");
    let in_docs: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Setting").into_iter().collect();
    assert_eq!(in_code, in_docs);
}
