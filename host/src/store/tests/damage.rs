//! Real damage in real files: bytes flipped, pages wiped, ends cut off.

use std::io::{Seek, SeekFrom, Write};

use super::*;
use crate::store::{StoreReader, records, schema, upkeep};

const ROWS: usize = 20_000;
const PAGE: usize = 4096;

/// A closed database with a long log, an open incident, its state and an alert that waits.
async fn filled() -> Place {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("a")]).await.unwrap();
    for number in 0..ROWS {
        store.submit(ordinary("a", &format!("check number {number}")), None).written().await.unwrap();
        if number % 1000 == 0 {
            store.flush().await.unwrap();
        }
    }
    let told = alert(AlertKind::Opened, 7, &["discord"]);
    let decided = Commit {
        incident: Some(incident()),
        state: Some(state()),
        alerts: vec![told],
        ..urgent("a", "the last")
    };
    store.commit(decided).await.unwrap();
    store.close().await.unwrap();
    place
}

fn overwrite(place: &Place, at: usize, bytes: &[u8]) {
    let mut file = std::fs::File::options().write(true).open(&place.path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(bytes).unwrap();
}

fn root(place: &Place, name: &str) -> usize {
    let sql = format!("SELECT rootpage FROM sqlite_schema WHERE name = '{name}'");
    let page: i64 = place.peek().query_row(&sql, [], |row| row.get(0)).unwrap();
    (usize::try_from(page).unwrap() - 1) * PAGE
}

fn aside(place: &Place) -> Vec<String> {
    let folder = std::fs::read_dir(place.path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("pihook.db.corrupt-") && !name.ends_with("-wal"));
    names.sort();
    names
}

/// Opens what is damaged, and holds what goes on against what there was.
async fn goes_on(place: &Place, at_least: usize) -> String {
    let before = std::fs::read(&place.path).unwrap();
    let store = place.store();
    let news = store.damage().await.unwrap().expect("nobody is told");
    let moved = aside(place);
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert!(news.contains(&moved[0]), "{news}");
    assert!(
        std::fs::read(place.path.with_file_name(&moved[0])).unwrap() == before,
        "what is kept was changed"
    );
    let rows = place.summaries().len();
    assert!(rows >= at_least, "only {rows} of {ROWS} checks: {news}");
    let saved = store.load_state().await.unwrap();
    assert_eq!(saved.services.len(), 1);
    assert_eq!(saved.services[0].1.bad_streak, 3);
    assert_eq!(saved.next_incident, 8, "a number is never used twice");
    assert_eq!(store.sinks_with_pending().await.unwrap(), [SinkId::new("discord")]);
    assert_eq!(upkeep::check(&place.path).unwrap(), [""; 0]);
    let told = store.submit(ordinary("pihook:database", "told"), Some([].into()));
    told.written().await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.damage().await.unwrap(), None, "it would be told again");
    store.close().await.unwrap();
    place.store();
    assert_eq!(aside(place).len(), 1, "the fresh one is whole");
    news
}

#[tokio::test]
async fn a_header_that_is_gone_is_borrowed() {
    let place = filled().await;
    overwrite(&place, 0, &[0xA5; 100]);
    goes_on(&place, ROWS).await;
}

#[tokio::test]
async fn a_file_that_was_cut_off_keeps_what_is_left() {
    let place = filled().await;
    let length = std::fs::metadata(&place.path).unwrap().len();
    std::fs::File::options().write(true).open(&place.path).unwrap().set_len(length * 3 / 4).unwrap();
    goes_on(&place, ROWS / 2).await;
}

#[tokio::test]
async fn an_index_that_was_wiped_costs_nothing() {
    let place = filled().await;
    let at = root(&place, "deliveries_pending");
    overwrite(&place, at, &[0; PAGE]);
    goes_on(&place, ROWS).await;
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_noticed_at_the_start() {
    let place = filled().await;
    let at = root(&place, "states");
    overwrite(&place, at, &[0xFF; PAGE]);
    let store = place.store();
    let news = store.damage().await.unwrap().unwrap();
    assert!(news.contains("something is missing of states"), "{news}");
    assert_eq!(place.summaries().len(), ROWS + 1);
    assert!(StoreReader::open(&place.path).unwrap().open_incidents().unwrap().len() <= 1);
}

#[tokio::test]
async fn damage_that_is_met_while_running_is_replaced_and_nothing_that_waits_is_lost() {
    let place = filled().await;
    let length = usize::try_from(std::fs::metadata(&place.path).unwrap().len()).unwrap();
    // The last page of the log, which is the next to be written to, and one amid it.
    let store = place.store();
    assert_eq!(store.damage().await.unwrap(), None);
    for page in [length / PAGE / 2, length / PAGE - 1, length / PAGE - 2, length / PAGE - 3] {
        overwrite(&place, page * PAGE, &[0x5A; PAGE]);
    }
    // Somebody else's write has the writer read anew what it had in memory.
    place.peek().execute("UPDATE services SET zone = 'x'", []).unwrap();
    let mut replaced = store.replaced();
    let waiting = store.submit(urgent("a", "after the damage"), None);
    let _deferred_or_written = waiting.written().await;
    let bound = tokio::time::timeout(Duration::from_secs(30), replaced.changed()).await;
    bound.expect("the damage is not met").unwrap();
    eventually(|| place.summaries().iter().any(|summary| summary == "after the damage")).await;
    assert!(place.summaries().len() > ROWS - 1000, "{}", place.summaries().len());
    assert!(store.damage().await.unwrap().unwrap().contains("something is missing of checks"));
    assert_eq!(store.load_state().await.unwrap().services[0].1.bad_streak, 3);
    assert_eq!(upkeep::check(&place.path).unwrap(), [""; 0]);
    assert!(!upkeep::check(&place.path.with_file_name(&aside(&place)[0])).unwrap().is_empty());
}

/// Two days of checks, an hour apart from now on packed, with a week that was written.
fn packed() -> Place {
    let place = Place::new();
    let mut db = schema::open(&place.path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT).unwrap();
    records::register(&mut db, &(0..40).map(|number| registered(&format!("s{number}"))).collect::<Vec<_>>())
        .unwrap();
    let row = "INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
               VALUES (?1, ?2, 0, ?3, 1, 0, 'HTTP 200')";
    let tx = db.transaction().unwrap();
    for minute in 0..2880_i64 {
        for service in 1..=5_i64 {
            let at_ms = 1_794_996_000_000 + minute * 60_000;
            tx.execute(row, [service, at_ms, 5_000 + minute * service % 997]).unwrap();
        }
    }
    tx.execute("INSERT INTO weeks VALUES ('2026-W46', 1, 1)", []).unwrap();
    tx.commit().unwrap();
    while pack(&mut db, 1_794_996_000_000 + 3000 * 60_000, 8192).unwrap() == 8192 {}
    place
}

fn sums(db: &Connection) -> (i64, i64, i64) {
    let of = |sql: &str| db.query_row(sql, [], |row| row.get(0)).unwrap();
    (
        of("SELECT count(*) FROM check_log WHERE zone = 'local'"),
        of("SELECT sum(up) FROM hour_log"),
        of("SELECT count(*) FROM weeks WHERE told_ms = 1"),
    )
}

#[tokio::test]
async fn packed_hours_their_sums_and_weeks_are_rescued() {
    let place = packed();
    assert_eq!(sums(&place.peek()), (14_400, 14_395, 1));
    overwrite(&place, 0, &[0xA5; 100]);
    let news = place.store().damage().await.unwrap().unwrap();
    assert!(news.contains("14400 checks and "), "{news}");
    assert_eq!(sums(&place.peek()), (14_400, 14_395, 1));
    assert_eq!(upkeep::check(&place.path).unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_damaged_page_of_packed_hours_costs_those_alone() {
    let place = packed();
    let leaf: i64 = {
        let db = place.peek();
        // A leaf amid them: found by what is in it, since this SQLite need not have dbstat.
        let (at, text): (i64, String) = db
            .query_row("SELECT id, checks FROM archive ORDER BY id LIMIT 1 OFFSET 100", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let file = std::fs::read(&place.path).unwrap();
        let found = file.windows(text.len()).position(|window| window == text.as_bytes());
        i64::try_from(found.unwrap_or_else(|| panic!("row {at} is not in the file")) / PAGE).unwrap()
    };
    overwrite(&place, usize::try_from(leaf).unwrap() * PAGE, &[0x5A; PAGE]);
    overwrite(&place, 0, &[0xA5; 100]);
    let news = place.store().damage().await.unwrap().unwrap();
    assert!(news.contains("something is missing of archive"), "{news}");
    let (checks, summed, weeks) = sums(&place.peek());
    assert!((13_500..14_400).contains(&checks), "{checks}: a page holds some hundreds");
    assert_eq!((summed, weeks), (14_395, 1));
    assert_eq!(upkeep::check(&place.path).unwrap(), [""; 0]);
}

#[test]
fn history_that_cannot_be_read_is_found_by_a_check() {
    let place = packed();
    let db = place.peek();
    db.execute("UPDATE archive SET checks = '[[0,' WHERE id = 1", []).unwrap();
    db.execute(
        "UPDATE rollups SET sketch = x'ff' WHERE service = 2 AND hour = (SELECT min(hour) FROM rollups)",
        [],
    )
    .unwrap();
    let found = upkeep::check(&place.path).unwrap();
    assert_eq!(
        found,
        [
            "checks are unreadable: s0, hour beginning 2026-11-18T10:00:00Z",
            "percentiles are unreadable: s1, hour beginning 2026-11-18T10:00:00Z"
        ]
    );
}

#[tokio::test]
async fn a_rescue_that_a_power_cut_interrupts_is_finished_at_the_next_start() {
    let place = filled().await;
    let copy = upkeep::beside(&place.path, ".salvaged");
    std::fs::rename(&place.path, &copy).unwrap();
    let _store = place.store();
    assert_eq!(place.summaries().len(), ROWS + 1);
    assert!(!copy.exists());
}

#[tokio::test]
async fn a_backup_is_of_one_moment_while_much_is_written() {
    let place = filled().await;
    let store = place.store();
    let to = place.path.with_file_name("copy.db");
    let (from, target) = (place.path.clone(), to.clone());
    let (began, begin) = std::sync::mpsc::sync_channel(1);
    let (go, going) = std::sync::mpsc::sync_channel::<()>(1);
    let backing_up = std::thread::spawn(move || {
        let mut first = true;
        upkeep::backup(&from, &target, upkeep::Existing::Refuse, &mut |_| {
            if std::mem::take(&mut first) {
                began.send(()).unwrap();
                going.recv().unwrap();
            }
        })
    });
    // Amid the copying.
    begin.recv().unwrap();
    for number in 0..500 {
        let told = alert(AlertKind::Opened, 100 + number, &["discord"]);
        store.commit(Commit { alerts: vec![told], ..urgent("a", "later") }).await.unwrap();
    }
    go.send(()).unwrap();
    let bytes = backing_up.join().unwrap().unwrap();
    assert_eq!(bytes, std::fs::metadata(&to).unwrap().len());
    let copied: i64 = Connection::open(&to)
        .unwrap()
        .query_row("SELECT count(*) FROM checks", [], |row| row.get(0))
        .unwrap();
    assert_eq!(usize::try_from(copied).unwrap(), ROWS + 1, "what came later is in it");
    assert_eq!(upkeep::check(&to).unwrap(), [""; 0]);
    let refused = upkeep::backup(&place.path, &to, upkeep::Existing::Refuse, &mut |_| {});
    assert!(matches!(refused, Err(StoreError::Exists { .. })), "{refused:?}");
    upkeep::backup(&place.path, &to, upkeep::Existing::Replace, &mut |_| {}).unwrap();
    let copy = Store::open(&to, NEVER).unwrap();
    assert_eq!(copy.load_state().await.unwrap().services.len(), 1);
}
