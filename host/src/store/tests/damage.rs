//! Real damage in real files: bytes flipped, pages wiped, ends cut off.

use std::io::{Seek, SeekFrom, Write};

use super::*;
use crate::store::upkeep;
use crate::store::{StoreError, StoreReader};

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
