use std::collections::BTreeSet;

use pihook_plugin::Problem;
use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::SystemdUnit;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<SystemdUnit>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn a_name_gets_its_suffix() {
    for (written, meant) in [
        ("nginx", "nginx.service"),
        ("nginx.service", "nginx.service"),
        ("backup.timer", "backup.timer"),
        ("php8.2-fpm", "php8.2-fpm.service"),
        ("openvpn@home", "openvpn@home.service"),
        ("mnt-my\\x2dnas.mount", "mnt-my\\x2dnas.mount"),
    ] {
        let settings: Settings = read(&json!({"unit": written}).to_string()).expect("they are good");
        assert_eq!((settings.unit.0.as_str(), settings.states), (meant, vec![ActiveState::Active]));
    }
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    let long = "x".repeat(250);
    for (settings, expected) in [
        (json!({}), "unit: is missing; `unit` is required"),
        (
            json!({"unit": ""}),
            "unit: \".service\" is no name of a unit; such as nginx, nginx.service or backup.timer",
        ),
        (
            json!({"unit": "a b"}),
            "unit: \"a b.service\" is no name of a unit; such as nginx, nginx.service or backup.timer",
        ),
        (
            json!({"unit": "${secret:0}"}),
            "unit: \"${secret:0}.service\" is no name of a unit; such as nginx, nginx.service or backup.timer",
        ),
        (
            json!({"unit": "openvpn@"}),
            "unit: \"openvpn@.service\" is a template; with what it stands for, such as openvpn@home.service",
        ),
        (json!({"unit": "a", "states": ["activ"]}), "states[0]: is `activ`; did you mean `active`?"),
        (json!({"unit": "a", "units": 1}), "units: unknown key `units`; did you mean `unit`?"),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
    assert_eq!(mistakes(&json!({"unit": long})).len(), 1);
    assert_eq!(
        mistakes(&json!({"unit": "a", "states": ["active", "inactive"], "substates": ["dead"]})).len(),
        0
    );
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    let guide = include_str!("../../../../docs/checks/systemd-unit.md");
    let in_docs: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Setting").into_iter().collect();
    assert_eq!(in_code, in_docs);
}
