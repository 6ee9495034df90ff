//! Maintenance in history.

use pihook_core::maintenance::{Entry, Period, Source};

use super::*;
use crate::store::StoreReader;
use crate::store::prune::{Cutoff, step};

fn period(source: Source, name: &str, began: i64) -> Period {
    Period {
        source,
        name: name.to_owned(),
        services: vec!["nas".to_owned(), "web, old".to_owned()],
        zones: vec!["attic".to_owned()],
        reason: Some("new disks".to_owned()),
        began: at(began),
        until: Some(at(began + 100)),
    }
}

#[tokio::test]
async fn what_begins_and_ends_is_written_soon_and_survives_a_restart() {
    let place = Place::new();
    let store = place.store();
    let (flag, window) = (period(Source::Flag, "flag", 0), period(Source::Window, "backups", 5));
    store.note_maintenance(vec![Entry::Began(flag.clone()), Entry::Began(window.clone())]);
    let reader = StoreReader::open(&place.path).unwrap();
    let read = |from, to| reader.maintenance(at(from), at(to), 10).unwrap();
    eventually(|| read(0, 10).len() == 2).await;
    store.close().await.unwrap();

    let store = place.store();
    assert_eq!(store.lasting_maintenance().await.unwrap(), [flag.clone(), window.clone()]);
    store.note_maintenance(vec![Entry::Ended(flag.clone(), at(60))]);
    eventually(|| read(0, 10).first().is_some_and(|it| it.ended == Some(at(60)))).await;
    assert_eq!(store.lasting_maintenance().await.unwrap(), std::slice::from_ref(&window));
    let names = |from, to| -> Vec<_> { read(from, to).into_iter().map(|it| it.period.name).collect() };
    assert_eq!(names(0, 10), ["flag", "backups"]);
    assert_eq!(names(61, 70), ["backups"], "what lasts is there whenever one looks");
    assert_eq!(names(-10, 1), ["flag"]);
    assert_eq!(reader.maintenance(at(0), at(10), 1).unwrap()[0].period, window, "of many the newest");

    let db = place.peek();
    let sql = "SELECT source || '|' || name || '|' || services || '|' || zones || '|' || reason || '|' ||
                   (ended_ms - began_ms) || '|' || (until_ms - began_ms) FROM maintenance_log WHERE ended_ms IS NOT NULL";
    let line: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(line, "flag|flag|nas, web, old|attic|new disks|60000|100000");

    // What damage has left of a row is no reason to show none.
    db.execute("UPDATE maintenance SET services = '[\"na' WHERE name = 'flag'", []).unwrap();
    let readable = "SELECT count(*) FROM maintenance_log WHERE coalesce(services, '') <> 'x'";
    assert_eq!(db.query_row(readable, [], |row| row.get::<_, i64>(0)).unwrap(), 2);
    assert_eq!(names(0, 10), ["flag", "backups"]);
}

#[tokio::test]
async fn what_happens_while_the_database_is_locked_is_written_afterwards() {
    let place = Place::new();
    let hasty =
        Tuning { busy: Duration::from_millis(20), retry: Duration::from_millis(20), ..Tuning::new(NEVER) };
    let store = Store::open_tuned(&place.path, hasty).unwrap();
    let lock = place.peek();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let flag = period(Source::Flag, "flag", 0);
    store.note_maintenance(vec![Entry::Began(flag.clone())]);
    store.note_maintenance(vec![Entry::Ended(flag, at(60))]);
    store.trouble().wait_for(Option::is_some).await.unwrap();
    lock.execute_batch("ROLLBACK").unwrap();
    let reader = StoreReader::open(&place.path).unwrap();
    let ended =
        || reader.maintenance(at(0), at(10), 10).unwrap().first().is_some_and(|it| it.ended.is_some());
    eventually(ended).await;
}

#[tokio::test]
async fn what_is_long_over_is_pruned_and_what_lasts_is_not() {
    let place = Place::new();
    let store = place.store();
    let old = period(Source::Window, "old", 0);
    store.note_maintenance(vec![
        Entry::Began(old.clone()),
        Entry::Ended(old, at(10)),
        Entry::Began(period(Source::Flag, "flag", 0)),
    ]);
    store.flush().await.unwrap();
    store.close().await.unwrap();
    let mut db = place.peek();
    db.execute("INSERT INTO losses VALUES (1, 0, 1, 1, 1, 1)", []).unwrap();
    let cutoff = Cutoff { checks: at(1000), rollups: at(1000) };
    while step(&mut db, cutoff).unwrap() {}
    let count = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM maintenance WHERE name = 'flag'"), 1);
    assert_eq!(count("SELECT count(*) FROM maintenance"), 1);
    assert_eq!(count("SELECT count(*) FROM losses"), 0);
}

#[tokio::test]
async fn of_a_flag_that_is_switched_all_day_the_newest_are_kept() {
    let place = Place::new();
    let store = place.store();
    let switched = |number| {
        let flag = period(Source::Flag, "flag", number);
        [Entry::Began(flag.clone()), Entry::Ended(flag, at(number))]
    };
    for hundred in 0..101 {
        store.note_maintenance((0..100).flat_map(|one| switched(hundred * 100 + one)).collect());
        store.flush().await.unwrap();
    }
    let count: i64 =
        place.peek().query_row("SELECT count(*) FROM maintenance", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 10_000);
}
