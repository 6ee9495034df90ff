use pihook_core::Timestamp;

use super::*;

fn listed(id: &str) -> Listed {
    Listed {
        id: ServiceId::new(id),
        name: Arc::from(id),
        zone: ZoneId::new("local"),
        check: Arc::from("http"),
        interval: Some(Duration::from_secs(60)),
        settings: Arc::default(),
    }
}

fn outcome(status: Status, second: i64, millis: Option<u64>) -> Outcome {
    Outcome {
        status,
        summary: status.to_string(),
        notice: None,
        response_time: millis.map(Duration::from_millis),
        attempts: 1,
        metrics: Vec::new(),
        at: Timestamp::from_second(second).unwrap(),
    }
}

fn view(health: Status) -> View {
    View { health: Some(health), last: None, running: false, incident: None }
}

#[test]
fn a_picture_stays_as_it_is_and_the_next_has_the_news() {
    let board = Board::new();
    board.list(vec![listed("a"), listed("b")]);
    let mut changes = board.changes();
    changes.mark_unchanged();
    let before = board.picture();
    let down = outcome(Status::Down, 60, Some(7));
    board.note(&ServiceId::new("b"), view(Status::Up), Muting::Muted, Some(&down));
    assert!(changes.has_changed().unwrap());
    let after = board.picture();
    assert!(after.version > before.version);
    assert_eq!(before.entries[1].last, None);
    let entry = &after.entries[1];
    assert_eq!(
        (entry.health, entry.status(), entry.muting),
        (Some(Status::Up), Some(Status::Down), Muting::Muted)
    );
    assert_eq!(entry.tally.outcomes(Status::Down), 1);
    // The other was not even copied.
    assert!(Arc::ptr_eq(&before.entries[0], &after.entries[0]));
}

#[test]
fn whoever_is_not_listed_is_not_shown_and_whoever_stays_is_known() {
    let board = Board::new();
    board.list(vec![listed("a"), listed("b")]);
    let up = outcome(Status::Up, 60, None);
    for id in ["a", "b", "pihook:configuration"] {
        board.note(&ServiceId::new(id), view(Status::Up), Muting::Audible, Some(&up));
    }
    board.list(vec![listed("c"), Listed { name: Arc::from("Another name"), ..listed("b") }]);
    let picture = board.picture();
    let names: Vec<_> =
        picture.entries.iter().map(|entry| (&*entry.listed.name, entry.last.is_some())).collect();
    assert_eq!(names, [("c", false), ("Another name", true)]);
}

#[test]
fn a_zone_is_cut_off_until_a_canary_answers_or_it_has_none_any_more() {
    let board = Board::new();
    let zone = pihook_core::silence::zone_service(&ZoneId::new("external"));
    let note = |status, second| {
        let outcome = outcome(status, second, None);
        board.note(&zone, view(Status::Up), Muting::Audible, Some(&outcome));
        board.picture().cut_off.into_iter().map(|(zone, at)| (zone, at.as_second())).collect::<Vec<_>>()
    };
    assert_eq!(note(Status::Up, 60), []);
    assert_eq!(note(Status::Down, 120), [("external".to_owned(), 120)]);
    assert_eq!(note(Status::Down, 180), [("external".to_owned(), 120)], "since the first time");
    assert_eq!(note(Status::Up, 240), []);
    note(Status::Down, 300);
    board.list(Vec::new());
    assert!(board.picture().cut_off.is_empty());
    assert!(board.picture().entries.is_empty(), "a zone is no service");
}

#[test]
fn what_history_knows_comes_before_what_happens() {
    let board = Board::new();
    board.list(vec![listed("a")]);
    let id = ServiceId::new("a");
    board.recall(&id, vec![outcome(Status::Down, 0, Some(3)), outcome(Status::Up, 60, Some(4))], None);
    let entry = board.picture().entries[0].clone();
    assert_eq!(entry.status(), Some(Status::Up));
    assert_eq!(entry.recent.points().len(), 2);
    // It was not counted in this run of the process.
    assert_eq!(entry.tally, Tally::default());
}

#[test]
fn an_hour_is_at_most_120_points_of_the_worst_and_the_longest() {
    let mut recent = Recent::default();
    for second in 0..7200 {
        let status = if second == 7000 { Status::Down } else { Status::Up };
        recent.add(&outcome(status, second, Some(u64::try_from(second % 30).unwrap())));
    }
    let points: Vec<_> = recent.points().copied().collect();
    assert_eq!(points.len(), 120);
    assert!(points.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
    assert_eq!(points.iter().filter(|point| point.status == Status::Down).count(), 1);
    assert!(points.iter().all(|point| point.response_us == Some(29_000)));
    // A clock that is set back begins anew; one that jumps ahead leaves the old behind.
    recent.add(&outcome(Status::Up, 100, None));
    assert_eq!(recent.points().len(), 1);
    recent.add(&outcome(Status::Up, 100_000, None));
    assert_eq!(recent.points().len(), 1);
}

#[test]
fn response_times_are_counted_by_class() {
    let mut tally = Tally::default();
    for millis in [5, 6, 300, 20_000] {
        tally.count(&outcome(Status::Up, 0, Some(millis)));
    }
    tally.count(&outcome(Status::Unknown, 0, None));
    let cumulative: Vec<_> = tally.cumulative().collect();
    assert_eq!(cumulative, [1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]);
    assert_eq!(tally.sum(), Duration::from_millis(20_311));
    assert_eq!((tally.outcomes(Status::Up), tally.outcomes(Status::Unknown)), (4, 1));
}
