use std::collections::BTreeSet;

use pihook_plugin::guide::column;
use pihook_plugin::settings::{keys, problems, read};

use super::*;
use crate::DiskHealth;

#[test]
fn all_parts_are_looked_at_by_default() {
    let settings: Settings = read("{}").unwrap();
    assert!(settings.filesystems && settings.ext4 && settings.btrfs && settings.arrays && settings.smart);
    assert_eq!(settings.path("/proc/mdstat"), "/proc/mdstat");
    let settings: Settings = read(r#"{"root": "/host/"}"#).unwrap();
    assert_eq!(settings.path("/proc/mdstat"), "/host/proc/mdstat");
    let settings: Settings = read(r#"{"root": "/"}"#).unwrap();
    assert_eq!(settings.path("/proc/mdstat"), "/proc/mdstat");
}

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    for (said, path, what) in [
        (r#"{"root": "host"}"#, "root", "\"host\" is no absolute path"),
        (r#"{"root": "/a/../b"}"#, "root", "without `..`"),
        (r#"{"read_only": ["boot"]}"#, "read_only[0]", "\"boot\" is no absolute path"),
        (r#"{"max_temperature": 300}"#, "max_temperature", "300 °C says nothing"),
        (r#"{"wear": "90"}"#, "wear", "90"),
        (
            r#"{"filesystems": false, "ext4": false, "btrfs": false, "arrays": false, "smart": false}"#,
            "",
            "nothing is left",
        ),
    ] {
        let found = problems::<DiskHealth>(said);
        assert!(
            found.len() == 1 && found[0].path == path && found[0].what.contains(what),
            "{said}: {found:?}"
        );
    }
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let guide = include_str!("../../../../docs/checks/disk-health.md");
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    assert_eq!(in_code, column(guide, "Setting").into_iter().collect());
}
