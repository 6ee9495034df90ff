use super::*;
use crate::store::writer::{self, Tuning};
use crate::store::{Ended, StoreError};

const HASTY: Tuning = Tuning {
    commit_every: NEVER,
    busy: Duration::from_millis(20),
    kept: 8,
    retry: Duration::from_millis(20),
};

fn lock(place: &Place) -> Connection {
    let db = place.peek();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db
}

#[tokio::test]
async fn a_locked_database_costs_nothing_but_time() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let added = store.deliveries_added();
    store.commit(ordinary("a", "1")).await.unwrap();
    let lock = lock(&place);
    let told = Commit { alerts: vec![alert(AlertKind::Opened, 1, &["discord"])], ..urgent("a", "2") };
    assert!(matches!(store.commit(told).await, Err(StoreError::Deferred)));
    assert!(matches!(store.commit(urgent("a", "3")).await, Err(StoreError::Deferred)));
    assert!(matches!(store.flush().await, Err(StoreError::Deferred)));
    store.commit(ordinary("a", "4")).await.unwrap();
    assert!(!added.has_changed().unwrap(), "announced before it was on disk");
    drop(lock);
    eventually(|| place.summaries() == ["1", "2", "3", "4"]).await;
    eventually(|| added.has_changed().unwrap()).await;
    store.commit(urgent("a", "5")).await.unwrap();
    assert_eq!(place.summaries().len(), 5);
}

#[tokio::test]
async fn while_locked_the_oldest_mere_outcomes_give_way_and_alerts_never() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let lock = lock(&place);
    for number in 0..4 {
        let told = alert(AlertKind::Reminder, number, &["discord"]);
        let commit = Commit { alerts: vec![told], ..urgent("a", &format!("alert {number}")) };
        assert!(matches!(store.commit(commit).await, Err(StoreError::Deferred)));
        for outcome in 0..4 {
            store.commit(ordinary("a", &format!("{number}.{outcome}"))).await.unwrap();
        }
    }
    let mut trouble = store.trouble();
    let says =
        |why: &Option<String>| why.as_ref().is_some_and(|why| why.ends_with("; lost so far: 12 results"));
    trouble.wait_for(says).await.unwrap();
    drop(lock);
    let kept = ["alert 0", "alert 1", "alert 2", "alert 3", "3.0", "3.1", "3.2", "3.3"];
    eventually(|| place.summaries() == kept).await;
    trouble.wait_for(Option::is_none).await.unwrap();
    let lost = *store.lost().borrow();
    assert_eq!((lost.outcomes, lost.incidents, lost.alerts), (12, 0, 0));
    assert_eq!(lost.span, Some((at(0), at(0))));
    store.commit(urgent("a", "later")).await.unwrap();
    let reader = crate::store::StoreReader::open(&place.path).unwrap();
    assert_eq!(reader.losses(at(-10), 5).unwrap(), [lost], "noted once");
    assert_eq!(reader.losses(at(10), 5).unwrap(), []);
}

#[tokio::test]
async fn a_long_outage_in_trouble_never_makes_anybody_wait_and_the_newest_state_wins() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let lock = lock(&place);
    for failed in 0..100_u32 {
        let state = SavedService { bad_streak: failed, ..SavedService::default() };
        let incident = Incident { checks_failed: failed, ..incident() };
        let commit = match failed % 2 {
            0 => urgent("a", &failed.to_string()),
            _ => ordinary("a", &failed.to_string()),
        };
        let receipt = store.submit(Commit { state: Some(state), incident: Some(incident), ..commit }, None);
        let result = tokio::time::timeout(Duration::from_secs(10), receipt.written()).await.unwrap();
        assert!(matches!(result, Ok(()) | Err(StoreError::Deferred)), "{result:?}");
    }
    drop(lock);
    eventually(|| place.summaries().len() == 8).await;
    let open = crate::store::StoreReader::open(&place.path).unwrap().open_incidents().unwrap();
    assert_eq!(open[0].checks_failed, 99);
    let saved = store.load_state().await.unwrap();
    assert_eq!(saved.services[0].1.bad_streak, 99);
}

#[tokio::test]
async fn trouble_is_told_and_its_end_too() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let mut trouble = store.trouble();
    store.commit(urgent("a", "1")).await.unwrap();
    assert!(!trouble.has_changed().unwrap(), "fine is no news");
    let lock = lock(&place);
    assert!(store.commit(urgent("a", "2")).await.is_err());
    let reason = trouble.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(reason.contains("locked"), "{reason}");
    drop(lock);
    trouble.wait_for(Option::is_none).await.unwrap();
    assert_eq!(place.summaries(), ["1", "2"]);
}

#[tokio::test]
async fn a_disk_that_hangs_is_not_waited_for_until_it_answers() {
    let place = Place::new();
    let store = place.store();
    let busy = store.block().await;
    let waiting = store.submit(urgent("a", "1"), None);
    store.stop_waiting();
    assert!(matches!(waiting.written().await, Err(StoreError::Deferred)));
    assert!(matches!(store.commit(urgent("a", "2")).await, Err(StoreError::Deferred)));
    let mut trouble = store.trouble();
    assert!(trouble.borrow().is_some());
    drop(busy);
    trouble.wait_for(Option::is_none).await.unwrap();
    store.commit(urgent("a", "3")).await.unwrap();
    assert_eq!(place.summaries(), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_writer_that_dies_closes_the_store() {
    let place = Place::new();
    let store = place.store();
    let busy = store.block().await;
    let waiting = store.submit(urgent("a", "1"), None);
    let dies = tokio::spawn({
        let jobs = store.jobs.clone();
        async move { writer::call(&jobs, |_| -> Result<(), StoreError> { panic!("on purpose") }).await }
    });
    drop(busy);
    assert!(matches!(dies.await.unwrap(), Err(StoreError::Closed)));
    let result = waiting.written().await;
    assert!(matches!(result, Ok(()) | Err(StoreError::Closed)), "{result:?}");
    eventually(|| store.jobs.is_closed()).await;
    assert!(matches!(store.commit(urgent("a", "2")).await, Err(StoreError::Closed)));
    assert!(matches!(store.commit(ordinary("a", "3")).await, Err(StoreError::Closed)));
    assert!(matches!(store.load_state().await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_reader_does_not_hold_up_the_end() {
    let place = Place::new();
    let store = place.store();
    store.commit(urgent("a", "1")).await.unwrap();
    let reader = place.peek();
    reader.execute_batch("BEGIN; SELECT count(*) FROM checks;").unwrap();
    store.commit(urgent("a", "2")).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(3), store.close()).await;
    closed.expect("a checkpoint was waited for").unwrap();
}

#[tokio::test]
async fn an_outbox_call_on_a_locked_database_fails_and_can_be_repeated() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    let delivery = store.next_delivery(&SinkId::new("discord")).await.unwrap().unwrap();
    let lock = lock(&place);
    assert!(matches!(store.delivery_sent(delivery.id, at(60)).await, Err(StoreError::Database(_))));
    drop(lock);
    store.delivery_sent(delivery.id, at(60)).await.unwrap();
    assert!(store.sinks_with_pending().await.unwrap().is_empty());
}

/// How each delivery ended, with the sink's name.
fn ends(place: &Place) -> Vec<(String, String)> {
    let db = place.peek();
    let mut statement = db.prepare("SELECT sink, state FROM deliveries ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_was_told_from_memory_is_written_as_told() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let (discord, phone) = (SinkId::new("discord"), SinkId::new("phone"));
    store.commit(ordinary("a", "1")).await.unwrap();
    assert!(store.turn_to_tell(&discord).is_none());
    let lock = lock(&place);
    for incident in 1..=3 {
        let told = telling(vec![alert(AlertKind::Opened, incident, &["discord", "phone"])]);
        assert!(matches!(store.commit(told).await, Err(StoreError::Deferred)));
    }
    // While an attempt to write is under way too.
    let mut turn = None;
    eventually(|| {
        turn = store.turn_to_tell(&discord);
        turn.is_some()
    })
    .await;
    let turn = turn.unwrap();
    assert!(store.turn_to_tell(&discord).is_none(), "it has one turn");
    let first = turn.next().unwrap();
    assert_eq!(first.incident, IncidentId(1));
    turn.ended(first, Ended::Sent, at(60));
    let second = turn.next().unwrap();
    assert_eq!(second.incident, IncidentId(2));
    turn.ended(second, Ended::Dead("no".to_owned()), at(60));
    drop(turn);
    drop(lock);
    let next = store.next_delivery(&discord).await;
    let next = loop_until_written(&store, &discord, next).await;
    assert_eq!(next.alert.incident, IncidentId(3), "what was told from memory is over");
    assert_eq!(store.next_delivery(&phone).await.unwrap().unwrap().alert.incident, IncidentId(1));
    let states: Vec<_> =
        ends(&place).into_iter().filter(|(sink, _)| sink == "discord").map(|(_, state)| state).collect();
    assert_eq!(states, ["sent", "dead", "pending"]);
}

async fn loop_until_written(
    store: &Store,
    sink: &SinkId,
    mut next: Result<Option<crate::store::Delivery>, StoreError>,
) -> crate::store::Delivery {
    for _ in 0..1000 {
        if let Ok(Some(delivery)) = next {
            return delivery;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        next = store.next_delivery(sink).await;
    }
    panic!("nothing is to be delivered: {next:?}");
}

#[tokio::test]
async fn an_alert_that_is_written_while_it_is_told_is_not_read_before_that_is_noted() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let discord = SinkId::new("discord");
    let lock = lock(&place);
    let told = telling(vec![alert(AlertKind::Opened, 1, &["discord"])]);
    assert!(matches!(store.commit(told).await, Err(StoreError::Deferred)));
    let mut turn = None;
    eventually(|| {
        turn = store.turn_to_tell(&discord);
        turn.is_some()
    })
    .await;
    let turn = turn.unwrap();
    let alert = turn.next().unwrap();
    drop(lock);
    eventually(|| ends(&place).iter().any(|(_, state)| state == "pending")).await;
    let reads = tokio::spawn({
        let store = store.clone();
        async move { store.next_delivery(&SinkId::new("discord")).await }
    });
    tokio::task::yield_now().await;
    assert!(!reads.is_finished(), "it was read in the middle of a turn");
    turn.ended(alert, Ended::Sent, at(60));
    assert!(turn.next().is_none());
    drop(turn);
    assert!(reads.await.unwrap().unwrap().is_none(), "it would be told twice");
    assert_eq!(ends(&place), [("discord".to_owned(), "sent".to_owned())]);
}

#[tokio::test]
async fn an_alert_that_a_disk_hangs_over_can_be_told() {
    let place = Place::new();
    let store = place.store();
    let discord = SinkId::new("discord");
    let busy = store.block().await;
    let told = store.submit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])]), None);
    assert!(store.turn_to_tell(&discord).is_none(), "it is written as usual");
    store.stop_waiting();
    assert!(told.written().await.is_err());
    let turn = store.turn_to_tell(&discord).unwrap();
    turn.ended(turn.next().unwrap(), Ended::Sent, at(60));
    assert!(turn.next().is_none());
    drop((turn, busy));
    assert!(store.next_delivery(&discord).await.unwrap().is_none(), "it would be told twice");
}
