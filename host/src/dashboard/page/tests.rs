use std::sync::Arc;
use std::time::Duration;

use pihook_core::monitor::{Incident, View};
use pihook_core::{IncidentId, Metric, Outcome, ServiceId, Severity, ZoneId};

use super::*;
use crate::board::{Board, Listed};

/// What no page may contain as it is.
pub(crate) const EVIL: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn listed(id: &str, name: &str, zone: &str, check: &str) -> Listed {
    Listed {
        id: ServiceId::new(id),
        name: Arc::from(name),
        zone: ZoneId::new(zone),
        check: Arc::from(check),
        interval: Some(Duration::from_secs(60)),
    }
}

pub(crate) fn outcome(status: Status, summary: &str) -> Outcome {
    Outcome {
        status,
        summary: summary.to_owned(),
        notice: None,
        response_time: Some(Duration::from_millis(42)),
        attempts: 1,
        metrics: Vec::new(),
        at: now(),
    }
}

pub(crate) fn view(health: Status, incident: Option<Incident>) -> View {
    View { health: Some(health), last: None, running: false, incident }
}

fn incident(reason: &str) -> Incident {
    Incident {
        id: IncidentId(7),
        opened: now(),
        closed: None,
        severity: Severity::Critical,
        status: Status::Down,
        reason: reason.to_owned(),
        checks_failed: 3,
    }
}

fn page(board: &Board, filter: &Filter) -> String {
    render(&board.picture(), filter, Vec::new(), now()).unwrap()
}

#[test]
fn nothing_that_is_anybodys_brings_markup_in() {
    let board = Board::new();
    board.list(vec![listed("x", EVIL, "a\"b", EVIL)]);
    let id = ServiceId::new("x");
    board.note(
        &id,
        view(Status::Down, Some(incident(EVIL))),
        Muting::Audible,
        Some(&outcome(Status::Down, EVIL)),
    );
    let filter = Filter { text: String::new(), zone: String::new(), status: String::new() };
    let picture = board.picture();
    let pages = [
        page(&board, &filter),
        page(&board, &Filter { text: EVIL.into(), zone: EVIL.into(), status: EVIL.into() }),
        head(&picture, vec![EVIL.to_owned()], now()).unwrap(),
        row(&picture.entries[0], now()).unwrap(),
    ];
    for page in pages {
        assert!(!page.contains("<script>") && !page.contains("<img") && !page.contains("a\"b"), "{page}");
        assert!(page.contains("alert("), "{page}");
    }
}

#[test]
fn what_is_wrong_stands_on_top_the_worst_first() {
    let board = Board::new();
    board.list(vec![
        listed("a", "Aster", "local", "http"),
        listed("b", "Bellis", "external", "http"),
        listed("c", "Clematis", "local", "http"),
    ]);
    let degraded = Incident { status: Status::Degraded, ..incident("slow") };
    let id = ServiceId::new;
    let up = outcome(Status::Up, "HTTP 200");
    board.note(&id("a"), view(Status::Degraded, Some(degraded)), Muting::Audible, Some(&up));
    board.note(&id("b"), view(Status::Down, Some(incident("HTTP 503"))), Muting::Muted, Some(&up));
    board.note(&id("c"), view(Status::Up, None), Muting::Audible, Some(&up));
    let page = page(&board, &Filter::default());
    assert!(page.contains("1 down, 1 degraded of 3 services"), "{page}");
    let (bellis, aster) = (page.find("Bellis</strong>").unwrap(), page.find("Aster</strong>").unwrap());
    assert!(bellis < aster && aster < page.find("<table").unwrap(), "{page}");
    assert!(page.contains("in maintenance") && page.contains("3 failed checks: HTTP 503"), "{page}");
}

#[test]
fn the_server_filters_by_name_zone_and_status() {
    let board = Board::new();
    board.list(vec![
        listed("a", "Aster", "local", "http"),
        listed("b", "Bellis", "external", "http"),
        listed("c", "Clematis", "local", "http"),
    ]);
    let down = outcome(Status::Down, "HTTP 503");
    board.note(&ServiceId::new("c"), view(Status::Up, None), Muting::Audible, Some(&down));
    let shown = |text: &str, zone: &str, status: &str| {
        let filter = Filter { text: text.into(), zone: zone.into(), status: status.into() };
        let page = page(&board, &filter);
        ["a", "b", "c"].map(|id| page.contains(&format!("id=\"s-{id}\"")))
    };
    assert_eq!(shown("", "", ""), [true, true, true]);
    assert_eq!(shown("STER", "", ""), [true, false, false]);
    assert_eq!(shown("extern", "", ""), [false, true, false]);
    assert_eq!(shown("", "local", ""), [true, false, true]);
    assert_eq!(shown("", "local", "down"), [false, false, true]);
    assert_eq!(shown("", "", "pending"), [true, true, false]);
    assert!(page(&board, &Filter { text: "zzz".into(), ..Filter::default() }).contains("No service matches"));
}

#[test]
fn the_machine_has_its_gauges() {
    let board = Board::new();
    board.list(vec![listed("m", "Machine", "local", "system"), listed("d", "Root disk", "local", "disk")]);
    let figure = |name: &str, value| Metric { name: name.into(), value, unit: String::new() };
    let system = Outcome {
        metrics: vec![figure("temperature_celsius", 51.4), figure("cpu_percent", 12.6), figure("load1", 1.0)],
        ..outcome(Status::Up, "fine")
    };
    let disk = Outcome { metrics: vec![figure("used_percent", 91.0)], ..outcome(Status::Degraded, "91 %") };
    board.note(&ServiceId::new("m"), view(Status::Up, None), Muting::Audible, Some(&system));
    board.note(&ServiceId::new("d"), view(Status::Up, None), Muting::Audible, Some(&disk));
    let gauges: Vec<_> = gauges::of(&board.picture())
        .into_iter()
        .map(|gauge| (gauge.name, gauge.value, gauge.share, gauge.status))
        .collect();
    let text = str::to_owned;
    assert_eq!(
        gauges,
        [
            (text("CPU"), text("13 %"), Some(12.6), "up"),
            (text("Temperature"), text("51 °C"), None, "up"),
            (text("Root disk"), text("91 %"), Some(91.0), "degraded"),
        ]
    );
}

#[test]
fn five_hundred_services_fit_into_150_kilobytes() {
    let board = Board::new();
    let ids: Vec<String> = (0..500).map(|n| format!("service-{n}")).collect();
    board.list(ids.iter().map(|id| listed(id, &format!("Service {id}"), "local", "http")).collect());
    for id in &ids {
        for minute in 0..60 {
            let at = Timestamp::from_second(1_800_000_000 - 3600 + minute * 60).unwrap();
            let time = Duration::from_millis(20 + u64::try_from(minute * 7 % 90).unwrap());
            let outcome = Outcome { at, response_time: Some(time), ..outcome(Status::Up, "HTTP 200") };
            board.note(&ServiceId::new(id), view(Status::Up, None), Muting::Audible, Some(&outcome));
        }
    }
    let sent = super::super::packed::gzip(page(&board, &Filter::default()).as_bytes());
    assert!(sent.len() < 150_000, "{} bytes", sent.len());
}

#[test]
fn maintenance_is_said_above_all_with_its_reason_and_a_flag_that_was_forgotten() {
    use pihook_core::maintenance::{Overdue, Period, Source};

    let board = Board::new();
    let period = Period {
        source: Source::Window,
        name: "backups".to_owned(),
        services: vec!["nas".to_owned()],
        zones: Vec::new(),
        reason: Some(EVIL.to_owned()),
        began: now(),
        until: Some(now()),
    };
    let flag =
        Period { source: Source::Flag, services: Vec::new(), reason: None, until: None, ..period.clone() };
    board.maintain(vec![flag, period]);
    board.note_overdue(Some(Overdue { days: 3 }));
    let page = page(&board, &Filter::default());
    for said in [
        "<p class=\"maintenance\">Alerts are muted for everything, by the flag</p>",
        "<p class=\"maintenance\">Alerts are muted for nas, by the window backups: ",
        "; until 2027-01-15 ",
        "<p class=\"maintenance\">The maintenance flag was set 3 days ago, and alerts are muted since;",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains(EVIL));
    board.maintain(Vec::new());
    board.note_overdue(None);
    board.note_long_log(Some(65_536_000));
    let long = super::render(&board.picture(), &Filter::default(), Vec::new(), now()).unwrap();
    assert!(
        long.contains("<p class=\"warning\">The write-ahead log of the database has grown to 65 MB"),
        "{long}"
    );
    assert!(
        !super::render(&board.picture(), &Filter::default(), Vec::new(), now())
            .unwrap()
            .contains("maintenance")
    );
}
