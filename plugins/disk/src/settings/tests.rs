use std::collections::BTreeSet;

use pihook_plugin::guide::column;
use pihook_plugin::settings::{keys, problems, read};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Disk;

fn settings(rest: Value) -> Settings {
    read(&rest.to_string()).unwrap()
}

fn used(share: f64) -> Option<Limit> {
    Some(Limit::Used(Share(share)))
}

#[test]
fn defaults_go_with_what_is_said() {
    let free = |gib: u64| Some(Limit::Free(Size(gib << 30)));
    for (said, warn, critical) in [
        (json!({"mount": "/"}), used(80.0), used(90.0)),
        (json!({"mount": "/", "warn": "70%"}), used(70.0), used(90.0)),
        (json!({"mount": "/", "warn": "95%"}), used(95.0), None),
        (json!({"mount": "/", "critical": "99.5%"}), used(80.0), used(99.5)),
        (json!({"mount": "/", "critical": "70%"}), None, used(70.0)),
        (json!({"mount": "/", "warn": "5GiB"}), free(5), None),
        (json!({"mount": "/", "critical": "5GiB"}), None, free(5)),
        (json!({"mount": "/", "warn": "80%", "critical": "1GiB"}), used(80.0), free(1)),
    ] {
        assert_eq!(settings(said.clone()).space(), Limits { warn, critical }, "{said}");
    }
    let inodes = settings(json!({"mount": "/", "inodes_critical": "75%"})).inodes();
    assert_eq!(inodes, Limits { warn: None, critical: Some(Share(75.0)) });
}

#[test]
fn mistakes_are_told_with_what_would_be_right() {
    for (said, path, what, remedy) in [
        (json!({}), "mount", "missing", "mount"),
        (json!({"mount": "mnt"}), "mount", "\"mnt\" is no absolute path", "such as / or /mnt/usb"),
        (json!({"mount": "/a/../b"}), "mount", "goes up by `..`", "/mnt/usb"),
        (json!({"mount": "/", "warn": "80"}), "warn", "\"80\" is neither a share", "such as 80%"),
        (json!({"mount": "/", "warn": 80}), "warn", "80", "such as 80%"),
        (
            json!({"mount": "/", "warn": "95%", "critical": "90%"}),
            "warn",
            "95 % is beyond the critical 90 %",
            "less than 90 %",
        ),
        (
            json!({"mount": "/", "warn": "1GiB", "critical": "5GiB"}),
            "warn",
            "beyond the critical 5 GiB",
            "more than 5 GiB",
        ),
        (
            json!({"mount": "/", "inodes_warn": "95%", "inodes_critical": "90%"}),
            "inodes_warn",
            "beyond",
            "less than 90 %",
        ),
        (json!({"mount": "/", "inodes_warn": "5GiB"}), "inodes_warn", "5GiB", "%"),
        (json!({"mount": "/", "wran": "5GiB"}), "wran", "unknown key `wran`", "warn"),
    ] {
        let found = problems::<Disk>(&said.to_string());
        assert_eq!(found.len(), 1, "{said}: {found:?}");
        let text = format!("{} {}", found[0].what, found[0].remedy);
        assert!(text.contains(what) && text.contains(remedy), "{said}: {found:?}");
        assert!(found[0].path.is_empty() || found[0].path == path, "{said}: {found:?}");
    }
}

#[test]
fn a_mount_point_is_tidied() {
    for (said, tidy) in [("/", "/"), ("//mnt/./usb/", "/mnt/usb")] {
        assert_eq!(settings(json!({"mount": said})).mount.0, tidy);
    }
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let guide = include_str!("../../../../docs/checks/disk.md");
    let in_code: BTreeSet<&str> = keys::<Settings>().iter().copied().collect();
    assert_eq!(in_code, column(guide, "Setting").into_iter().collect());
}

proptest! {
    #[test]
    fn any_settings_are_read_or_explained(
        mount in "/?[a./]{0,6}",
        warn in "[0-9.]{0,4}(%|GiB|B)?",
        critical in any::<String>(),
    ) {
        for critical in [json!(critical), json!(warn), Value::Null] {
            let text = json!({"mount": mount, "warn": warn, "critical": critical, "inodes_warn": warn}).to_string();
            prop_assert!(read::<Settings>(&text).is_ok() || !problems::<Disk>(&text).is_empty());
        }
    }
}
