//! The check `disk-health` on a machine's files in a folder, and with commands that print what smartctl does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::oneshot::Home;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/disk-health/fixtures");

/// A machine's files below a home's folder `machine`.
fn machine(home: &Home, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = home.join("machine").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// What the check says with these settings and commands.
async fn check(home: &Home, commands: Value, code: i32) -> (String, String, Value) {
    let settings = json!({ "root": home.join("machine") });
    let service = json!({ "name": "Disks", "check": "disk-health", "retries": 0, "settings": settings });
    let plugins = json!({ "disk-health": { "allow": { "commands": commands } } });
    home.write("services.yaml", &json!({ "plugins": plugins, "services": [service] }).to_string());
    let row = home.run(["check", "--json"]).await.ended(code).json()[0].clone();
    (row["status"].as_str().unwrap().to_owned(), row["summary"].as_str().unwrap().to_owned(), row)
}

fn metric(row: &Value, name: &str) -> Option<f64> {
    row["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == name)?["value"].as_f64()
}

#[tokio::test]
async fn what_the_kernel_tells_of_filesystems_and_arrays_is_judged() {
    let home = Home::new("services: []").await;
    let well = "Personalities : [raid1]\nmd0 : active raid1 sda1[0] sdb1[1]\n      9 blocks [2/2] [UU]\n";
    machine(
        &home,
        &[("proc/mdstat", well), ("sys/fs/ext4/sda1/errors_count", "0\n"), ("sys/fs/ext4/features/x", "")],
    );
    let (status, summary, _) = check(&home, json!({}), 0).await;
    assert_eq!((&*status, &*summary), ("up", "nothing wrong with 1 array"));

    let stats = "write_errs 0\nread_errs 0\nflush_errs 0\ncorruption_errs 3\ngeneration_errs 0\n";
    machine(
        &home,
        &[
            ("proc/mdstat", "md0 : active raid1 sda1[0]\n      9 blocks [2/1] [U_]\n"),
            ("sys/fs/ext4/sda1/errors_count", "2\n"),
            ("sys/fs/ext4/sda1/last_error_time", "1795300000\n"),
            ("sys/fs/ext4/sda1/last_error_func", "ext4_lookup\n"),
            ("sys/fs/btrfs/1c2b3a4d-0000-4000-8000-000000000000/devinfo/1/error_stats", stats),
            ("sys/fs/btrfs/features/x", ""),
        ],
    );
    let (status, summary, row) = check(&home, json!({}), 1).await;
    assert_eq!(status, "degraded");
    assert_eq!(
        summary,
        "the array md0 lacks 1 of 2 disks; ext4 on sda1 counted 2 errors, the last on 2026-11-21 in ext4_lookup (e2fsck \
         repairs); btrfs 1c2b3a4d, device 1, counted 3 corruption errors"
    );
    assert_eq!(metric(&row, "ext4_errors"), Some(2.0));
    assert_eq!(metric(&row, "btrfs_errors"), Some(3.0));
}

#[tokio::test]
async fn a_link_out_of_what_is_granted_is_not_followed() {
    let home = Home::new("services: []").await;
    machine(&home, &[("secret", "1\n"), ("sys/fs/ext4/sda1/x", "")]);
    std::os::unix::fs::symlink("../../../../secret", home.join("machine/sys/fs/ext4/sda1/errors_count"))
        .unwrap();
    let (status, summary, _) = check(&home, json!({}), 2).await;
    assert!(
        status == "unknown" && summary.contains("over a link to") && summary.contains("/secret"),
        "{summary}"
    );
}

#[tokio::test]
async fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let home = Home::new("services: []").await;
    machine(&home, &[("proc/x", "")]);
    let pipe = home.join("machine/proc/mdstat");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let (status, summary, _) = check(&home, json!({}), 2).await;
    assert!(
        status == "unknown" && summary.ends_with("/machine/proc/mdstat is a pipe and no file"),
        "{summary}"
    );
}

#[tokio::test]
async fn disks_are_judged_by_what_smartctl_prints() {
    let home = Home::new("services: []").await;
    machine(&home, &[("etc/fstab", "")]);
    let print = |name: &str| json!(["cat", Path::new(FIXTURES).canonicalize().unwrap().join(name)]);
    let (status, summary, row) =
        check(&home, json!({ "smart-a": print("sata-good.json"), "other": ["false"] }), 0).await;
    assert_eq!((&*status, &*summary), ("up", "nothing wrong with 1 disk"));
    assert_eq!(metric(&row, "temperature_celsius"), Some(32.0));
    let two = json!({ "smart-a": print("sata-bad.json"), "smart-b": print("forbidden.json") });
    let (status, summary, _) = check(&home, two, 1).await;
    assert!(
        status == "down"
            && summary.starts_with("/dev/sdb (ST4000DM000-1F2168) says itself that it is failing"),
        "{summary}"
    );
    let (status, summary, _) = check(&home, json!({ "smart-b": print("forbidden.json") }), 2).await;
    assert!(status == "unknown" && summary.contains("needs to be run by root"), "{summary}");
    let (status, summary, _) = check(&home, json!({ "smart": ["no-such-smartctl", "--json"] }), 2).await;
    assert!(status == "unknown" && summary.contains("smartmontools"), "{summary}");
}
