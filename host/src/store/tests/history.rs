use proptest::prelude::*;

use pihook_core::Summary;
use pihook_core::summary::Sample;

use super::*;
use crate::store::archive::{self, HOUR_MS, sample};
use crate::store::codec::{instant, millis};
use crate::store::days::add_up;
use crate::store::prune::{Cutoff, step};
use crate::store::{Fate, StoreReader, schema};

/// The beginning of an hour.
const FIRST: i64 = 1_794_996_000_000;

/// A check of the service `a` or `b`: milliseconds after the start, status, response, maintenance.
type Seen = (i64, bool, i64, Option<i64>, bool);

fn seen() -> impl Strategy<Value = Seen> {
    let response = prop::option::of(0..5_000_000_i64);
    (0..6 * HOUR_MS, any::<bool>(), 0..4_i64, response, prop::bool::weighted(0.1))
}

fn database(place: &Place) -> Connection {
    let mut db = schema::open(&place.path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT).unwrap();
    super::super::records::register(&mut db, &[registered("a"), registered("b")]).unwrap();
    db
}

fn insert(db: &Connection, (after, second, status, response, muted): Seen) {
    db.execute(
        "INSERT INTO checks (service, at_ms, status, response_us, attempts, in_maintenance, summary)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
        rusqlite::params![
            i64::from(second) + 1,
            FIRST + after,
            status,
            response,
            muted,
            format!("seen {}", after % 3)
        ],
    )
    .unwrap();
}

fn logged(db: &Connection) -> Vec<String> {
    let sql = r#"SELECT at_ms || service || zone || "check" || status || coalesce(response_ms, '-') || attempts ||
                     summary || in_maintenance AS line FROM check_log ORDER BY line"#;
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn raw_summary(all: &[Seen], second: bool, from: i64, to: i64) -> Summary {
    let mut summary = Summary::default();
    for (after, whose, status, response, muted) in all {
        if *whose == second && (from..to).contains(after) {
            let it: Sample = sample(FIRST + after, *status, *response, *muted, 60_000);
            summary.record(&it);
        }
    }
    summary
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Packed early, late, in parts or not at all, with a clock anywhere: what is read is what was seen.
    #[test]
    fn any_window_equals_the_single_checks(
        early in prop::collection::vec(seen(), 0..60),
        late in prop::collection::vec(seen(), 0..20),
        limit in 1..50_usize,
        clock in prop::sample::select(vec![0, 2, 5, 24, 1_000_000]),
        mut edges in prop::collection::vec(0..6 * HOUR_MS, 2..5),
    ) {
        let place = Place::new();
        let mut db = database(&place);
        early.iter().for_each(|it| insert(&db, *it));
        while pack(&mut db, FIRST + clock * HOUR_MS, limit).unwrap() > 0 {}
        late.iter().for_each(|it| insert(&db, *it));
        let before = logged(&db);
        while pack(&mut db, FIRST + 24 * HOUR_MS, limit).unwrap() > 0 {}
        prop_assert_eq!(logged(&db), before);

        edges.sort_unstable();
        edges.dedup();
        let all: Vec<_> = early.into_iter().chain(late).collect();
        let instants: Vec<_> = edges.iter().map(|edge| instant(FIRST + edge)).collect();
        let series = StoreReader::open(&place.path).unwrap().series(&instants, None).unwrap();
        for (second, id) in [(false, "a"), (true, "b")] {
            let found = series.iter().find(|series| series.id.as_str() == id);
            for (at, pair) in edges.windows(2).enumerate() {
                let expect = raw_summary(&all, second, pair[0], pair[1]);
                let got = found.map(|series| series.spans[at].clone()).unwrap_or_default();
                prop_assert_eq!(got, expect);
            }
        }
    }
}

/// A check within three days.
fn seen_over_days() -> impl Strategy<Value = Seen> {
    (seen(), 0..12_i64).prop_map(|((after, second, status, response, muted), sixth)| {
        (after + sixth * 6 * HOUR_MS, second, status, response, muted)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Days that were added up before or after the late checks came, and edges anywhere: what is read is what was seen, of
    /// all services and of one.
    #[test]
    fn days_that_were_added_up_are_the_sum_of_their_hours(
        early in prop::collection::vec(seen_over_days(), 0..60),
        late in prop::collection::vec(seen_over_days(), 0..20),
        clock in 0..96_i64,
        edges in prop::collection::vec((0..12_i64, prop::sample::select(vec![0, 1, HOUR_MS, 2 * HOUR_MS, 1_234_567])), 2..6),
    ) {
        let place = Place::new();
        let mut db = database(&place);
        early.iter().for_each(|it| insert(&db, *it));
        let then = FIRST + clock * HOUR_MS;
        while pack(&mut db, then, 50).unwrap() > 0 {}
        while add_up(&mut db, then).unwrap() {}
        late.iter().for_each(|it| insert(&db, *it));
        while pack(&mut db, FIRST + 100 * HOUR_MS, 50).unwrap() > 0 {}
        let mut edges: Vec<i64> = edges.iter().map(|(sixth, more)| sixth * 6 * HOUR_MS + more).collect();
        edges.sort_unstable();
        edges.dedup();
        let all: Vec<_> = early.into_iter().chain(late).collect();
        let instants: Vec<_> = edges.iter().map(|edge| instant(FIRST + edge)).collect();
        let reader = StoreReader::open(&place.path).unwrap();
        for (second, id) in [(false, "a"), (true, "b")] {
            for only in [None, Some(ServiceId::new(id))] {
                let series = reader.series(&instants, only.as_ref()).unwrap();
                let found = series.iter().find(|series| series.id.as_str() == id);
                for (at, pair) in edges.windows(2).enumerate() {
                    let expect = raw_summary(&all, second, pair[0], pair[1]);
                    let got = found.map(|series| series.spans[at].clone()).unwrap_or_default();
                    prop_assert_eq!(got, expect);
                }
            }
        }
        let from_midnight: Vec<_> = (0..4).map(|day| instant(FIRST + day * 24 * HOUR_MS)).collect();
        let marks = reader.day_marks(&from_midnight).unwrap();
        for (second, id) in [(false, "a"), (true, "b")] {
            for day in 0..3_usize {
                let from = i64::try_from(day).unwrap() * 24 * HOUR_MS;
                let expect = raw_summary(&all, second, from, from + 24 * HOUR_MS);
                let got = marks.get(&ServiceId::new(id)).map(|days| days[day]).unwrap_or_default();
                prop_assert_eq!(
                    [got.up, got.degraded, got.down, got.unknown, got.maintained].map(u64::from),
                    [expect.up, expect.degraded, expect.down, expect.unknown, expect.maintained]
                );
            }
        }
    }
}

#[test]
fn days_go_with_their_hours() {
    let place = Place::new();
    let mut db = database(&place);
    for hour in 0..96 {
        insert(&db, (hour * HOUR_MS, false, 0, Some(1000), false));
    }
    while pack(&mut db, FIRST + 100 * HOUR_MS, 50).unwrap() > 0 {}
    while add_up(&mut db, FIRST + 100 * HOUR_MS).unwrap() {}
    let days = |db: &Connection| -> Vec<i64> {
        let mut statement = db.prepare("SELECT day FROM days ORDER BY day").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let first = FIRST / HOUR_MS / 24;
    // The fifth day has begun and is not over.
    assert_eq!(days(&db), [first, first + 1, first + 2, first + 3]);
    let cutoff = Cutoff { checks: instant(0), rollups: instant(FIRST + 50 * HOUR_MS) };
    while step(&mut db, cutoff).unwrap() {}
    assert_eq!(days(&db), [first + 2, first + 3]);
    // A sum of a day that is there is added to, and none is made twice.
    insert(&db, (60 * HOUR_MS, false, 1, None, false));
    insert(&db, (200 * HOUR_MS, false, 0, None, false));
    while pack(&mut db, FIRST + 100 * HOUR_MS, 50).unwrap() > 0 {}
    assert!(!add_up(&mut db, FIRST + 100 * HOUR_MS).unwrap());
    let downs: i64 = db.query_row("SELECT sum(down) FROM days", [], |row| row.get(0)).unwrap();
    assert_eq!(downs, 1);
}

#[test]
fn a_page_has_the_newest_checks_and_the_incidents_with_who_was_told() {
    let place = Place::new();
    let mut db = database(&place);
    for minute in 0..180 {
        insert(&db, (minute * 60_000, minute % 2 == 1, 0, Some(1000 + minute), false));
    }
    while pack(&mut db, FIRST + 24 * HOUR_MS, 50).unwrap() > 0 {}
    insert(&db, (3 * HOUR_MS, false, 1, None, false));
    db.execute_batch(
        "INSERT INTO incidents VALUES (7, 1, 5, NULL, 'critical', 'down', 'refused', 3, NULL), (8, 2, 6, 7, 'warning', 'down', '', 1, NULL);
         INSERT INTO alerts VALUES (1, 7, 1, 'opened', 'failures', 8, '{}'), (2, 8, 2, 'opened', 'failures', 8, '{}');
         INSERT INTO deliveries (alert, sink, state, finished_ms, attempts, last_error) VALUES
             (1, 'discord', 'sent', 9, 1, NULL), (1, 'phone', 'dead', 10, 4, 'gone'), (2, 'discord', 'pending', NULL, 0, NULL);",
    )
    .unwrap();
    let reader = StoreReader::open(&place.path).unwrap();
    let (a, until) = (ServiceId::new("a"), instant(FIRST + 4 * HOUR_MS));
    let checks = reader.checks_of(&a, (instant(FIRST), until), 5).unwrap();
    let minutes: Vec<_> = checks.iter().map(|it| (millis(it.at) - FIRST) / 60_000).collect();
    assert_eq!(minutes, [180, 178, 176, 174, 172]);
    assert_eq!((checks[0].status, checks[1].response_ms), (Status::Down, Some(1.178)));
    assert_eq!(checks[1].summary, "seen 0");
    let recent = instant(FIRST + 176 * 60_000);
    assert_eq!(reader.checks_of(&a, (recent, until), 50).unwrap().len(), 3);
    let stories = reader.incidents_of(&a, 10).unwrap();
    assert_eq!(stories.len(), 1);
    let told: Vec<_> = stories[0].told.iter().map(|it| (it.sink.as_str(), it.fate, it.attempts)).collect();
    assert_eq!(told, [("discord", Fate::Sent(instant(9)), 1), ("phone", Fate::Dead, 4)]);
    assert!(reader.incidents_of(&ServiceId::new("nobody"), 10).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever there is and wherever the cutoffs are: what is needed stays, all else goes, and then there is no more to do.
    #[test]
    fn pruning_leaves_what_is_needed_and_nothing_else(
        checks in prop::collection::vec(seen(), 0..60),
        incidents in prop::collection::vec((prop::option::of(0..6 * HOUR_MS), prop::option::of(0..3_usize)), 0..12),
        cutoffs in (0..8_i64, 0..8_i64),
    ) {
        let place = Place::new();
        let mut db = database(&place);
        checks.iter().for_each(|it| insert(&db, *it));
        for (id, (closed, told)) in (1_i64..).zip(&incidents) {
            db.execute(
                "INSERT INTO incidents VALUES (?1, 1, ?2, ?3, 'critical', 'down', '', 1, NULL)",
                rusqlite::params![id, FIRST, closed.map(|after| FIRST + after)],
            )
            .unwrap();
            let Some(state) = told.map(|told| ["pending", "sent", "dead"][told]) else { continue };
            db.execute("INSERT INTO alerts VALUES (?1, ?1, 1, 'opened', '', 0, '{}')", [id]).unwrap();
            db.execute(
                "INSERT INTO deliveries (alert, sink, state) VALUES (?1, 'discord', ?2)",
                rusqlite::params![id, state],
            )
            .unwrap();
        }
        let newest = |db: &Connection| -> Vec<i64> {
            let mut statement = db.prepare("SELECT max(id) FROM checks GROUP BY service").unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let ids = |db: &Connection, table: &str| -> Vec<i64> {
            let mut statement = db.prepare(&format!("SELECT id FROM {table} ORDER BY id")).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let newest_before = newest(&db);
        while pack(&mut db, FIRST + 24 * HOUR_MS, 7).unwrap() > 0 {}
        let (raw, deliveries) = (ids(&db, "checks"), ids(&db, "deliveries"));
        let cutoff = Cutoff {
            checks: instant(FIRST + cutoffs.0 * HOUR_MS),
            rollups: instant(FIRST + cutoffs.1 * HOUR_MS),
        };
        let mut steps = 0;
        while step(&mut db, cutoff).unwrap() {
            steps += 1;
            prop_assert!(steps < 1000, "it does not end");
        }
        prop_assert_eq!(newest(&db), newest_before);
        prop_assert_eq!(ids(&db, "checks"), raw);
        prop_assert_eq!(ids(&db, "deliveries"), deliveries);
        let kept = (1_i64..).zip(&incidents).filter(|(_, (closed, told))| {
            closed.is_none_or(|after| after >= cutoffs.1 * HOUR_MS) || *told == Some(0)
        });
        let kept: Vec<i64> = kept.map(|(id, _)| id).collect();
        prop_assert_eq!(ids(&db, "incidents"), kept);
        for (table, from) in [("archive", cutoffs.0), ("rollups", cutoffs.1)] {
            let sql = format!("SELECT min(hour) FROM {table}");
            let oldest: Option<i64> = db.query_row(&sql, [], |row| row.get(0)).unwrap();
            prop_assert!(oldest.is_none_or(|hour| hour >= FIRST / HOUR_MS + from), "{}", table);
        }
        prop_assert!(!step(&mut db, cutoff).unwrap(), "planning again yields something");
    }
}

#[test]
fn what_is_recent_is_the_same_before_and_after_packing() {
    let place = Place::new();
    let mut db = database(&place);
    // Every five minutes for eight days, the last day without its second half; one failure in ten, seldom maintenance.
    for number in 0..8 * 288 - 144_i64 {
        let status = i64::from(number % 10 == 3);
        insert(
            &db,
            (number * 300_000, false, status, (status == 0).then_some(5000 + number), number % 50 == 7),
        );
    }
    // And one that comes once a day.
    for day in 0..8 {
        insert(&db, (day * 24 * HOUR_MS, true, 0, Some(day), false));
    }
    let until = instant(FIRST + 8 * 24 * HOUR_MS);
    let recent = |service: &str| {
        let reader = StoreReader::open(&place.path).unwrap();
        reader.recent(&ServiceId::new(service), until, 20).unwrap()
    };
    let before = [recent("a"), recent("b")];
    while pack(&mut db, millis(until), 1000).unwrap() > 0 {}
    assert_eq!([recent("a"), recent("b")], before);

    let [often, daily] = &before;
    let newest: Vec<_> = often.outcomes.iter().map(|it| it.at).collect();
    let expect: Vec<_> = (0..20).map(|back| instant(FIRST + (8 * 288 - 145 - back) * 300_000)).collect();
    assert_eq!(newest, expect);
    assert_eq!(often.outcomes[0].response_ms, Some((5000.0 + 2159.0) / 1000.0));
    assert_eq!(daily.outcomes.len(), 8);
    assert_eq!(daily.uptime_week, Some(100.0));
    // By hand: of the last day's 144, 15 fail and 3 are in maintenance, none of them both.
    let failed = |from: i64, to: i64| (from..to).filter(|it| it % 10 == 3 && it % 50 != 7).count() as f64;
    let judged = |from: i64, to: i64| (from..to).filter(|it| it % 50 != 7).count() as f64;
    // A check that is exactly as old as the span does not count any more.
    let percent = |from, to| Some(100.0 * (1.0 - failed(from, to) / judged(from, to)));
    let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-9;
    assert!(close(often.uptime_day, percent(2017, 2160)), "{often:?}");
    assert!(close(often.uptime_week, percent(289, 2160)), "{often:?}");
}

#[test]
fn pruning_ends_and_leaves_what_is_needed() {
    let place = Place::new();
    let mut db = database(&place);
    for minute in 0..600 {
        insert(&db, (minute * 60_000, minute % 2 == 0, 0, Some(5000), false));
    }
    db.execute_batch(
        "INSERT INTO incidents VALUES (1, 1, 0, NULL, 'critical', 'down', '', 1, NULL), (2, 1, 0, 1, 'critical', 'down', '', 1, NULL),
             (3, 1, 0, 1, 'critical', 'down', '', 1, NULL);
         INSERT INTO alerts VALUES (1, 2, 1, 'opened', '', 0, '{}');
         INSERT INTO deliveries (alert, sink) VALUES (1, 'discord');",
    )
    .unwrap();
    while pack(&mut db, FIRST + 24 * HOUR_MS, 1000).unwrap() > 0 {}
    let count = |db: &Connection, sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(count(&db, "SELECT count(*) FROM checks"), 2, "the newest of each service");
    assert_eq!(count(&db, "SELECT sum(up) FROM hour_log"), 598);
    let cutoff = Cutoff { checks: instant(FIRST + 8 * HOUR_MS), rollups: instant(FIRST + 4 * HOUR_MS) };
    let mut steps = 0;
    while step(&mut db, cutoff).unwrap() {
        steps += 1;
        assert!(steps < 100, "planning again must yield nothing");
    }
    assert_eq!(count(&db, "SELECT min(hour) FROM archive") * HOUR_MS, FIRST + 8 * HOUR_MS);
    assert_eq!(count(&db, "SELECT min(hour) FROM rollups") * HOUR_MS, FIRST + 4 * HOUR_MS);
    assert_eq!(count(&db, "SELECT sum(id) FROM incidents"), 3, "the open one and the one to be told");
    assert_eq!(count(&db, "SELECT count(*) FROM checks"), 2);
    assert!(!step(&mut db, cutoff).unwrap());
}

#[test]
fn a_turn_of_the_writer_is_bounded_in_rows() {
    let place = Place::new();
    let mut db = database(&place);
    // Each check a row of its own: an hour, a service and a status that no other has.
    for number in 0..archive::ROWS as i64 {
        insert(&db, (number * HOUR_MS, number % 2 == 0, number % 4, None, false));
    }
    let far = FIRST + 10_000 * HOUR_MS;
    let batch = archive::read(&db, far, 8192).unwrap();
    assert_eq!((batch.len(), batch.rows()), (archive::ROWS / 2, archive::ROWS));
    assert_eq!(archive::pack(&mut db, batch).unwrap(), archive::ROWS / 2);
    assert_eq!(archive::read(&db, far, 10).unwrap().len(), 10);
    while pack(&mut db, far, 8192).unwrap() > 0 {}

    let count = |db: &Connection, table: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let cutoff = Cutoff { checks: instant(far), rollups: instant(far) };
    let mut left = (count(&db, "archive"), count(&db, "rollups"));
    let mut more = true;
    while more {
        more = step(&mut db, cutoff).unwrap();
        let now = (count(&db, "archive"), count(&db, "rollups"));
        assert!((left.0 - now.0) + (left.1 - now.1) <= 256, "{left:?} {now:?}");
        left = now;
    }
    assert_eq!(left, (0, 0));
}

#[test]
fn a_batch_of_which_a_row_is_gone_is_given_up_as_a_whole() {
    let place = Place::new();
    let mut db = database(&place);
    for minute in 0..10 {
        insert(&db, (minute * 60_000, false, 0, Some(5000), false));
    }
    let far = FIRST + 24 * HOUR_MS;
    let batch = archive::read(&db, far, 100).unwrap();
    assert_eq!(batch.len(), 9, "the newest stays");
    db.execute("DELETE FROM checks WHERE id = 4", []).unwrap();
    let before = logged(&db);
    assert_eq!(archive::pack(&mut db, batch).unwrap(), 0);
    assert_eq!(logged(&db), before);
    assert_eq!(pack(&mut db, far, 100).unwrap(), 8);
    assert_eq!(logged(&db), before);
}

#[test]
fn what_is_free_goes_back_to_the_file_system_a_little_at_a_time_but_for_a_reserve() {
    let place = Place::new();
    let mut db = database(&place);
    for minute in 0..20_000_i64 {
        insert(&db, (minute * 60_000, minute % 2 == 0, minute % 4, Some(minute), false));
    }
    let far = FIRST + 10_000 * HOUR_MS;
    while pack(&mut db, far, 8192).unwrap() > 0 {}
    let pages =
        |db: &Connection, what: &str| -> i64 { db.pragma_query_value(None, what, |row| row.get(0)).unwrap() };
    let cutoff = Cutoff { checks: instant(far), rollups: instant(far) };
    let (at_first, mut before) = (pages(&db, "page_count"), pages(&db, "page_count"));
    while step(&mut db, cutoff).unwrap() {
        let now = pages(&db, "page_count");
        assert!(before - now <= 64, "{before} {now}");
        before = now;
    }
    assert!(before < at_first / 4, "{before} of {at_first} pages are left");
    assert!(
        pages(&db, "freelist_count") <= before / 5,
        "{} of {before} are free",
        pages(&db, "freelist_count")
    );
}
