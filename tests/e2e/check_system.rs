//! The checks `system` and `process` on the machine that the tests run on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::daemon::Daemon;
use crate::oneshot::Home;

/// Checks these services, by name, check and settings, and returns the rows.
async fn check(services: &[(&str, &str, Value)]) -> Vec<Value> {
    let services: Vec<Value> = services
        .iter()
        .map(|(name, check, settings)| json!({ "name": name, "check": check, "settings": settings }))
        .collect();
    let defaults = json!({ "retries": 0, "read_timeout": "30s" });
    let home = Home::new(&json!({ "defaults": defaults, "services": services }).to_string()).await;
    home.run(["check", "--json"]).await.json().as_array().unwrap().clone()
}

fn metric(row: &Value, name: &str) -> Option<f64> {
    let metrics = row["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name)?["value"].as_f64()
}

#[tokio::test]
async fn the_machine_is_seen_as_its_kernel_shows_it() {
    // How busy the machine of the tests is, is nothing to test.
    let off = json!({ "memory": "off", "temperature": "off", "throttling": "ignore" });
    let limit = json!({ "memory": { "critical": "0%" }, "temperature": "off", "throttling": "ignore" });
    let rows = check(&[("off", "system", off), ("limit", "system", limit)]).await;
    assert_eq!((&rows[0]["status"], &rows[0]["summary"]), (&json!("up"), &json!("within its limits")));
    assert_eq!(rows[1]["status"], "down");
    assert!(rows[1]["summary"].as_str().unwrap().contains("% used (critical at 0 %)"), "{}", rows[1]);
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let seen = metric(&rows[0], "uptime_seconds").unwrap();
    assert!(seen > 0.0 && seen <= uptime, "{seen} {uptime}");
    let memory = metric(&rows[0], "memory_used_percent").unwrap();
    assert!((0.0..=100.0).contains(&memory), "{memory}");
    assert!(metric(&rows[0], "load1").is_some());
    assert_eq!(metric(&rows[0], "cpu_percent"), None, "there is nothing to compare with");
}

#[tokio::test]
async fn how_busy_it_is_shows_from_the_second_check_on() {
    let settings = json!({
        "cpu": { "warn": "0%" }, "memory": "off", "temperature": "off", "throttling": "ignore", "reboot": "ignore",
    });
    let service = json!({ "name": "Machine", "check": "system", "settings": settings });
    let defaults = json!({ "interval": "1s", "retries": 0, "connect_timeout": "1s", "read_timeout": "1s" });
    let config = json!({
        "data_dir": "data", "dashboard": "off", "history": { "commit_every": "100ms" },
        "defaults": defaults, "services": [service],
    });
    let mut daemon = Daemon::start(&config.to_string()).await;
    daemon.until("it is compared", |daemon| daemon.count("Machine", "degraded") > 0).await;
    let seen = daemon.checks_of("Machine");
    let text = "within its limits; how busy the processor is shows from the next check on";
    assert!(seen.iter().any(|check| check.status == "up" && check.summary == text), "{seen:?}");
    let busy = seen.iter().find(|check| check.status == "degraded").unwrap();
    assert!(busy.summary.ends_with("% busy (warn at 0 %)"), "{busy:?}");
}

#[tokio::test]
async fn a_program_is_found_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("pihooke2eprog");
    fs::copy("/bin/cat", &program).unwrap();
    let start = || {
        let mut command = Command::new(&program);
        command.arg("-u").stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap()
    };
    let (first, second) = (start(), start());
    let name = |more: Value| {
        let mut settings = json!({ "name": "pihooke2eprog" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    };
    let rows = check(&[
        ("any", "process", name(json!({}))),
        ("two", "process", name(json!({ "count": 2, "command_contains": "prog -u" }))),
        ("three", "process", name(json!({ "count": "3-5" }))),
        ("other", "process", name(json!({ "command_contains": "--other" }))),
        ("greedy", "process", name(json!({ "max_memory": "1KiB" }))),
    ])
    .await;
    let seen: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["status"].as_str().unwrap(), row["summary"].as_str().unwrap())).collect();
    assert_eq!(seen[0], ("up", "pihooke2eprog is running"));
    assert_eq!(seen[1], ("up", "pihooke2eprog with `prog -u` in its command line is running"));
    assert_eq!(seen[2], ("down", "2 processes of pihooke2eprog, expected 3-5"));
    assert_eq!(seen[3], ("down", "pihooke2eprog with `--other` in its command line is not running"));
    assert!(seen[4].0 == "degraded" && seen[4].1.ends_with("of memory, more than 1 KiB"), "{:?}", seen[4]);
    assert_eq!(metric(&rows[0], "processes"), Some(2.0));
    assert!(metric(&rows[0], "memory_bytes").unwrap() > 0.0);
    for mut child in [first, second] {
        child.kill().await.unwrap();
    }
    let rows = check(&[("gone", "process", name(json!({})))]).await;
    assert_eq!(
        (&rows[0]["status"], &rows[0]["summary"]),
        (&json!("down"), &json!("pihooke2eprog is not running"))
    );
}
