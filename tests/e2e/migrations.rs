//! The real binary is killed while it brings an old database up to date.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;

use rusqlite::Connection;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::crashes::Random;
use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

/// The format that the first release writes.
const OLDEST: &str = include_str!("../../host/src/store/migrations/0001_initial.sql");
/// Checks that the old database has.
const ROWS: i64 = 40_000;
/// How often an old database is brought up to date.
const ROUNDS: u64 = 6;
/// How often the daemon is killed before it is let.
const KILLS: u64 = 3;

/// A database as a PiHook of long ago has left it.
fn old(path: &std::path::Path) {
    let db = Connection::open(path).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    db.execute_batch(OLDEST).unwrap();
    db.execute_batch("PRAGMA user_version = 1").unwrap();
    db.execute(
        r#"INSERT INTO services (key, name, zone, "check") VALUES ('old', 'Old', 'local', 'http')"#,
        [],
    )
    .unwrap();
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
         SELECT 1, 1700000000000 + i * 60000, 0, 1000 + i, 1, 0, 'check ' || i FROM n",
        [ROWS],
    )
    .unwrap();
    db.close().unwrap();
}

#[tokio::test]
async fn a_kill_inside_a_migration_costs_nothing() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    let mut random = Random::new();
    let path = daemon.path("data/pihook.db");
    let log = daemon.path("data/pihook.db-wal");
    let image = daemon.path("old.db");
    old(&image);
    daemon.restart().await;
    daemon.stop().await;
    let newest = format_of(&path);
    let mut torn = 0;
    for _ in 0..ROUNDS {
        let _none = fs::remove_file(&log);
        fs::copy(&image, &path).unwrap();
        for _ in 0..KILLS {
            let delay = random.micros(0, 4000);
            daemon.spawn();
            // The log is made right before the first migration begins.
            let began = Instant::now();
            while !log.exists() {
                assert!(began.elapsed() < PATIENCE, "the database was never opened");
                yield_now().await;
            }
            sleep(delay).await;
            daemon.kill();
            torn += u32::from(fs::metadata(&log).is_ok_and(|log| log.len() > 0));
        }
        daemon.restart().await;
        daemon.further_checks("NAS", 1).await;
        daemon.stop().await;
        assert_eq!(daemon.integrity(), "ok");
        assert_eq!(format_of(&path), newest);
        let old: Vec<_> = daemon.checks_of("Old");
        assert_eq!(i64::try_from(old.len()).unwrap(), ROWS, "rows are lost");
        assert_eq!(old.last().unwrap().summary, format!("check {ROWS}"));
        let left = fs::read_dir(daemon.path("data"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt"));
        assert_eq!(left.count(), 0, "it was taken for damaged");
    }
    assert!(torn > 0, "no kill came while something was written");
    assert!(discord.received().is_empty());
}

fn format_of(path: &std::path::Path) -> i64 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}
