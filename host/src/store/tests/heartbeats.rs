use std::collections::BTreeSet;

use super::*;
use crate::heartbeats::{Record, Sign};
use crate::store::StoreReader;

fn services(ids: &[&str]) -> BTreeSet<ServiceId> {
    ids.iter().map(|id| ServiceId::new(id)).collect()
}

fn record(id: &str, since: i64, last: Option<(i64, Sign)>) -> Record {
    Record {
        service: ServiceId::new(id),
        since: at(since),
        last: last.map(|(seconds, sign)| (at(seconds), sign)),
    }
}

fn failed() -> Sign {
    let took = Some(Duration::from_millis(90_500));
    Sign { ok: false, message: "it's \"full\"; DROP TABLE services".to_owned(), took }
}

#[tokio::test]
async fn a_sign_of_life_is_there_after_a_restart_and_when_its_service_goes_so_does_it() {
    let place = Place::new();
    let store = place.store();
    let wait_for =
        async |store: &Store, ids: &[&str], now| store.wait_for(services(ids), at(now)).await.unwrap();
    let both = wait_for(&store, &["a", "b"], 10).await;
    assert_eq!(both, [record("a", 10, None), record("b", 10, None)]);
    let heard = record("a", 10, Some((20, failed())));
    store.save_heartbeats(vec![heard.clone()]).await.unwrap();
    // Nothing is closed in an orderly way: what was answered is on disk.
    assert_eq!(StoreReader::open(&place.path).unwrap().heartbeats().unwrap()[0], heard);
    drop(store);

    let store = place.store();
    let kept = wait_for(&store, &["a", "c"], 30).await;
    assert_eq!(kept, [heard, record("c", 30, None)]);
    assert_eq!(wait_for(&store, &["a", "b"], 40).await[1], record("b", 40, None), "it is new again");
    let good = Sign { ok: true, ..Sign::default() };
    store.save_heartbeats(vec![record("a", 11, Some((50, good.clone())))]).await.unwrap();
    assert_eq!(wait_for(&store, &["a"], 60).await, [record("a", 11, Some((50, good)))]);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    let store =
        Store::open_tuned(&place.path, Tuning { busy: Duration::from_millis(1), ..Tuning::new(NEVER) });
    let store = store.unwrap();
    let other = place.peek();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(store.save_heartbeats(vec![record("a", 1, Some((1, failed())))]).await.is_err());
    other.execute_batch("ROLLBACK").unwrap();
    store.save_heartbeats(vec![record("a", 1, Some((1, failed())))]).await.unwrap();
}
