use proptest::prelude::*;

use super::*;
use crate::store::archive::HOUR_MS;
use crate::store::codec::{instant, millis};
use crate::store::{LastCheck, StoreReader, WantedDeliveries, WantedIncidents, schema};

/// The beginning of an hour.
const FIRST: i64 = 1_794_996_000_000;

fn insert(db: &Connection, second: bool, after: i64) {
    db.execute(
        "INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        rusqlite::params![
            i64::from(second) + 1,
            FIRST + after,
            after % 4,
            (after % 3 > 0).then_some(after),
            after % 2 + 1,
            after % 5 == 0,
            format!("seen {}", after % 3)
        ],
    )
    .unwrap();
}

fn database(place: &Place) -> Connection {
    let mut db = schema::open(&place.path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT).unwrap();
    let service = |id: &str| RegisteredService {
        id: ServiceId::new(id),
        name: id.to_owned(),
        zone: ZoneId::new("local"),
        check: "http".to_owned(),
        every: Some(Duration::from_secs(60)),
    };
    super::super::records::register(&mut db, &[service("a"), service("b")]).unwrap();
    db
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Packed early, late, in parts or not at all: each check is there once, the newest first, as it was seen.
    #[test]
    fn checks_come_as_they_were_seen(
        seen in prop::collection::btree_set((any::<bool>(), 0..6 * HOUR_MS), 0..60),
        late in prop::collection::btree_set((any::<bool>(), 0..6 * HOUR_MS), 0..20),
        limit in 1..50_usize,
        clock in prop::sample::select(vec![0, 2, 5, 24]),
        most in 0..30_usize,
        until in 0..7 * HOUR_MS,
    ) {
        let place = Place::new();
        let mut db = database(&place);
        seen.iter().for_each(|(second, after)| insert(&db, *second, *after));
        while pack(&mut db, FIRST + clock * HOUR_MS, limit).unwrap() > 0 {}
        late.difference(&seen).for_each(|(second, after)| insert(&db, *second, *after));
        let reader = StoreReader::open(&place.path).unwrap();
        let found = reader.checks(&ServiceId::new("a"), instant(FIRST + until), most).unwrap().unwrap();
        let all: std::collections::BTreeSet<_> = seen.union(&late).collect();
        let expected = all.into_iter().rev().filter(|(second, after)| !second && *after <= until).take(most);
        let at: Vec<i64> = found.iter().map(|check: &LastCheck| millis(check.at) - FIRST).collect();
        prop_assert_eq!(&at, &expected.map(|(_, after)| *after).collect::<Vec<_>>());
        for (check, after) in found.iter().zip(at) {
            prop_assert_eq!(&check.summary, &format!("seen {}", after % 3));
            prop_assert_eq!((check.attempts, check.in_maintenance), (u32::try_from(after % 2).unwrap() + 1, after % 5 == 0));
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let response = (after % 3 > 0).then_some(after as f64 / 1000.0);
            prop_assert_eq!(check.response_ms, response);
        }
    }
}

#[test]
fn nobodys_checks_are_none() {
    let place = Place::new();
    drop(database(&place));
    let reader = StoreReader::open(&place.path).unwrap();
    assert_eq!(reader.checks(&ServiceId::new("nobody"), Timestamp::MAX, 10).unwrap(), None);
    assert_eq!(reader.checks(&ServiceId::new("b"), Timestamp::MAX, 10).unwrap(), Some(Vec::new()));
}

#[tokio::test]
async fn incidents_and_deliveries_come_as_they_are_wanted() {
    let place = Place::new();
    let store = place.store();
    for id in 1..=3 {
        let service = if id == 2 { "b" } else { "a" };
        let incident = Incident {
            id: IncidentId(id),
            opened: at(0),
            closed: (id == 1).then(|| at(60)),
            severity: Severity::Critical,
            status: Status::Down,
            reason: "refused".to_owned(),
            checks_failed: 3,
            acknowledged: (id == 3).then(|| at(30)),
        };
        let alerts = vec![alert(AlertKind::Opened, id, &["discord", "phone"])];
        let commit = Commit { incident: Some(incident), alerts, ..urgent(service, "refused") };
        store.submit(commit, None).written().await.unwrap();
    }
    let reader = StoreReader::open(&place.path).unwrap();
    let ids = |wanted: WantedIncidents, most| -> Vec<u64> {
        reader.incidents(&wanted, most).unwrap().iter().map(|row| row.id.0).collect()
    };
    assert_eq!(ids(WantedIncidents::default(), 10), [3, 2, 1]);
    assert_eq!(ids(WantedIncidents::default(), 2), [3, 2]);
    assert_eq!(ids(WantedIncidents { before: Some(2), ..Default::default() }, 10), [1]);
    assert_eq!(ids(WantedIncidents { before: Some(u64::MAX), ..Default::default() }, 10), [3, 2, 1]);
    assert_eq!(ids(WantedIncidents { open: Some(true), ..Default::default() }, 10), [3, 2]);
    assert_eq!(ids(WantedIncidents { open: Some(false), ..Default::default() }, 10), [1]);
    assert_eq!(ids(WantedIncidents { service: Some(ServiceId::new("b")), ..Default::default() }, 10), [2]);
    let told = |wanted: WantedDeliveries| -> Vec<(u64, String)> {
        let rows = reader.deliveries(&wanted, 10).unwrap();
        rows.iter().map(|row| (row.incident.unwrap().0, row.sink.to_string())).collect()
    };
    assert_eq!(told(WantedDeliveries::default()).len(), 6);
    let phone = WantedDeliveries { sink: Some(SinkId::new("phone")), ..Default::default() };
    assert_eq!(told(phone), [(3, "phone".to_owned()), (2, "phone".to_owned()), (1, "phone".to_owned())]);
    assert!(told(WantedDeliveries { state: Some("sent"), ..Default::default() }).is_empty());
    assert_eq!(
        told(WantedDeliveries { state: Some("pending"), before: Some(3), ..Default::default() }).len(),
        2
    );
}
