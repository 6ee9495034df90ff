use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use serde_json::{Value, json};

use super::*;
use crate::Container;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Container>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn the_name_is_enough() {
    let settings: Settings = read(r#"{"container":"jellyfin_1.a-b"}"#).expect("they are good");
    assert!(settings.healthy && settings.socket.is_none());
    assert_eq!(
        mistakes(&json!({"container": "4fa6e0f0c678", "socket": "/run/docker.sock", "healthy": false})),
        [""; 0]
    );
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    for (settings, expected) in [
        (json!({}), "container: is missing; `container` is required"),
        (
            json!({"container": "/jellyfin"}),
            "container: \"/jellyfin\" is no name of a container; as `docker ps` shows it under NAMES, such as jellyfin",
        ),
        (
            json!({"container": "../x"}),
            "container: \"../x\" is no name of a container; as `docker ps` shows it under NAMES, such as jellyfin",
        ),
        (
            json!({"container": "${secret:0}"}),
            "container: \"${secret:0}\" is no name of a container; as `docker ps` shows it under NAMES, such as jellyfin",
        ),
        (
            json!({"container": "a", "socket": "docker.sock"}),
            "socket: is no absolute path; an absolute path, such as /run/docker.sock",
        ),
        (
            json!({"container": "a", "socket": "${secret:0}"}),
            "socket: comes from a secret, which is not filled in here; an absolute path, such as /run/docker.sock",
        ),
        (json!({"container": "a", "helthy": true}), "helthy: unknown key `helthy`; did you mean `healthy`?"),
    ] {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    let guide = include_str!("../../../../docs/checks/container.md");
    let in_docs: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Setting").into_iter().collect();
    assert_eq!(in_code, in_docs);
}
