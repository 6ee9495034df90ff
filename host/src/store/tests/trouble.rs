use super::*;
use crate::store::StoreError;
use crate::store::writer::Tuning;

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
    store.load_state().await.unwrap();
    drop(lock);
    let kept = ["alert 0", "alert 1", "alert 2", "alert 3", "3.0", "3.1", "3.2", "3.3"];
    eventually(|| place.summaries() == kept).await;
}

#[tokio::test]
async fn when_nothing_may_be_dropped_the_sender_waits() {
    let place = Place::new();
    let store = Store::open_tuned(&place.path, HASTY).unwrap();
    let lock = lock(&place);
    for number in 0..8 {
        assert!(store.commit(urgent("a", &number.to_string())).await.is_err());
    }
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.commit(urgent("a", "8")).await }
    });
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!waiting.is_finished());
    drop(lock);
    waiting.await.unwrap().unwrap();
    assert_eq!(place.summaries().len(), 9);
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
