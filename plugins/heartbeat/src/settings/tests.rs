use std::collections::BTreeSet;

use pihook_plugin::guide::column;
use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::Heartbeat;

const GUIDE: &str = include_str!("../../../../docs/checks/heartbeat.md");

fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Heartbeat>(&settings.to_string()).into_iter();
    found.map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    for (settings, expected) in [
        (
            json!({"token": "x", "period": "999ms"}),
            "period: a period of 999 ms is out of bounds; from 1s to 400d",
        ),
        (
            json!({"token": "x", "period": "401d"}),
            "period: a period of 401 d is out of bounds; from 1s to 400d",
        ),
        (
            json!({"token": "x", "period": "1d", "grace": "401d"}),
            "grace: a grace of 401 d is too long; up to 400d",
        ),
        (json!({"token": "x"}), "period: is missing; `period` is required"),
        (json!({"period": "1d"}), "token: is missing; `token` is required"),
        (
            json!({"token": "x", "period": 5}),
            "period: is the number 5; expected a number with its unit, such as 500ms, 2s, 5m, 2h or 14d",
        ),
        (
            json!({"token": "x", "period": "1d", "grase": "2h"}),
            "grase: unknown key `grase`; did you mean `grace`?",
        ),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
    for fine in ["1s", "10s", "400d"] {
        assert_eq!(mistakes(&json!({"token": "x", "period": fine, "grace": "0s"})), [""; 0]);
    }
}

#[test]
fn grace_is_a_fifth_unless_it_is_set() {
    let settings = |text: &str| read::<Settings>(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let of = |settings: Settings| (settings.grace_ms(), settings.allowed_ms());
    assert_eq!(of(settings(r#"{"token": "x", "period": "10s"}"#)), (2_000, 12_000));
    assert_eq!(of(settings(r#"{"token": "x", "period": "1d", "grace": "2h"}"#)), (7_200_000, 93_600_000));
    assert_eq!(of(settings(r#"{"token": "x", "period": "1d", "grace": "0s"}"#)), (0, 86_400_000));
    let absurd = Settings { token: String::new(), period: Millis(u64::MAX), grace: Some(Millis(u64::MAX)) };
    assert_eq!(of(absurd), (u64::MAX, u64::MAX));
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    assert_eq!(in_code, column(GUIDE, "Setting").into_iter().collect());
}
