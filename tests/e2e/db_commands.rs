//! `pihook db` beside a running daemon and without one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::process::Output;

use rusqlite::Connection;

use super::daemon::{Daemon, LADDER, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn check_backup_and_vacuum_do_what_they_say() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.until("the alert to be sent", |it| it.alerts().iter().any(|alert| alert.state == "sent")).await;
    let checked = daemon.pihook(&["db", "check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    let copied = daemon.pihook(&["db", "backup", "copy.db"]).await;
    assert_eq!(copied.status.code(), Some(0), "{}", said(&copied));
    let again = daemon.pihook(&["db", "backup", "copy.db"]).await;
    assert_eq!(again.status.code(), Some(70), "{}", said(&again));
    assert!(said(&again).contains("--force"), "{}", said(&again));
    let forced = daemon.pihook(&["db", "backup", "--force", "copy.db"]).await;
    assert_eq!(forced.status.code(), Some(0), "{}", said(&forced));
    let refused = daemon.pihook(&["db", "vacuum"]).await;
    assert_eq!(refused.status.code(), Some(70), "{}", said(&refused));
    assert!(said(&refused).contains("another pihook is running"), "{}", said(&refused));
    daemon.stop().await;
    let before = daemon.checks().len();
    let vacuumed = daemon.pihook(&["db", "vacuum"]).await;
    assert_eq!(vacuumed.status.code(), Some(0), "{}", said(&vacuumed));
    assert!(said(&vacuumed).contains("won"), "{}", said(&vacuumed));
    assert_eq!(daemon.checks().len(), before);

    // A start from the backup: the incident is open, and nobody is told of it again.
    fs::rename(daemon.path("copy.db"), daemon.path("data/pihook.db")).unwrap();
    daemon.restart().await;
    daemon.further_checks("NAS", 4).await;
    assert_eq!(discord.received().len(), 1);
    daemon.stop().await;

    let mut bytes = fs::read(daemon.path("data/pihook.db")).unwrap();
    bytes[..16].fill(0);
    fs::write(daemon.path("data/pihook.db"), bytes).unwrap();
    let damaged = daemon.pihook(&["db", "check"]).await;
    assert_eq!(damaged.status.code(), Some(1), "{}", said(&damaged));
}

#[tokio::test]
async fn what_was_lost_is_shown_for_a_month() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.further_checks("NAS", 1).await;
    daemon.stop().await;
    let db = Connection::open(daemon.path("data/pihook.db")).unwrap();
    db.execute_batch(
        "INSERT INTO losses (from_ms, to_ms, outcomes, incidents, alerts)
         SELECT (unixepoch() - age - 60) * 1000, (unixepoch() - age) * 1000, 1234, 0, number
         FROM (SELECT 40 * 86400 AS age, 1 AS number UNION ALL SELECT 3600, 2)",
    )
    .unwrap();
    drop(db);
    let status = said(&daemon.pihook(&["status"]).await);
    assert!(status.contains("Lost while the database could not be written\n"), "{status}");
    assert!(status.contains(": 1234 results, 2 alerts\n"), "{status}");
    assert!(!status.contains("1 alert\n"), "{status}");
    let json = daemon.pihook(&["status", "--json"]).await.stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["lost"][0]["checks"], &json["lost"][0]["alerts"]), (&1234.into(), &2.into()));
    assert!(json["lost"][1].is_null(), "{json}");
}
