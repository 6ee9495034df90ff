//! A real process is killed; everything it was told to be on disk has to be there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::store::StoreReader;
use crate::store::schema::{MIGRATIONS, migrate, version};

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

/// One of the tests here in a process of its own.
fn child(test: &str, variable: &str, place: &Place) -> Child {
    let (_crate, module) = module_path!().split_once("::").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env(variable, &place.path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the victim until it has acknowledged `least` commits, kills it and returns how many it acknowledged in all.
fn kill_after(place: &Place, least: usize) -> usize {
    let mut child = child("victim", VICTIM, place);
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

const MIGRANT: &str = "PIHOOK_TEST_STORE_MIGRANT";

/// A migration that writes every row anew, as one for a new format of `checks` would.
const HEAVY: &str = "
    CREATE TABLE moved (id INTEGER PRIMARY KEY, service INTEGER, at_ms INTEGER, summary TEXT);
    INSERT INTO moved SELECT id, service, at_ms, summary || ' moved' FROM checks;
    CREATE INDEX moved_by_summary ON moved (summary);
    DELETE FROM checks;";

const ROWS: i64 = 30_000;

fn with_heavy() -> Vec<&'static str> {
    MIGRATIONS.iter().copied().chain([HEAVY]).collect()
}

/// As the daemon has it: what does not fit into the cache goes to the log before the commit.
fn opened(place: &std::path::Path) -> Connection {
    let db = Connection::open(place).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    db.pragma_update(None, "cache_size", -512).unwrap();
    db
}

/// The process that is killed in the middle of a migration.
#[test]
fn migrant() {
    let Ok(path) = std::env::var(MIGRANT) else { return };
    let mut db = opened(path.as_ref());
    println!("\nacked");
    migrate(&mut db, &with_heavy()).unwrap();
    println!("\nacked");
}

#[test]
fn a_kill_inside_a_migration_leaves_the_old_format_or_the_new_one() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    let mut db = opened(&place.path);
    migrate(&mut db, &MIGRATIONS[..1]).unwrap();
    db.execute(r#"INSERT INTO services (key, name, zone, "check") VALUES ('a', 'A', 'local', 'http')"#, [])
        .unwrap();
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO checks (service, at_ms, status, attempts, in_maintenance, summary)
         SELECT 1, i, 0, 1, 0, 'check ' || i FROM n",
        [ROWS],
    )
    .unwrap();
    db.close().unwrap();
    let log = place.path.with_extension("db-wal");
    let newest = i64::try_from(MIGRATIONS.len() + 1).unwrap();
    let mut inside = 0;
    // Each is killed after it has written a little more.
    for kibibytes in [0, 64, 300, 700, 1200, 1800] {
        let mut child = child("migrant", MIGRANT, &place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "acked")), "it did not start");
        let written = || std::fs::metadata(&log).map_or(0, |log| log.len());
        while written() < kibibytes << 10 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let db = opened(&place.path);
        let healthy: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(healthy, "ok");
        let rows = |table: &str| -> i64 {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        if version(&db).unwrap() < newest {
            assert_eq!(rows("checks"), ROWS);
            inside += u32::from(kibibytes > 0);
        } else {
            assert_eq!((rows("checks"), rows("moved")), (0, ROWS));
        }
    }
    assert!(inside >= 3, "only {inside} were killed inside");
    let mut db = opened(&place.path);
    migrate(&mut db, &with_heavy()).unwrap();
    let moved: i64 = db
        .query_row("SELECT count(*) FROM moved WHERE summary LIKE '% moved'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((version(&db).unwrap(), moved), (newest, ROWS));
}

const PACKER: &str = "PIHOOK_TEST_STORE_PACKER";

/// Packs a little at a time until it is killed; by itself it does nothing.
#[tokio::test]
async fn packer() {
    let Ok(path) = std::env::var(PACKER) else { return };
    let store = Store::open(path.as_ref(), NEVER).unwrap();
    loop {
        let batch = StoreReader::open(path.as_ref()).unwrap().packable(at(1_000_000), 40).unwrap();
        assert!(store.pack(batch).await.unwrap() > 0);
        println!("\nacked");
    }
}

#[test]
fn a_kill_while_hours_are_packed_counts_each_check_once() {
    let place = Place::new();
    let (packed, rows) = (a_kill_of_the_packer(&place), 6000);
    let db = place.peek();
    let number = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert!(packed > 0);
    for _ in 0..2 {
        a_kill_of_the_packer(&place);
        assert_eq!(number("SELECT count(*) FROM check_log"), rows);
        let (singles, sums) = (number("SELECT count(*) FROM checks"), number("SELECT sum(up) FROM hour_log"));
        assert!(sums > 0 && singles > 1, "{singles} {sums}");
        assert_eq!(singles + sums, rows, "what is in one is not in the other");
    }
    assert_eq!(db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

/// Fills the database if it is empty, has it packed in a process of its own and kills that. How often it has packed.
fn a_kill_of_the_packer(place: &Place) -> usize {
    if !place.path.exists() {
        let mut db =
            crate::store::schema::open(&place.path, crate::store::schema::Layout::CHOSEN, NEVER).unwrap();
        crate::store::records::register(&mut db, &[registered("a")]).unwrap();
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5999)
             INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
             SELECT 1, 1795000000000 + i * 60000, 0, 1000 + i, 1, 0, 'ok' FROM n",
            [],
        )
        .unwrap();
    }
    let mut child = child("packer", PACKER, place);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ack = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line == "acked");
    let acked = lines.by_ref().filter(is_ack).take(10).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(acked, 10, "it ended by itself");
    acked
}
