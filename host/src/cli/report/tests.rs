use std::time::Duration;

use pihook_core::Status;
use pihook_core::monitor::Muting;
use pihook_core::summary::Sample;

use pihook_core::maintenance::{Period, Source};

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn summary(seen: &[(Status, u64)]) -> Summary {
    let mut summary = Summary::default();
    for (status, millis) in seen {
        summary.record(&Sample {
            at: Timestamp::UNIX_EPOCH,
            status: *status,
            maintenance: Muting::Audible,
            response: (*millis > 0).then(|| Duration::from_millis(*millis)),
            stands_for: Duration::from_secs(60),
        });
    }
    summary
}

/// A service with what was seen before, and in each of the bar's spans.
fn told(service: &str, before: &[(Status, u64)], marks: &[&[(Status, u64)]]) -> Told {
    let marks: Vec<_> = marks.iter().map(|seen| summary(seen)).collect();
    let mut now = Summary::default();
    marks.iter().for_each(|mark| now.merge(mark));
    let line = Line {
        service: service.to_owned(),
        zone: "local".to_owned(),
        check: "http".to_owned(),
        now,
        before: summary(before),
        incidents: 1,
    };
    Told { line, marks }
}

const UP: Status = Status::Up;

fn two() -> Vec<Told> {
    vec![
        told(
            "Büro",
            &[(UP, 10)],
            &[&[(UP, 10)], &[], &[(UP, 20), (Status::Down, 0)], &[(Status::Unknown, 0)]],
        ),
        told("NAS", &[(UP, 100)], &[&[(UP, 50)], &[(Status::Degraded, 50)], &[(UP, 50)], &[(UP, 50)]]),
    ]
}

/// The table without its first line, which has the local time.
fn shown(told: &[Told], room: Option<usize>) -> Vec<String> {
    let text = table(told, Timestamp::UNIX_EPOCH, Paint::Plain, room);
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_wide_table_has_every_column() {
    assert_eq!(
        shown(&two(), None),
        [
            "SERVICE  ZONE   HISTORY  UPTIME    P50    P95    TREND  INCIDENTS  DOWN",
            "Büro     local  ✓-✗?     66.67 %   10 ms  20 ms  +50 %  1          1 min",
            "NAS      local  ✓!✓✓     100.00 %  50 ms  50 ms  -50 %  1          0 s",
            "",
            "1 service slower than before, most of all Büro +50 %",
        ]
        .map(str::to_owned)
    );
}

#[test]
fn a_narrow_table_gives_up_what_matters_least() {
    let widest = |lines: &[String]| lines.iter().take(3).map(|line| line.chars().count()).max().unwrap();
    let mut before = usize::MAX;
    for room in [76, 60, 48, 36, 26, 20] {
        let lines = shown(&two(), Some(room));
        assert!(widest(&lines) <= room, "{room}: {lines:#?}");
        assert!(lines[0].starts_with("SERVICE  ") && lines[0].contains("UPTIME"), "{lines:#?}");
        assert!(lines[0].len() <= before, "{room}: {lines:#?}");
        before = lines[0].len();
    }
    assert_eq!(shown(&two(), Some(26))[0], "SERVICE  HISTORY  UPTIME");
    // Nothing more can go; a terminal that is smaller still wraps.
    assert_eq!(shown(&two(), Some(5))[0], "SERVICE  UPTIME");
}

#[test]
fn an_empty_report_says_so() {
    assert_eq!(table(&[], Timestamp::UNIX_EPOCH, Paint::Plain, None), "nothing was checked in this time\n");
    let (from, to) = (time("2026-11-16T00:00:00Z"), time("2026-11-23T00:00:00Z"));
    assert_eq!(
        json(&[], &[], from, to),
        json!({ "from": "2026-11-16T00:00:00Z", "to": "2026-11-23T00:00:00Z", "services": [], "maintenance": [] })
    );
}

#[test]
fn json_has_the_columns_of_the_file_and_the_bar() {
    let all = json(&two(), &maintained(), time("2026-11-16T00:00:00Z"), time("2026-11-23T00:00:00Z"));
    let office = &all["services"][0];
    assert_eq!(office["history"], json!(["up", null, "down", "unknown"]));
    assert_eq!((&office["checks"], &office["up"], &office["unknown"]), (&json!(4), &json!(2), &json!(1)));
    assert_eq!((&office["avg_response_ms"], &office["avg_change_percent"]), (&json!(15.0), &json!(50.0)));
    assert_eq!((&office["downtime_seconds"], &office["incidents"]), (&json!(60), &json!(1)));
    let keys: Vec<_> = office.as_object().unwrap().keys().cloned().collect();
    let lines: Vec<Line> = two().into_iter().map(|told| told.line).collect();
    let csv = String::from_utf8(sheet_text("x", &lines).unwrap()).unwrap();
    let columns = csv.lines().next().unwrap().split(',').skip(1);
    for column in columns {
        assert!(keys.iter().any(|key| key == column), "{column} is missing in {keys:?}");
    }
}

#[test]
fn marks_are_days_hours_of_one_day_and_never_too_many() {
    let now = time("2026-11-23T10:30:00Z");
    let week = edges(now, 7 * 86_400);
    // The span before has the same length as all marks together.
    assert_eq!(
        (week.len(), week[0], week[1]),
        (9, time("2026-11-09T10:30:00Z"), time("2026-11-16T10:30:00Z"))
    );
    assert_eq!(week[8], now);
    let day = edges(now, 86_400);
    assert_eq!((day.len(), day[2]), (26, time("2026-11-22T11:30:00Z")));
    let year = edges(now, 365 * 86_400);
    assert_eq!(year.len(), 32);
    assert!(year.is_sorted());
}

fn maintained() -> Vec<Maintained> {
    let period = Period {
        source: Source::Window,
        name: "backups".to_owned(),
        services: vec!["NAS".to_owned()],
        zones: vec!["attic".to_owned()],
        reason: Some("new disks".to_owned()),
        began: time("2026-11-17T03:00:00Z"),
        until: None,
    };
    let flag = Period {
        source: Source::Flag,
        name: "flag".to_owned(),
        began: time("2026-11-20T03:00:00Z"),
        ..Period::clone(&period)
    };
    let flag = Period { services: Vec::new(), zones: Vec::new(), reason: None, ..flag };
    vec![
        Maintained { ended: Some(time("2026-11-17T05:30:00Z")), period },
        Maintained { ended: None, period: flag },
    ]
}

#[test]
fn maintenance_is_listed_with_its_length_and_whom_it_covered() {
    let text = maintenance(&maintained(), time("2026-11-22T03:00:00Z"), Paint::Plain);
    let lines: Vec<_> = text.lines().collect();
    let [empty, heading, window, flag] = lines.as_slice() else { panic!("{text}") };
    assert_eq!((*empty, *heading), ("", "Maintenance"));
    assert!(
        window.ends_with(" (2 h 30 min): NAS, the zone attic, by the window backups: new disks"),
        "{window}"
    );
    assert!(flag.ends_with(" to now (2 d): everything, by the flag"), "{flag}");
    assert_eq!(maintenance(&[], time("2026-11-22T03:00:00Z"), Paint::Plain), "");

    let all = json(&[], &maintained(), time("2026-11-16T00:00:00Z"), time("2026-11-23T00:00:00Z"));
    assert_eq!(all["maintenance"][0]["ended"], "2026-11-17T05:30:00Z");
    assert_eq!(all["maintenance"][0]["zones"][0], "attic");
    assert!(all["maintenance"][1]["ended"].is_null());
}
