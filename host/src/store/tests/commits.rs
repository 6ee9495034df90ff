use super::*;
use crate::store::StoreReader;

fn full() -> Commit {
    Commit {
        outcome: Some(Logged {
            outcome: Outcome { status: Status::Down, attempts: 3, ..outcome("connection refused") },
            maintenance: Muting::Muted,
        }),
        transition: Some(transition()),
        incident: Some(incident()),
        state: Some(state()),
        alerts: vec![alert(AlertKind::Opened, 7, &["discord", "phone"])],
        ..urgent("jellyfin", "")
    }
}

#[tokio::test]
async fn every_field_survives_a_restart() {
    let place = Place::new();
    let store = place.store();
    store.register(vec![registered("jellyfin")]).await.unwrap();
    store.commit(full()).await.unwrap();
    store.close().await.unwrap();

    let store = place.store();
    let saved = store.load_state().await.unwrap();
    assert_eq!(saved.services, [(ServiceId::new("jellyfin"), state())]);
    assert_eq!(saved.next_incident, 8);
    for sink in ["discord", "phone"] {
        let delivery = store.next_delivery(&SinkId::new(sink)).await.unwrap().unwrap();
        assert_eq!(delivery.alert, full().alerts[0]);
        assert_eq!((delivery.attempts, delivery.message, delivery.created), (0, None, at(30)));
    }

    let check = r#"SELECT at_ms || '|' || service || '|' || zone || '|' || "check" || '|' || status || '|' || response_ms
        || '|' || attempts || '|' || summary || '|' || in_maintenance FROM check_log"#;
    let text: String = place.peek().query_row(check, [], |row| row.get(0)).unwrap();
    assert_eq!(text, "1795000000000|JELLYFIN|local|http|down|12.345|3|connection refused|1");
    let incident =
        "SELECT id || '|' || service || '|' || zone || '|' || opened_ms || '|' || ifnull(closed_ms, 'open')
        || '|' || severity || '|' || reason || '|' || checks_failed FROM incident_log";
    let text: String = place.peek().query_row(incident, [], |row| row.get(0)).unwrap();
    assert_eq!(text, "7|JELLYFIN|local|1795000010000|open|critical|connection refused|3");
}

#[tokio::test]
async fn an_incident_is_replaced_by_its_number_and_numbers_are_never_used_again() {
    let place = Place::new();
    let store = place.store();
    store.commit(full()).await.unwrap();
    let closed = Incident { closed: Some(at(99)), checks_failed: 9, ..incident() };
    store.commit(Commit { incident: Some(closed), ..full() }).await.unwrap();
    assert!(StoreReader::open(&place.path).unwrap().open_incidents().unwrap().is_empty());
    place.peek().execute("DELETE FROM incidents", []).unwrap();
    assert_eq!(store.load_state().await.unwrap().next_incident, 8);
}

#[tokio::test]
async fn ordinary_commits_wait_and_an_urgent_one_takes_them_along_in_order() {
    let place = Place::new();
    let store = place.store();
    store.commit(ordinary("a", "1")).await.unwrap();
    store.commit(ordinary("b", "2")).await.unwrap();
    // Answered by the writer after it has accepted the two.
    store.load_state().await.unwrap();
    assert!(place.summaries().is_empty(), "written before it was due");
    store.commit(urgent("a", "3")).await.unwrap();
    assert_eq!(place.summaries(), ["1", "2", "3"]);
}

#[tokio::test]
async fn ordinary_commits_are_written_when_they_are_due() {
    let place = Place::new();
    let store = Store::open(&place.path, Duration::from_millis(20)).unwrap();
    store.commit(ordinary("a", "1")).await.unwrap();
    eventually(|| place.summaries() == ["1"]).await;
    store.commit(ordinary("a", "2")).await.unwrap();
    eventually(|| place.summaries() == ["1", "2"]).await;
}

#[tokio::test]
async fn many_ordinary_commits_do_not_wait_for_their_time() {
    let place = Place::new();
    let store = place.store();
    for number in 0..1024 {
        store.commit(ordinary("a", &number.to_string())).await.unwrap();
    }
    eventually(|| place.summaries().len() == 1024).await;
}

#[tokio::test]
async fn flush_close_and_the_last_handle_write_what_is_pending() {
    let place = Place::new();
    let store = place.store();
    store.commit(ordinary("a", "1")).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(place.summaries(), ["1"]);
    store.commit(ordinary("a", "2")).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(place.summaries(), ["1", "2"]);
    assert!(matches!(store.commit(ordinary("a", "3")).await, Err(crate::store::StoreError::Closed)));

    let store = place.store();
    store.commit(ordinary("a", "4")).await.unwrap();
    drop(store);
    eventually(|| place.summaries() == ["1", "2", "4"]).await;
}

#[tokio::test]
async fn deliveries_are_announced_once_they_are_on_disk() {
    let place = Place::new();
    let store = place.store();
    let mut added = store.deliveries_added();
    store.commit(urgent("a", "no alert")).await.unwrap();
    assert!(!added.has_changed().unwrap());
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    assert!(added.has_changed().unwrap());
    added.mark_unchanged();
    assert_eq!(store.sinks_with_pending().await.unwrap(), [SinkId::new("discord")]);
}

#[tokio::test]
async fn an_unreadable_state_does_not_prevent_the_start() {
    let place = Place::new();
    let store = place.store();
    store.commit(Commit { state: Some(state()), ..urgent("a", "") }).await.unwrap();
    store.commit(Commit { state: Some(state()), ..urgent("b", "") }).await.unwrap();
    store.close().await.unwrap();
    place.peek().execute("UPDATE states SET json = '{\"bad_streak\":' WHERE service = 1", []).unwrap();
    let saved = place.store().load_state().await.unwrap();
    assert_eq!(saved.services, [(ServiceId::new("b"), state())]);
}

#[tokio::test]
async fn an_incident_whose_state_is_unreadable_ends_with_what_was_logged_last() {
    let place = Place::new();
    let store = place.store();
    let of = |id| Incident { id: IncidentId(id), ..incident() };
    let open = |id| {
        let mut saved = state();
        saved.incident.as_mut().unwrap().record = of(id);
        saved.incident.as_mut().unwrap().held_recovery = None;
        saved
    };
    for (service, id) in [("a", 7), ("b", 8)] {
        let commit = Commit { incident: Some(of(id)), state: Some(open(id)), ..urgent(service, "down") };
        store.commit(commit).await.unwrap();
    }
    let closed = Incident { closed: Some(at(20)), ..of(9) };
    let mut last = Commit { incident: Some(closed), ..urgent("c", "") };
    last.outcome.as_mut().unwrap().outcome.at = at(700);
    store.commit(last).await.unwrap();
    store.close().await.unwrap();
    place.peek().execute("UPDATE states SET json = 'x' WHERE service = 1", []).unwrap();
    place.store().load_state().await.unwrap();
    let db = place.peek();
    let mut statement = db.prepare("SELECT closed_ms FROM incident_log ORDER BY id").unwrap();
    let ends: Vec<Option<i64>> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let ms = |seconds| Some(at(seconds).as_millisecond());
    assert_eq!(ends, [ms(700), None, ms(20)]);
}

#[tokio::test]
async fn what_a_check_keeps_is_written_with_its_outcome_and_replaced_as_a_whole() {
    let place = Place::new();
    let store = place.store();
    let entries = |keys: &[&str]| -> crate::store::KeptEntries {
        keys.iter().map(|key| ((*key).to_owned(), vec![1])).collect()
    };
    store.submit(ordinary("a", "1"), Some(entries(&["x", "y"]))).written().await.unwrap();
    store.submit(ordinary("b", "2"), Some(entries(&["z"]))).written().await.unwrap();
    assert!(store.load_kept().await.unwrap().is_empty(), "it waits with its outcome");
    store.submit(urgent("a", "3"), Some(entries(&["w"]))).written().await.unwrap();
    store.close().await.unwrap();
    let kept = place.store().load_kept().await.unwrap();
    assert_eq!(kept, [(ServiceId::new("a"), entries(&["w"])), (ServiceId::new("b"), entries(&["z"]))].into());
}

#[tokio::test]
async fn soon_is_written_at_once_and_takes_all_along() {
    let place = Place::new();
    let store = place.store();
    store.commit(ordinary("a", "1")).await.unwrap();
    store.commit(Commit { urgency: Urgency::Soon, ..ordinary("a", "2") }).await.unwrap();
    assert_eq!(place.summaries(), ["1", "2"]);
    store.commit(ordinary("a", "3")).await.unwrap();
    store.load_state().await.unwrap();
    assert_eq!(place.summaries(), ["1", "2"]);
}

#[tokio::test]
async fn what_is_submitted_together_is_written_together_and_in_order() {
    let place = Place::new();
    let store = place.store();
    let transactions = store.deliveries_added();
    let busy = store.block().await;
    let submit = |number: u32| {
        let told = alert(AlertKind::Opened, number.into(), &["discord"]);
        store.submit(Commit { alerts: vec![told], ..urgent("a", &number.to_string()) }, None)
    };
    let receipts: Vec<_> = (0..200).map(submit).collect();
    drop(busy);
    for receipt in receipts {
        receipt.written().await.unwrap();
    }
    let expected: Vec<_> = (0..200).map(|number: u32| number.to_string()).collect();
    assert_eq!(place.summaries(), expected);
    assert_eq!(*transactions.borrow(), 1);
}

#[tokio::test]
async fn what_pihook_watches_of_itself_has_a_name_in_history_and_is_not_listed() {
    let place = Place::new();
    let store = place.store();
    let own = || RegisteredService {
        id: ServiceId::new("pihook:configuration"),
        name: "PiHook's configuration".to_owned(),
        zone: ZoneId::new("pihook"),
        check: "configuration".to_owned(),
        every: None,
    };
    for _ in 0..2 {
        store.register(vec![registered("a")]).await.unwrap();
        store.register_internal(own()).await.unwrap();
    }
    store
        .commit(Commit { incident: Some(incident()), ..urgent("pihook:configuration", "broken") })
        .await
        .unwrap();
    let row = r#"SELECT service || '|' || zone || '|' || "check" FROM check_log"#;
    let text: String = place.peek().query_row(row, [], |row| row.get(0)).unwrap();
    assert_eq!(text, "PiHook's configuration|pihook|configuration");
    let reader = StoreReader::open(&place.path).unwrap();
    assert_eq!(reader.services().unwrap().len(), 1);
    assert_eq!(reader.open_incidents().unwrap()[0].name, "PiHook's configuration");
}

#[tokio::test]
async fn extreme_times_are_kept_as_well_as_milliseconds_can() {
    let place = Place::new();
    let store = place.store();
    let mut commit = urgent("a", "");
    if let Some(logged) = &mut commit.outcome {
        logged.outcome.at = Timestamp::MIN;
        logged.outcome.response_time = Some(Duration::MAX);
    }
    store.register(vec![registered("a")]).await.unwrap();
    store.commit(commit).await.unwrap();
    let last = StoreReader::open(&place.path).unwrap().services().unwrap().remove(0).last.unwrap();
    assert_eq!(last.at.as_second(), Timestamp::MIN.as_second());
}
