use super::*;
use crate::store::StoreReader;
use crate::store::records::LATEST_EVERY;

#[tokio::test]
async fn services_come_in_the_files_order_with_their_newest_check() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("b"), registered("a"), registered("new")]).await.unwrap();
    store.commit(ordinary("a", "old")).await.unwrap();
    store.commit(ordinary("gone", "not configured")).await.unwrap();
    store.commit(urgent("a", "newest")).await.unwrap();
    let services = StoreReader::open(&place.path).unwrap().services().unwrap();
    let shown: Vec<_> = services
        .iter()
        .map(|row| (row.id.as_str(), row.name.as_str(), row.last.as_ref().map(|last| last.summary.as_str())))
        .collect();
    assert_eq!(shown, [("b", "B", None), ("a", "A", Some("newest")), ("new", "NEW", None)]);
    let last = services[1].last.as_ref().unwrap();
    assert_eq!((last.response_ms, last.attempts, last.at), (Some(12.345), 1, at(0)));

    store.register(vec![registered("a")]).await.unwrap();
    assert_eq!(StoreReader::open(&place.path).unwrap().services().unwrap().len(), 1);
}

#[tokio::test]
async fn the_newest_check_is_exact_however_long_ago_it_was() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("rare"), registered("often")]).await.unwrap();
    let newest = || -> Vec<String> {
        let services = StoreReader::open(&place.path).unwrap().services().unwrap();
        services.into_iter().map(|row| row.last.unwrap().summary).collect()
    };
    store.commit(ordinary("rare", "first")).await.unwrap();
    for number in 0..2 * LATEST_EVERY + 100 {
        store.commit(ordinary("often", &number.to_string())).await.unwrap();
        // More than the writer keeps up with would be dropped, the oldest first.
        if number % 1000 == 0 {
            store.flush().await.unwrap();
        }
    }
    store.flush().await.unwrap();
    let last = (2 * LATEST_EVERY + 99).to_string();
    assert_eq!(newest(), ["first", &last]);
    let noted: i64 = place.peek().query_row("SELECT count(*) FROM latest", [], |row| row.get(0)).unwrap();
    assert_eq!(noted, 2);
    store.commit(urgent("rare", "second")).await.unwrap();
    assert_eq!(newest(), ["second", &last]);
}

#[tokio::test]
async fn open_incidents_are_shown() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("a")]).await.unwrap();
    store.commit(Commit { incident: Some(incident()), ..urgent("a", "") }).await.unwrap();
    let open = StoreReader::open(&place.path).unwrap().open_incidents().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].name.as_str(), open[0].opened), (IncidentId(7), "A", at(10)));
    assert_eq!(
        (open[0].severity, open[0].status, open[0].checks_failed),
        (Severity::Critical, Status::Down, 3)
    );
}

#[tokio::test]
async fn reading_works_after_the_daemon_has_gone() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("a")]).await.unwrap();
    store.commit(ordinary("a", "1")).await.unwrap();
    store.close().await.unwrap();
    let services = StoreReader::open(&place.path).unwrap().services().unwrap();
    assert_eq!(services[0].last.as_ref().unwrap().summary, "1");
}
