//! A real process is killed; everything it was told to be on disk has to be there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;
use crate::store::StoreReader;

const VICTIM: &str = "PIHOOK_TEST_STORE_VICTIM";

const NEWEST_ALERT: &str = "SELECT CAST(incident AS TEXT) FROM alerts ORDER BY id DESC LIMIT 1";

/// The process that is killed; by itself it does nothing.
#[tokio::test]
async fn victim() {
    let Ok(path) = std::env::var(VICTIM) else { return };
    let store = Store::open(path.as_ref(), NEVER).unwrap();
    store.register(vec![registered("a")]).await.unwrap();
    for number in 0_u64.. {
        store.commit(ordinary("a", &format!("{number} ordinary"))).await.unwrap();
        let told = alert(AlertKind::Opened, number, &["discord"]);
        let commit =
            Commit { alerts: vec![told], state: Some(state()), ..urgent("a", &format!("{number} urgent")) };
        let kept = [("number".to_owned(), number.to_string().into_bytes())].into();
        store.submit(commit, Some(kept)).written().await.unwrap();
        println!("\nacked {number}");
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let place = Place::new();
    let mut acked = 0;
    for round in 1..=3_usize {
        acked += kill_after(&place, 20);
        let reader = StoreReader::open(&place.path).unwrap();
        let undelivered = reader.undelivered().unwrap();
        let last = reader.services().unwrap().remove(0).last.unwrap();
        drop(reader);
        assert!(last.summary.ends_with("urgent"), "a transaction was torn: {last:?}");
        let summaries = place.summaries();
        assert!(summaries.len() >= 2 * acked, "{} rows, {acked} acknowledged", summaries.len());
        assert_eq!(undelivered.len() * 2, summaries.len(), "rows and deliveries differ");
        let [kept, told] = ["SELECT CAST(value AS TEXT) FROM kept", NEWEST_ALERT]
            .map(|sql| place.peek().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap());
        assert_eq!(kept, told, "what a check keeps of news is there if, and only if, they are told");
        let runs = summaries.iter().filter(|summary| *summary == "0 ordinary").count();
        assert_eq!(runs, round);
        let healthy: String = place.peek().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(healthy, "ok");
    }
}

/// Runs the victim until it has acknowledged `least` commits, kills it and returns how many it acknowledged in all.
fn kill_after(place: &Place, least: usize) -> usize {
    let (_crate, module) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::victim"), "--nocapture"])
        .env(VICTIM, &place.path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ack = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.starts_with("acked"));
    let acked = lines.by_ref().filter(is_ack).take(least).count();
    child.kill().unwrap();
    child.wait().unwrap();
    let more = lines.filter(is_ack).count();
    assert_eq!(acked, least, "the victim ended by itself");
    acked + more
}

#[tokio::test]
async fn a_database_that_needs_recovery_can_be_read_and_opened() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("a")]).await.unwrap();
    store.commit(urgent("a", "1")).await.unwrap();
    // What a power cut leaves: the files as they are, without anybody having closed them.
    let image = tempfile::tempdir().unwrap();
    let copy = image.path().join("pihook.db");
    std::fs::copy(&place.path, &copy).unwrap();
    std::fs::copy(place.path.with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    let services = StoreReader::open(&copy).unwrap().services().unwrap();
    assert_eq!(services[0].last.as_ref().unwrap().summary, "1");
    let store = Store::open(&copy, NEVER).unwrap();
    store.commit(urgent("a", "2")).await.unwrap();
    let services = StoreReader::open(&copy).unwrap().services().unwrap();
    assert_eq!(services[0].last.as_ref().unwrap().summary, "2");
}
