//! The check `disk` on real mounts. They need root; without, the tests say so and pass.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]
#![allow(clippy::print_stdout, reason = "a test that is left out says why")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::oneshot::Home;

/// A small filesystem in memory; unmounted at the end.
pub(super) struct Mounted(pub(super) PathBuf);

impl Mounted {
    /// None, with a printed reason, where this machine lets nobody mount.
    pub(super) fn new(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).output().unwrap();
        if mount.status.success() {
            return Some(Self(at));
        }
        println!("not tested: {}", String::from_utf8_lossy(&mount.stderr).trim());
        None
    }

    fn fill(&self, name: &str, bytes: usize) {
        fs::write(self.0.join(name), vec![0; bytes]).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // The folder is removed after it, which would say so if this failed.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What a check with these settings says of it.
async fn check(home: &Home, settings: Value, code: i32) -> Value {
    let service = json!({ "name": "Disk", "check": "disk", "retries": 0, "settings": settings });
    home.write("services.yaml", &json!({ "services": [service] }).to_string());
    home.run(["check", "--json"]).await.ended(code).json()[0].clone()
}

fn metric(row: &Value, name: &str) -> f64 {
    let metrics = row["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("{row}"))["value"]
        .as_f64()
        .unwrap()
}

fn said(row: &Value) -> (&str, &str) {
    (row["status"].as_str().unwrap(), row["summary"].as_str().unwrap())
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_filesystem_is_judged_as_it_fills() {
    let home = Home::new("services: []").await;
    let Some(disk) = Mounted::new(home.join("my disk"), "size=10m") else { return };
    let mount = disk.0.to_str().unwrap();
    disk.fill("a", 5 * MIB);
    let row = check(&home, json!({ "mount": mount }), 0).await;
    assert_eq!(said(&row), ("up", &*format!("{mount} has enough room")));
    assert_eq!(metric(&row, "used_bytes"), (5 * MIB) as f64);
    assert_eq!(metric(&row, "free_bytes"), (5 * MIB) as f64);
    assert_eq!(metric(&row, "used_percent"), 50.0);
    assert!(metric(&row, "inodes_used_percent") < 50.0);
    disk.fill("b", 3 * MIB);
    let row = check(&home, json!({ "mount": format!("{mount}/") }), 1).await;
    assert_eq!(said(&row), ("degraded", &*format!("{mount} is 80 % full (warn at 80 %), 2 MiB free")));
    disk.fill("c", MIB);
    let row = check(&home, json!({ "mount": mount }), 1).await;
    assert_eq!(said(&row), ("down", &*format!("{mount} is 90 % full (critical at 90 %), 1 MiB free")));
    let row = check(&home, json!({ "mount": mount, "critical": "2MiB" }), 1).await;
    assert_eq!(said(&row), ("down", &*format!("{mount} has 1 MiB free (critical below 2 MiB)")));
    fs::remove_file(disk.0.join("b")).unwrap();
    let row = check(&home, json!({ "mount": mount }), 0).await;
    assert_eq!(said(&row).0, "up");
}

#[tokio::test]
async fn inodes_run_out_before_space_does() {
    let home = Home::new("services: []").await;
    let Some(disk) = Mounted::new(home.join("disk"), "size=10m,nr_inodes=20") else { return };
    let mount = disk.0.to_str().unwrap();
    let mut files = 0;
    while fs::write(disk.0.join(files.to_string()), "").is_ok() {
        files += 1;
    }
    assert!(files < 20);
    let row = check(&home, json!({ "mount": mount }), 1).await;
    let expected = format!("{mount} has used 100 % of its inodes (critical at 90 %), 0 are free");
    assert_eq!(said(&row), ("down", &*expected));
    assert_eq!(metric(&row, "inodes_used_percent"), 100.0);
    assert_eq!(metric(&row, "used_percent"), 0.0);
}

#[tokio::test]
async fn a_disk_that_came_off_is_down() {
    let home = Home::new("services: []").await;
    let at = home.join("usb");
    let mount = at.to_str().unwrap().to_owned();
    let row = check(&home, json!({ "mount": mount }), 1).await;
    assert_eq!(said(&row), ("down", &*format!("there is no {mount}")));
    if let Some(disk) = Mounted::new(at.clone(), "size=1m") {
        assert_eq!(said(&check(&home, json!({ "mount": mount }), 0).await).0, "up");
        drop(disk);
    }
    fs::create_dir_all(&at).unwrap();
    let row = check(&home, json!({ "mount": mount }), 1).await;
    let said = said(&row);
    assert!(
        said.0 == "down"
            && said.1.starts_with(&format!("nothing is mounted at {mount}: it is a folder of /"))
    );
    let plain = json!({ "mount": mount, "mounted": false, "warn": "1B", "critical": "1B", "inodes_critical": "100%" });
    assert_eq!(check(&home, plain, 0).await["status"], "up");
}

#[tokio::test]
async fn of_two_mounts_at_one_place_the_last_one_counts() {
    let home = Home::new("services: []").await;
    let Some(lower) = Mounted::new(home.join("disk"), "size=1m") else { return };
    lower.fill("a", MIB);
    let upper = Mounted::new(home.join("disk"), "size=4m").unwrap();
    let row = check(&home, json!({ "mount": upper.0 }), 0).await;
    assert_eq!(metric(&row, "free_bytes"), (4 * MIB) as f64);
    drop(upper);
    let row = check(&home, json!({ "mount": lower.0 }), 1).await;
    assert_eq!(metric(&row, "free_bytes"), 0.0);
}

#[tokio::test]
async fn mistakes_are_told_with_their_lines() {
    let home = Home::new(
        "services:\n  - { name: D, check: disk, settings: { mount: usb, warn: 95%, critical: 90% } }",
    )
    .await;
    let ran = home.run(["validate"]).await.ended(78);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        told.contains("services.yaml:2: services[0].settings.mount: \"usb\" is no absolute path"),
        "{told}"
    );
}
