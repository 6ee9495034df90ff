use std::time::Duration;

use pihook_core::monitor::Muting;
use pihook_core::{AlertKind, IncidentId, Metric, Outcome, ServiceId, Severity, SinkId, Status};

use super::super::page::tests::{EVIL, listed, outcome, view};
use super::super::xml::check::well_formed;
use super::*;
use crate::board::{Board, Listed, Setting};
use crate::store::{Fate, Telling};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn check(minutes_ago: i64, status: Status, summary: &str) -> LastCheck {
    LastCheck {
        at: range::before(now(), minutes_ago * 60_000),
        status,
        response_ms: (status == Status::Up).then_some(12.0),
        attempts: 1,
        summary: summary.to_owned(),
        in_maintenance: false,
    }
}

/// A service about which every text is anybody's.
fn entry() -> Arc<Entry> {
    let board = Board::new();
    let setting = Setting { name: EVIL.to_owned(), value: EVIL.to_owned() };
    board.list(vec![Listed { settings: [setting].into(), ..listed("nas", EVIL, "local", "http") }]);
    let figure = |name: &str, value| Metric { name: name.into(), value, unit: "ms".into() };
    let seen = Outcome {
        metrics: vec![
            figure("dns_ms", 1.0),
            figure("connect_ms", 2.0),
            figure("first_byte_ms", 4.0),
            figure(EVIL, 1.0),
        ],
        at: range::before(now(), 60_000),
        ..outcome(Status::Up, EVIL)
    };
    board.note(&ServiceId::new("nas"), view(Status::Up, None), Muting::Audible, Some(&seen));
    board.picture().entries[0].clone()
}

fn story() -> Story {
    let told = |sink: &str, fate, error: Option<&str>| Telling {
        kind: AlertKind::Opened,
        at: now(),
        sink: SinkId::new(sink),
        fate,
        attempts: 3,
        error: error.map(str::to_owned),
    };
    Story {
        id: IncidentId(1),
        opened: range::before(now(), 180_000),
        closed: Some(range::before(now(), -60_000)),
        severity: Severity::Critical,
        status: Status::Down,
        reason: EVIL.to_owned(),
        checks_failed: 3,
        told: vec![
            told("discord", Fate::Sent(now()), None),
            told("phone", Fate::Dead, Some(EVIL)),
            told("mail", Fate::Pending, Some("refused")),
        ],
    }
}

fn page(range: Range, history: Option<History>) -> String {
    let entry = entry();
    view::render(&Portrait { entry: &entry, range, now: now(), zone: TimeZone::UTC, history }).unwrap()
}

fn plots(page: &str) -> Vec<&str> {
    let pieces = page.split("<svg class=\"plot\"").skip(1);
    pieces.map(|piece| piece.split_once("</svg>").unwrap().0).collect()
}

#[test]
fn the_page_tells_all_and_no_text_brings_markup_in() {
    let history = History {
        checks: vec![check(1, Status::Down, EVIL), check(2, Status::Up, "HTTP 200")],
        hour: vec![
            check(1, Status::Down, EVIL),
            check(2, Status::Up, "HTTP 200"),
            check(30, Status::Up, "HTTP 200"),
        ],
        uptime: vec![(Summary { up: 3, down: 1, ..Summary::default() }, 1); 5],
        incidents: vec![story()],
        ..History::default()
    };
    let page = page(Range::Hour, Some(history));
    assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
    assert!(!page.contains(" style=") && !page.contains(" onclick"), "{page}");
    for expected in [
        "up again",
        "alert: it began",
        "discord: told at ",
        "phone: given up after 3 attempts: &#60;script&#62;",
        "mail: waits, after 3 attempts: refused",
        "lasted 4 min",
        "75 %",
        r#"<a href="?range=1h" title="last hour" aria-current="page">"#,
        r#"<a href="../">PiHook</a>"#,
        r#"href="../assets/pihook.css"#,
        "first byte",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    let plots = plots(&page);
    assert_eq!(plots.len(), 2);
    plots.iter().for_each(|plot| well_formed(&format!("<svg class=\"plot\"{plot}</svg>")));
    assert_eq!(plots[0].matches(r#"class="middle""#).count(), 2, "a gap of 28 minutes: {}", plots[0]);
    assert!(
        plots[1].contains(r#"class="first-byte""#) && !plots[1].contains(r#"class="tls""#),
        "{}",
        plots[1]
    );
}

#[test]
fn a_page_without_history_is_a_page() {
    for range in Range::ALL {
        let page = page(range, None);
        assert!(page.contains("The history cannot be read") && page.contains("Nothing is known"), "{page}");
        assert!(page.contains("no checks in the history yet"), "{page}");
    }
}

#[test]
fn each_check_of_the_hour_is_a_column_and_many_are_put_together() {
    let slow: Vec<_> = (0..60).map(|minute| check(minute, Status::Up, "")).collect();
    let minute = Some(Duration::from_secs(60));
    let slow = columns::of_checks(&slow, minute, now());
    assert_eq!(slow.len(), 60);
    assert!(slow.windows(2).all(|pair| pair[0].to_ms == pair[1].from_ms));
    let quick: Vec<_> = (0..3600)
        .map(|second| LastCheck { at: range::before(now(), second * 1000), ..check(0, Status::Up, "") })
        .collect();
    let quick = columns::of_checks(&quick, Some(Duration::from_secs(1)), now());
    assert!(quick.len() <= 241, "{}", quick.len());
    assert!(columns::of_checks(&[], None, now()).is_empty());
}
