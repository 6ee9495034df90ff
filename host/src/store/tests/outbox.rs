use pihook_core::{Colour, Field, FieldLayout, Message};

use super::*;
use crate::store::{Delivery, DeliveryState, DisabledSink, StoreReader, Waiting};

fn discord() -> SinkId {
    SinkId::new("discord")
}

async fn next(store: &Store) -> Delivery {
    store.next_delivery(&discord()).await.unwrap().unwrap()
}

fn message() -> Message {
    Message {
        title: "Jellyfin is down".to_owned(),
        body: String::new(),
        fields: vec![Field { name: "Zone".to_owned(), value: "local".to_owned(), layout: FieldLayout::Cell }],
        colour: Colour::Bad,
    }
}

#[tokio::test]
async fn deliveries_go_out_in_order_and_nothing_overtakes_a_failed_one() {
    let place = Place::new();
    let store = place.store();
    let kinds = [AlertKind::Opened, AlertKind::Escalated, AlertKind::Recovered];
    store.commit(telling(kinds.map(|kind| alert(kind, 1, &["discord", "phone"])).to_vec())).await.unwrap();
    let first = next(&store).await;
    assert!(store.begin(vec![first.id], &message()).await.unwrap());
    store.deliveries_failed(vec![first.id], "HTTP 503", at(60)).await.unwrap();
    store.close().await.unwrap();

    let store = place.store();
    let again = next(&store).await;
    assert_eq!((again.id, again.attempts, again.next_attempt), (first.id, 1, Some(at(60))));
    assert_eq!(again.message, Some(message()));
    let mut seen = Vec::new();
    while let Some(delivery) = store.next_delivery(&discord()).await.unwrap() {
        seen.push(delivery.alert.kind);
        store.delivery_sent(delivery.id, at(61)).await.unwrap();
    }
    assert_eq!(seen, kinds);
    assert_eq!(store.sinks_with_pending().await.unwrap(), [SinkId::new("phone")]);
}

#[tokio::test]
async fn what_was_given_up_is_shown() {
    let place = Place::new();
    let store = place.store();
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord", "phone"])])).await.unwrap();
    let delivery = next(&store).await;
    store.deliveries_dead(vec![delivery.id], "HTTP 400: no", at(50)).await.unwrap();
    assert_eq!(store.next_delivery(&discord()).await.unwrap(), None);
    let rows = StoreReader::open(&place.path).unwrap().undelivered().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].state, rows[0].attempts), (DeliveryState::Dead, 1));
    assert_eq!(rows[0].last_error.as_deref(), Some("HTTP 400: no"));
    assert_eq!((rows[0].created, rows[0].kind), (at(30), AlertKind::Opened));
    assert_eq!((rows[1].state, rows[1].sink.as_str()), (DeliveryState::Pending, "phone"));
}

#[tokio::test]
async fn an_unreadable_alert_does_not_hold_up_its_sink() {
    let place = Place::new();
    let store = place.store();
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    store.commit(telling(vec![alert(AlertKind::Recovered, 1, &["discord"])])).await.unwrap();
    place.peek().execute("UPDATE alerts SET json = 'x' WHERE id = 1", []).unwrap();
    assert_eq!(next(&store).await.alert.kind, AlertKind::Recovered);
    let rows = StoreReader::open(&place.path).unwrap().undelivered().unwrap();
    assert_eq!(rows[0].last_error.as_deref(), Some("the alert is unreadable"));
}

#[tokio::test]
async fn a_sink_that_is_named_twice_is_told_once_and_none_leaves_no_row() {
    let place = Place::new();
    let store = place.store();
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord", "discord"])])).await.unwrap();
    store.commit(telling(vec![alert(AlertKind::Opened, 2, &[])])).await.unwrap();
    let count = |table: &str| -> i64 {
        place.peek().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("alerts"), count("deliveries")), (1, 1));
}

/// Kinds and incidents of a sink's pending deliveries.
fn pending(place: &Place) -> Vec<(String, u64)> {
    let db = place.peek();
    let sql = "SELECT a.kind, a.incident FROM deliveries d JOIN alerts a ON a.id = d.alert
               WHERE d.state = 'pending' AND d.sink = 'discord' ORDER BY d.id";
    let mut statement = db.prepare(sql).unwrap();
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn beyond_the_limit_reminders_give_way_first() {
    let place = Place::new();
    let store = place.store();
    let mut alerts = vec![alert(AlertKind::Opened, 1, &["discord"])];
    alerts.extend((0..1200).map(|_| alert(AlertKind::Reminder, 1, &["discord"])));
    alerts.push(alert(AlertKind::Recovered, 1, &["discord"]));
    store.commit(telling(alerts)).await.unwrap();
    let pending = pending(&place);
    assert_eq!(pending.len(), 1000);
    assert_eq!(pending[0].0, "opened");
    assert_eq!(pending[999].0, "recovered");
}

#[tokio::test]
async fn beyond_the_limit_whole_incidents_give_way_but_never_the_head() {
    let place = Place::new();
    let store = place.store();
    let both =
        |incident| [AlertKind::Opened, AlertKind::Recovered].map(|kind| alert(kind, incident, &["discord"]));
    store.commit(telling((1..=600).flat_map(both).collect())).await.unwrap();
    let pending = pending(&place);
    assert!(pending.len() <= 1000, "{}", pending.len());
    let incidents: Vec<u64> = pending.iter().map(|(_kind, incident)| *incident).collect();
    assert_eq!(&incidents[..4], [1, 1, 102, 102]);
    for pair in pending.chunks(2) {
        assert_eq!((pair[0].0.as_str(), pair[1].0.as_str()), ("opened", "recovered"));
        assert_eq!(pair[0].1, pair[1].1);
    }
}

#[tokio::test]
async fn beyond_the_limit_of_news_the_newest_of_each_service_stays() {
    let place = Place::new();
    let store = place.store();
    let news = |number| Alert { summary: format!("{number}"), ..alert(AlertKind::Notice, 0, &["discord"]) };
    let other = Commit { service: ServiceId::new("other"), ..telling(vec![news(0)]) };
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    store.commit(other).await.unwrap();
    store.commit(telling((1..=1100).map(news).collect())).await.unwrap();
    let pending = pending(&place);
    assert_eq!(pending.len(), 1000);
    assert_eq!((pending[0].0.as_str(), pending[1].0.as_str()), ("opened", "notice"));
    let mut said = Vec::new();
    while let Some(delivery) = store.next_delivery(&discord()).await.unwrap() {
        said.push(delivery.alert.summary);
        store.delivery_sent(delivery.id, at(60)).await.unwrap();
    }
    assert_eq!((said[1].as_str(), said[2].as_str()), ("0", "103"), "the other service has no newer ones");
    assert_eq!(said.last().unwrap(), "1100");
}

#[tokio::test]
async fn what_was_delivered_long_ago_is_removed_and_what_is_pending_never() {
    let place = Place::new();
    let store = place.store();
    for incident in 1..=3 {
        store.commit(telling(vec![alert(AlertKind::Opened, incident, &["discord", "phone"])])).await.unwrap();
    }
    let day = 24 * 60 * 60;
    store.delivery_sent(next(&store).await.id, at(0)).await.unwrap();
    store.delivery_sent(next(&store).await.id, at(31 * day)).await.unwrap();
    let count = |sql: &str| -> i64 { place.peek().query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM deliveries WHERE state = 'sent'"), 1);
    assert_eq!(count("SELECT count(*) FROM deliveries WHERE state = 'pending'"), 4);
    assert_eq!(count("SELECT count(*) FROM alerts"), 3);
    store.delivery_sent(next(&store).await.id, at(62 * day)).await.unwrap();
    let phone = SinkId::new("phone");
    while let Some(delivery) = store.next_delivery(&phone).await.unwrap() {
        store.delivery_sent(delivery.id, at(62 * day)).await.unwrap();
    }
    store.commit(telling(vec![alert(AlertKind::Opened, 4, &["discord"])])).await.unwrap();
    store.delivery_sent(next(&store).await.id, at(93 * day)).await.unwrap();
    assert_eq!(count("SELECT count(*) FROM alerts"), 1);
}

#[tokio::test]
async fn a_disabled_sink_stays_so_until_it_is_enabled() {
    let place = Place::new();
    let store = place.store();
    let disabled = DisabledSink {
        sink: discord(),
        fingerprint: "f".to_owned(),
        reason: "HTTP 401".to_owned(),
        at: at(5),
    };
    store.disable_sink(&discord(), "e", "HTTP 404", at(4)).await.unwrap();
    store.disable_sink(&discord(), "f", "HTTP 401", at(5)).await.unwrap();
    store.close().await.unwrap();
    let store = place.store();
    let disabled = vec![disabled];
    assert_eq!(store.disabled_sinks().await.unwrap(), disabled);
    assert_eq!(StoreReader::open(&place.path).unwrap().disabled_sinks().unwrap(), disabled);
    store.enable_sink(&discord()).await.unwrap();
    store.enable_sink(&discord()).await.unwrap();
    assert!(store.disabled_sinks().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sink_is_given_up_as_a_whole_and_no_attempt_is_made_up() {
    let place = Place::new();
    let store = place.store();
    let both = |incident| alert(AlertKind::Opened, incident, &["discord", "phone"]);
    store.commit(telling((0..300).map(both).collect())).await.unwrap();
    assert_eq!(store.give_up_sink(&discord(), "sink removed", at(50)).await.unwrap(), 300);
    assert_eq!(store.give_up_sink(&discord(), "sink removed", at(51)).await.unwrap(), 0);
    assert_eq!(store.sinks_with_pending().await.unwrap(), [SinkId::new("phone")]);
    let rows = StoreReader::open(&place.path).unwrap().undelivered().unwrap();
    let dead: Vec<_> = rows.iter().filter(|row| row.state == DeliveryState::Dead).collect();
    assert_eq!(dead.len(), 300);
    assert!(dead.iter().all(|row| row.attempts == 0 && row.last_error.as_deref() == Some("sink removed")));
}

#[tokio::test]
async fn a_clock_that_jumps_by_years_does_not_erase_what_was_given_up() {
    let place = Place::new();
    let store = place.store();
    let opened = |incident| alert(AlertKind::Opened, incident, &["discord"]);
    store.commit(telling((0..50).map(opened).collect())).await.unwrap();
    store.give_up_sink(&discord(), "no", at(50)).await.unwrap();
    store.commit(telling(vec![opened(50)])).await.unwrap();
    store.delivery_sent(next(&store).await.id, at(20 * 365 * 24 * 3600)).await.unwrap();
    assert_eq!(StoreReader::open(&place.path).unwrap().undelivered().unwrap().len(), 46);
}

#[tokio::test]
async fn a_sink_of_a_higher_level_is_bounded_too() {
    let place = Place::new();
    let store = place.store();
    let life = |incident| {
        [AlertKind::Escalated, AlertKind::Reminder, AlertKind::Recovered]
            .map(|kind| alert(kind, incident, &["discord"]))
    };
    store.commit(telling((1..=800).flat_map(life).collect())).await.unwrap();
    let pending = pending(&place);
    assert!(pending.len() <= 1000, "{}", pending.len());
    let others: Vec<_> = pending.iter().filter(|(_, incident)| *incident != 1).collect();
    for incident in others.chunk_by(|one, other| one.1 == other.1) {
        let kinds: Vec<&str> = incident.iter().map(|(kind, _)| kind.as_str()).collect();
        assert!(
            kinds == ["escalated", "recovered"] || kinds == ["escalated", "reminder", "recovered"],
            "{kinds:?}"
        );
    }
}

#[tokio::test]
async fn beyond_the_limit_who_was_told_of_an_incident_hears_of_its_end() {
    let place = Place::new();
    let store = place.store();
    let one = |kind, incident| alert(kind, incident, &["discord"]);
    store.commit(telling(vec![one(AlertKind::Opened, 1)])).await.unwrap();
    store.delivery_sent(next(&store).await.id, at(60)).await.unwrap();
    store.commit(telling(vec![one(AlertKind::Opened, 2)])).await.unwrap();
    let ends = std::iter::once(one(AlertKind::Recovered, 1));
    let untold = (3..=603).flat_map(|id| [one(AlertKind::Opened, id), one(AlertKind::Recovered, id)]);
    store.commit(telling(ends.chain(untold).collect())).await.unwrap();
    let pending = pending(&place);
    assert!(pending.len() <= 1000, "{}", pending.len());
    assert_eq!(pending[..2], [("opened".to_owned(), 2), ("recovered".to_owned(), 1)]);
}

fn free(waiting: Waiting) -> Vec<Delivery> {
    let Waiting::Free(deliveries) = waiting else { panic!("a batch was begun: {waiting:?}") };
    deliveries
}

fn begun(waiting: Waiting) -> Vec<Delivery> {
    let Waiting::Begun(deliveries) = waiting else { panic!("no batch was begun: {waiting:?}") };
    deliveries
}

fn ids(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries.iter().map(|delivery| delivery.id).collect()
}

#[tokio::test]
async fn a_batch_that_was_begun_is_the_same_after_a_restart_and_ends_as_a_whole() {
    let place = Place::new();
    let store = place.store();
    let opened = |incident| alert(AlertKind::Opened, incident, &["discord"]);
    store.commit(telling((1..=5).map(opened).collect())).await.unwrap();
    let deliveries = free(store.waiting(&discord(), 3).await.unwrap());
    assert_eq!(deliveries.len(), 3);
    assert!(store.begin(ids(&deliveries), &message()).await.unwrap());
    store.deliveries_failed(ids(&deliveries), "HTTP 503", at(60)).await.unwrap();
    store.commit(telling(vec![opened(6)])).await.unwrap();
    store.close().await.unwrap();

    let store = place.store();
    let again = begun(store.waiting(&discord(), 100).await.unwrap());
    assert_eq!(ids(&again), ids(&deliveries));
    assert_eq!(again[0].message, Some(message()));
    assert!(again.iter().all(|delivery| delivery.attempts == 1));
    store.deliveries_sent(ids(&again), at(61)).await.unwrap();
    let rest = free(store.waiting(&discord(), 100).await.unwrap());
    assert_eq!(rest.iter().map(|rest| rest.alert.incident.0).collect::<Vec<_>>(), [4, 5, 6]);
}

#[tokio::test]
async fn a_batch_is_not_begun_with_what_has_ended_and_can_be_put_back() {
    let place = Place::new();
    let store = place.store();
    let opened = |incident| alert(AlertKind::Opened, incident, &["discord"]);
    store.commit(telling((1..=3).map(opened).collect())).await.unwrap();
    let deliveries = free(store.waiting(&discord(), 100).await.unwrap());
    store.spare(vec![deliveries[1].id], "no need", at(60)).await.unwrap();
    assert!(!store.begin(ids(&deliveries), &message()).await.unwrap());
    let rest = free(store.waiting(&discord(), 100).await.unwrap());
    assert_eq!(ids(&rest), [deliveries[0].id, deliveries[2].id]);
    assert!(
        StoreReader::open(&place.path)
            .unwrap()
            .undelivered()
            .unwrap()
            .iter()
            .all(|row| row.last_error.is_none())
    );

    assert!(store.begin(ids(&rest), &message()).await.unwrap());
    store.put_back(ids(&rest)).await.unwrap();
    let rest = free(store.waiting(&discord(), 100).await.unwrap());
    assert!(rest.iter().all(|delivery| delivery.message.is_none()));
}

#[tokio::test]
async fn what_is_begun_never_gives_way() {
    let place = Place::new();
    let store = place.store();
    let reminders = |count| (0..count).map(|_| alert(AlertKind::Reminder, 1, &["discord"])).collect();
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    store.commit(telling(reminders(199))).await.unwrap();
    let batch = free(store.waiting(&discord(), 200).await.unwrap());
    assert!(store.begin(ids(&batch), &message()).await.unwrap());
    store.commit(telling(reminders(1000))).await.unwrap();
    assert_eq!(pending(&place).len(), 1000);
    assert_eq!(ids(&begun(store.waiting(&discord(), 1).await.unwrap())), ids(&batch));
}

#[tokio::test]
async fn a_fallback_is_told_once_after_what_it_has_and_hears_of_the_end() {
    let place = Place::new();
    let store = place.store();
    let phone = SinkId::new("phone");
    store.commit(telling(vec![alert(AlertKind::Opened, 1, &["discord"])])).await.unwrap();
    store.commit(telling(vec![alert(AlertKind::Opened, 2, &["discord", "phone"])])).await.unwrap();
    let batch = free(store.waiting(&discord(), 9).await.unwrap());
    assert!(store.begin(ids(&batch), &message()).await.unwrap());
    let mut added = store.deliveries_added();
    added.mark_unchanged();
    assert_eq!(store.redirect(&discord(), &phone, at(60)).await.unwrap(), 1);
    assert!(added.has_changed().unwrap(), "the fallback's worker is not woken");
    assert_eq!(store.redirect(&discord(), &phone, at(61)).await.unwrap(), 0);

    assert!(free(store.waiting(&discord(), 9).await.unwrap()).is_empty());
    let told = free(store.waiting(&phone, 9).await.unwrap());
    let what: Vec<_> = told.iter().map(|told| (told.alert.incident.0, told.meant_for.clone())).collect();
    assert_eq!(what, [(2, None), (1, Some(discord()))]);
    assert!(told.iter().all(|told| told.message.is_none() && told.attempts == 0));
    let undelivered = StoreReader::open(&place.path).unwrap().undelivered().unwrap();
    assert_eq!(undelivered.len(), 2, "{undelivered:?}");
    store.deliveries_sent(ids(&told), at(62)).await.unwrap();

    store.commit(telling(vec![alert(AlertKind::Recovered, 1, &["discord"])])).await.unwrap();
    let end = free(store.waiting(&phone, 9).await.unwrap());
    assert_eq!(
        (end.len(), end[0].alert.kind, end[0].meant_for.clone()),
        (1, AlertKind::Recovered, Some(discord()))
    );
    assert_eq!(free(store.waiting(&discord(), 9).await.unwrap()).len(), 1);
    // It has that too.
    assert_eq!(store.redirect(&discord(), &phone, at(63)).await.unwrap(), 0);
    assert_eq!(free(store.waiting(&phone, 9).await.unwrap()).len(), 1);
}
