//! The check `apt-updates` against this machine's own apt, and against machines in a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::oneshot::Home;

fn services(settings: &str) -> String {
    format!("services: [{{ name: Updates, check: apt-updates, settings: {settings} }}]\n")
}

fn metric(check: &Value, name: &str) -> Option<u64> {
    let metrics = check["metrics"].as_array().unwrap();
    metrics
        .iter()
        .find(|metric| metric["name"] == name)
        .and_then(|metric| metric["value"].as_f64())
        .map(|v| v as u64)
}

async fn check(home: &Home) -> Value {
    let ran = home.run(["check", "--json"]).await;
    assert!(ran.code <= 2, "{ran:#?}");
    ran.json()[0].clone()
}

/// The number of lines of `apt list --upgradable` without pins, which are not followed, and how many of them name a security
/// suite; none without apt or without lists.
fn upgradable() -> Option<(u64, u64)> {
    let lists = fs::read_dir("/var/lib/apt/lists").ok()?;
    let has_lists = lists.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    let without_pins = ["-oDir::Etc::preferences=/dev/null", "-oDir::Etc::preferencesparts=/dev/null"];
    let mut apt = Command::new("apt");
    apt.env("LC_ALL", "C").args(without_pins).args(["list", "--upgradable"]).stderr(Stdio::null());
    let text = String::from_utf8(apt.output().ok()?.stdout).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("[upgradable from")).collect();
    let security = lines.iter().filter(|line| line.contains("-security")).count();
    has_lists.then_some((lines.len() as u64, security as u64))
}

#[tokio::test]
async fn this_machine_s_updates_are_those_that_apt_lists() {
    let home = Home::new(&services("{}")).await;
    let check = check(&home).await;
    let Some((expected, security)) = upgradable() else {
        assert_eq!(check["status"], "unknown", "{check}");
        println!("this machine has no apt or no package lists, so there is nothing to compare with");
        return;
    };
    let count = |name| metric(&check, name).unwrap();
    assert_eq!(count("pending") + count("held") + count("phased"), expected, "{check}");
    // Fixes that a newer version hides count as well, and those of held packages do not.
    let found = metric(&check, "security").unwrap_or(0);
    assert!(found + count("held") + count("phased") >= security && found <= count("pending"), "{check}");
}

const STATUS: &str = "Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n\
    Package: openssl\nStatus: install ok installed\nVersion: 3.0-1\nArchitecture: amd64\n";
const PACKAGES: &str = "Package: openssl\nVersion: 3.0-1+deb12u1\nArchitecture: amd64\n\n";

/// A machine whose root is the folder `host`, with this list.
async fn machine(list: &str, content: &[u8]) -> Home {
    let home = Home::new("").await;
    for folder in ["host/var/lib/dpkg", "host/var/lib/apt/lists/partial", "host/run"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    home.write("host/var/lib/dpkg/status", STATUS);
    home.write("host/var/lib/apt/lists/deb_dists_s_InRelease", "Suite: oldstable-security\n");
    fs::write(home.join("host/var/lib/apt/lists").join(list), content).unwrap();
    home.write("services.yaml", &services(&format!("{{ root: {} }}", home.join("host").display())));
    home
}

#[tokio::test]
async fn each_kind_of_list_is_read() {
    let plain = "deb_dists_s_main_binary-amd64_Packages";
    let packers: [(&str, &[&str]); 5] = [
        ("", &["cat"]),
        (".gz", &["gzip", "-c"]),
        (".xz", &["xz", "-c"]),
        (".lz4", &["lz4", "-c"]),
        (".zst", &["zstd", "-c"]),
    ];
    for (end, packer) in packers {
        let home = machine("plain", PACKAGES.as_bytes()).await;
        let text = fs::File::open(home.join("host/var/lib/apt/lists/plain")).unwrap();
        let Ok(packed) = Command::new(packer[0]).args(&packer[1..]).stdin(text).output() else {
            println!("{} is not here: its lists are not tried", packer[0]);
            continue;
        };
        fs::write(home.join("host/var/lib/apt/lists").join(format!("{plain}{end}")), packed.stdout).unwrap();
        home.write("host/run/reboot-required", "");
        let check = check(&home).await;
        assert_eq!(check["status"], "down", "{end} {check}");
        assert_eq!(check["summary"], "1 security update: openssl; a restart is required", "{end}");
        assert_eq!(metric(&check, "reboot_required"), Some(1));
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_says_what_would_help() {
    let name = "deb_dists_s_main_binary-amd64_Packages";
    for (end, content, reason) in [
        (".bz2", &b"BZh91AY&SY"[..], "packed by bzip2"),
        (".xz", b"\xfd7zXZ\0rubbish", "cannot be read"),
        (".gz", b"\x1f\x8b", "cannot be read"),
    ] {
        let home = machine(&format!("{name}{end}"), content).await;
        let check = check(&home).await;
        assert_eq!(check["status"], "unknown", "{check}");
        assert!(check["summary"].as_str().unwrap().contains(reason), "{check}");
        assert_eq!(check["metrics"], json!([]));
    }
    let home = machine("lock", b"").await;
    let summary = check(&home).await["summary"].as_str().unwrap().to_owned();
    assert!(summary.contains("run `apt-get update` once"), "{summary}");
}
