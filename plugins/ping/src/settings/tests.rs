use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::Ping;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Ping>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn the_host_alone_is_enough() {
    let settings: Settings = read(r#"{"host":"192.168.1.1"}"#).expect("they are good");
    assert_eq!((settings.count, settings.interval, settings.payload), (3, Millis(200), 56));
    assert_eq!((settings.expect.max_loss, settings.expect.max_round_trip), (Loss(50.0), None));
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"host": "nas.lan", "count": 20, "interval": "10ms", "payload": 1400}),
        json!({"host": "[fd00::1]", "count": 1, "interval": "2s", "payload": 0}),
        json!({"host": "fd00::1", "expect": {"max_loss": "0 %", "max_round_trip": "20ms"}}),
        json!({"host": "münchen.de", "expect": {"max_loss": "12.5%"}}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
}

#[test]
fn each_mistake_is_told_with_its_remedy() {
    let example = "a name or an address, such as nas.lan, 192.168.1.1 or fd00::1";
    for (settings, expected) in [
        (json!({}), "host: is missing; `host` is required".to_owned()),
        (json!({"host": ""}), format!("host: \"\" is no host; {example}")),
        (json!({"host": "a b"}), format!("host: \"a b\" is no host; {example}")),
        (json!({"host": "http://a"}), format!("host: \"http://a\" is more than a host; {example}")),
        (json!({"host": "a:80"}), format!("host: \"a:80\" has a port, and echo requests have none; {example}")),
        (
            json!({"host": "${secret:0}"}),
            "host: holds a secret, which is not filled in here; write the host itself".into(),
        ),
        (json!({"host": "a", "count": 0}), "count: 0 cannot be sent; from 1 to 20".into()),
        (json!({"host": "a", "count": 21}), "count: 21 cannot be sent; from 1 to 20".into()),
        (json!({"host": "a", "interval": "9ms"}), "interval: 9 ms is too short or too long; between 10ms and 2s".into()),
        (
            json!({"host": "a", "payload": 1401}),
            "payload: 1401 bytes do not go into one packet everywhere; a number of bytes up to 1400".into(),
        ),
        (
            json!({"host": "a", "expect": {"max_loss": "100%"}}),
            "expect.max_loss: 100% is not from 0% to below 100%; a share such as 50%; that all are lost is down anyway".into(),
        ),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
    for loss in [json!("50"), json!(50), json!("NaN%"), json!("-1%"), json!("inf%"), json!("x%")] {
        let found = mistakes(&json!({"host": "a", "expect": {"max_loss": loss}}));
        assert!(found.len() == 1 && found[0].starts_with("expect.max_loss: "), "{found:?}");
    }
    let all = json!({"host": "a b", "cuont": 1, "payload": -1, "expect": {"max_los": "1%"}});
    assert_eq!(mistakes(&all).len(), 4);
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<String> = [("", keys::<Settings>()), ("expect.", keys::<Expect>())]
        .into_iter()
        .flat_map(|(prefix, keys)| keys.iter().map(move |key| format!("{prefix}{key}")))
        .filter(|key| key != "expect")
        .collect();
    let guide = include_str!("../../../../docs/checks/ping.md");
    let in_docs: BTreeSet<String> =
        pihook_plugin::guide::column(guide, "Setting").into_iter().map(str::to_owned).collect();
    assert_eq!(in_code, in_docs);
}
