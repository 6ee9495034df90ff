//! The check `systemd-unit` over a real message bus.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use serde_json::{Value, json};
use tokio::net::UnixListener;

use crate::bus::{Bus, FakeUnit, Systemd};
use crate::daemon::Daemon;
use crate::oneshot::{Home, run};

/// Checks these units and returns the rows.
async fn check(address: &str, units: &[&str], read_timeout: &str) -> Vec<Value> {
    let services: Vec<Value> = units
        .iter()
        .map(|unit| json!({ "name": unit, "check": "systemd-unit", "settings": { "unit": unit } }))
        .collect();
    let defaults = json!({ "retries": 0, "read_timeout": read_timeout });
    let home = Home::new(&json!({ "defaults": defaults, "services": services }).to_string()).await;
    let mut command = home.command(["check", "--json"]);
    let ran = run(command.env("DBUS_SYSTEM_BUS_ADDRESS", address)).await;
    ran.json().as_array().unwrap().clone()
}

#[track_caller]
fn assert_row(row: &Value, status: &str, summary: &str) {
    assert_eq!((row["status"].as_str().unwrap(), row["summary"].as_str().unwrap()), (status, summary));
}

fn units() -> Vec<FakeUnit> {
    let unit = |name, states, result| FakeUnit { name, states, result, restarts: 2 };
    vec![
        unit("nginx.service", ["loaded", "active", "running"], "success"),
        unit("broken.service", ["loaded", "failed", "failed"], "oom-kill"),
        unit("backup.timer", ["loaded", "active", "waiting"], ""),
        unit("off.service", ["masked", "inactive", "dead"], "success"),
    ]
}

#[tokio::test]
async fn units_are_as_systemd_says() {
    let bus = Bus::start("").await;
    let _systemd = Systemd::start(&bus, units()).await;
    let asked = ["nginx", "broken.service", "backup.timer", "off", "ngnix"];
    let rows = check(&bus.address(), &asked, "30s").await;
    assert_row(&rows[0], "up", "nginx.service is active (running)");
    assert_row(&rows[1], "down", "broken.service has failed (out of memory: oom-kill)");
    assert_row(&rows[2], "up", "backup.timer is active (waiting)");
    assert_row(&rows[3], "down", "off.service is masked, so it cannot be started");
    assert_row(&rows[4], "down", "there is no unit ngnix.service: a typo?");
    let metrics: Vec<&str> = rows[0]["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["name"].as_str().unwrap())
        .collect();
    assert_eq!(metrics, ["restarts", "state_age_seconds"]);
    assert_eq!(rows[0]["metrics"][0]["value"], 2.0);
    assert_eq!(rows[2]["metrics"][0]["value"], 0.0, "a timer is not restarted");
}

#[tokio::test]
async fn what_keeps_systemd_from_being_asked_is_told() {
    let unit = ["nginx"];
    let without = Bus::start("").await;
    let rows = check(&without.address(), &unit, "30s").await;
    let text = |row: &Value| row["summary"].as_str().unwrap().to_owned();
    assert_eq!(rows[0]["status"], "unknown");
    assert!(text(&rows[0]).ends_with("there is no systemd on the system bus of this machine"), "{}", rows[0]);

    let strict = Bus::start(r#"<deny send_interface="org.freedesktop.systemd1.Manager"/>"#).await;
    let _systemd = Systemd::start(&strict, units()).await;
    let rows = check(&strict.address(), &unit, "30s").await;
    assert_eq!(rows[0]["status"], "unknown");
    assert!(text(&rows[0]).contains("the system bus does not let this user ask systemd"), "{}", rows[0]);

    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:path={}", folder.path().join("bus").display());
    let rows = check(&address, &unit, "30s").await;
    assert_eq!(rows[0]["status"], "unknown");
    assert!(text(&rows[0]).contains("there is no system bus (No such file or directory"), "{}", rows[0]);

    let _listener = UnixListener::bind(folder.path().join("bus")).unwrap();
    let rows = check(&address, &unit, "300ms").await;
    assert_eq!(rows[0]["status"], "unknown");
    assert!(text(&rows[0]).contains("did not answer over the system bus within 300 ms"), "{}", rows[0]);

    let rows = check("nonsense", &unit, "30s").await;
    assert_eq!(rows[0]["status"], "unknown");
    assert!(text(&rows[0]).contains("DBUS_SYSTEM_BUS_ADDRESS"), "{}", rows[0]);
}

#[tokio::test]
async fn restarts_are_seen_from_one_check_to_the_next() {
    let bus = Bus::start("").await;
    let systemd = Systemd::start(&bus, units()).await;
    let service = json!({ "name": "Web", "check": "systemd-unit", "settings": { "unit": "nginx" } });
    let defaults = json!({ "interval": "1s", "retries": 0, "connect_timeout": "1s", "read_timeout": "1s" });
    let config = json!({
        "data_dir": "data", "dashboard": "off", "history": { "commit_every": "100ms" },
        "defaults": defaults, "services": [service],
    });
    let mut daemon = Daemon::prepare(&config.to_string());
    daemon.environment("DBUS_SYSTEM_BUS_ADDRESS", &bus.address()).restart().await;
    daemon.until("it is up", |daemon| daemon.count("Web", "up") > 0).await;
    systemd.restarted(5);
    daemon.until("the restarts are seen", |daemon| daemon.count("Web", "degraded") > 0).await;
    let seen = daemon.checks_of("Web");
    let restarted = seen.iter().find(|check| check.status == "degraded").unwrap();
    let text = "nginx.service is active (running), but was restarted 3 times since the last check";
    assert_eq!(restarted.summary, text);
    let before = daemon.count("Web", "up");
    daemon.until("they are told once", |daemon| daemon.count("Web", "up") > before).await;
    assert_eq!(daemon.count("Web", "degraded"), 1);
    // And what happens while PiHook does not run is seen too.
    daemon.stop().await;
    systemd.restarted(6);
    daemon.restart().await;
    daemon.until("the further restart is seen", |daemon| daemon.count("Web", "degraded") > 1).await;
}
