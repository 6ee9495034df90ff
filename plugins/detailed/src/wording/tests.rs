use proptest::prelude::*;

use pihook_plugin::Colour;
use pihook_plugin::history::Outcome;

use super::*;

/// 2026-11-22 12:00 UTC.
const NOW: i64 = 1_795_348_800_000;
const LASTED: u64 = 7_500_000;

const KINDS: [Kind; 5] = [Kind::Opened, Kind::Escalated, Kind::Reminder, Kind::Recovered, Kind::Notice];
const STATUSES: [Status; 4] = [Status::Up, Status::Degraded, Status::Down, Status::Unknown];
const REASONS: [&str; 10] = [
    "failures",
    "elapsed",
    "worse",
    "repeat",
    "cannot-tell",
    "after-maintenance",
    "recovered",
    "event",
    "test",
    "later",
];

fn alert(kind: Kind, status: Status, reason: &str) -> Alert {
    Alert {
        kind,
        reason: reason.into(),
        incident: 7,
        service: "Gitea".into(),
        zone: "external".into(),
        status,
        at_ms: NOW,
        since_ms: NOW - 7_500_000,
        lasted_ms: LASTED,
        failures: 3,
        summary: "HTTP 503, expected below 400".into(),
        response_ms: Some(81.4),
        ..Alert::default()
    }
}

fn berlin() -> Target {
    Target {
        sink: "discord".into(),
        utc_offset_seconds: 3600,
        zone_abbreviation: "CET".into(),
        ..Target::default()
    }
}

#[test]
fn titles_and_bodies() {
    use Kind::{Escalated, Opened, Recovered, Reminder};
    use Status::{Degraded, Down, Unknown, Up};
    for (kind, status, reason, title, body) in [
        (Opened, Down, "failures", "🔴 Gitea is down", "3 checks failed in a row."),
        (Opened, Degraded, "failures", "🟠 Gitea is degraded", "3 checks failed in a row."),
        (Opened, Down, "elapsed", "🔴 Gitea is down", "It has lasted for 2 h 5 min."),
        (
            Opened,
            Unknown,
            "cannot-tell",
            "⚪ cannot tell whether Gitea is up",
            "PiHook has not been able to tell for 2 h 5 min. The fault may be PiHook's own or the network's.",
        ),
        (
            Opened,
            Down,
            "after-maintenance",
            "🔴 Gitea is down after maintenance",
            "The maintenance is over, and it is still so.",
        ),
        (Opened, Down, "later", "🔴 Gitea is down", ""),
        (Escalated, Down, "elapsed", "🔴 Gitea is still down (2 h 5 min)", "It has lasted for 2 h 5 min."),
        (Escalated, Down, "failures", "🔴 Gitea is still down (2 h 5 min)", "3 checks failed in a row."),
        (Escalated, Down, "worse", "🔴 Gitea is now down (2 h 5 min)", "It got worse."),
        (
            Escalated,
            Degraded,
            "later",
            "🟠 Gitea is still degraded (2 h 5 min)",
            "It got worse, or lasts long.",
        ),
        (Reminder, Down, "repeat", "🔴 Gitea is still down (2 h 5 min)", "It still lasts, after 2 h 5 min."),
        (
            Reminder,
            Down,
            "after-maintenance",
            "🔴 Gitea is still down (2 h 5 min)",
            "The maintenance is over, and it is still so.",
        ),
        (
            Reminder,
            Unknown,
            "repeat",
            "⚪ still cannot tell whether Gitea is up (2 h 5 min)",
            "It still lasts, after 2 h 5 min.",
        ),
        (
            Recovered,
            Up,
            "recovered",
            "🟢 Gitea is up again",
            "It does what it should again, after 2 h 5 min.",
        ),
        (
            Recovered,
            Up,
            "after-maintenance",
            "🟢 Gitea is up again",
            "It does what it should again, after 2 h 5 min.",
        ),
    ] {
        let message = message(&alert(kind, status, reason), &berlin(), &History::default());
        assert_eq!(
            (message.title.as_str(), message.body.as_str()),
            (title, body),
            "{kind:?} {status:?} {reason}"
        );
    }
}

#[test]
fn a_test_says_so() {
    let of = |kind, status| message(&alert(kind, status, "test"), &berlin(), &History::default());
    let opened = of(Kind::Opened, Status::Down);
    assert_eq!(opened.title, "🔴 Test: Gitea is down");
    assert_eq!(opened.body, "This is a test of the beginning of an outage. Nothing is wrong.");
    let recovered = of(Kind::Recovered, Status::Up);
    assert_eq!(recovered.title, "🟢 Test: Gitea is up again");
    assert_eq!(recovered.body, "This is a test of a recovery. Nothing is wrong.");
}

fn rows(message: &Message) -> Vec<(&str, &str)> {
    message.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect()
}

#[test]
fn an_outage_in_detail() {
    let opened = Alert { severity: Severity::Critical, ..alert(Kind::Opened, Status::Down, "failures") };
    let message = message(&opened, &berlin(), &History::default());
    assert_eq!(
        rows(&message),
        [
            ("Reason", "HTTP 503, expected below 400"),
            ("Zone", "external"),
            ("Status", "down (critical)"),
            ("Since", "2026-11-22 10:55 CET"),
            ("Failed checks", "3"),
            ("Response time", "81 ms"),
        ]
    );
    assert_eq!(
        message.fields.iter().filter(|field| !field.inline).count(),
        1,
        "only the reason has its own row"
    );
}

#[test]
fn a_recovery_in_detail() {
    let recovered = Alert { summary: "HTTP 200".into(), ..alert(Kind::Recovered, Status::Up, "recovered") };
    assert_eq!(
        rows(&message(&recovered, &berlin(), &History::default())),
        [
            ("Now", "HTTP 200"),
            ("Zone", "external"),
            ("Status", "up"),
            ("Was down since", "2026-11-22 10:55 CET"),
            ("Downtime", "2 h 5 min"),
            ("Failed checks", "3"),
            ("Response time", "81 ms"),
        ]
    );
}

#[test]
fn news_are_told_as_they_came() {
    let news = |reason| Alert {
        summary: "the address changed from 192.0.2.5 to 192.0.2.9".into(),
        lasted_ms: 0,
        failures: 0,
        response_ms: None,
        ..alert(Kind::Notice, Status::Up, reason)
    };
    let at_once = message(&news("event"), &berlin(), &History::default());
    assert_eq!(at_once.title, "🔵 news from Gitea");
    assert_eq!(at_once.body, "the address changed from 192.0.2.5 to 192.0.2.9");
    assert_eq!(at_once.colour, Colour::Neutral);
    assert_eq!(rows(&at_once), [("Zone", "external"), ("Status", "up"), ("Noticed", "2026-11-22 10:55 CET")]);
    let held = message(&news("after-maintenance"), &berlin(), &History::default());
    assert_eq!(
        held.body,
        "the address changed from 192.0.2.5 to 192.0.2.9. This was held back during maintenance."
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = Alert { service: " \n".into(), response_ms: Some(f64::NAN), ..Alert::default() };
    let message = message(&bare, &Target::default(), &History::default());
    assert_eq!(message.title, "⚪ cannot tell whether a service is up");
    assert_eq!(rows(&message), [("Status", "unknown"), ("Since", "1970-01-01 00:00 UTC")]);
}

#[test]
fn the_colour_is_the_meaning() {
    for (kind, status, expected) in [
        (Kind::Opened, Status::Down, Colour::Bad),
        (Kind::Reminder, Status::Degraded, Colour::Warning),
        (Kind::Escalated, Status::Unknown, Colour::Neutral),
        (Kind::Recovered, Status::Up, Colour::Good),
    ] {
        assert_eq!(message(&alert(kind, status, "x"), &berlin(), &History::default()).colour, expected);
    }
}

#[test]
fn times_are_local() {
    let at = |seconds, name: &str| {
        let target =
            Target { utc_offset_seconds: seconds, zone_abbreviation: name.into(), ..Target::default() };
        local_time(NOW, &target)
    };
    assert_eq!(at(3600, "CET"), "2026-11-22 13:00 CET");
    assert_eq!(at(0, "UTC"), "2026-11-22 12:00 UTC");
    assert_eq!(at(0, ""), "2026-11-22 12:00 UTC");
    assert_eq!(at(-12_600, ""), "2026-11-22 08:30 UTC-03:30");
    assert_eq!(at(20_700, "+0545"), "2026-11-22 17:45 UTC+05:45");
    assert_eq!(at(46_800, "NZDT"), "2026-11-23 01:00 NZDT");
}

#[test]
fn every_kind_status_and_reason_says_something_of_its_own() {
    for kind in KINDS {
        for status in STATUSES {
            for reason in REASONS {
                let message = message(&alert(kind, status, reason), &berlin(), &History::default());
                let case = format!("{kind:?} {status:?} {reason}: {message:?}");
                assert!(message.title.contains("Gitea"), "{case}");
                assert_eq!(message.title.contains("Test: "), reason == "test", "{case}");
                assert_eq!(message.body.contains("This is a test"), reason == "test", "{case}");
                assert_eq!(message.title.contains("again"), kind == Kind::Recovered, "{case}");
                assert_eq!(
                    message.fields.iter().any(|field| field.name == "Downtime"),
                    kind == Kind::Recovered,
                    "{case}"
                );
            }
        }
    }
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let what = (prop::sample::select(&KINDS[..]), prop::sample::select(&STATUSES[..]));
    let reason = prop_oneof![prop::sample::select(&REASONS[..]).prop_map(str::to_owned), any::<String>()];
    let text = (reason, any::<String>(), any::<String>(), ".{0,1200}");
    let numbers = (any::<i64>(), any::<i64>(), any::<u64>(), any::<u32>(), any::<Option<f64>>());
    (what, text, numbers).prop_map(|((kind, status), (reason, service, zone, summary), numbers)| {
        let (at_ms, since_ms, lasted_ms, failures, response_ms) = numbers;
        Alert {
            kind,
            status,
            reason,
            service,
            zone,
            summary,
            at_ms,
            since_ms,
            lasted_ms,
            failures,
            response_ms,
            ..Alert::default()
        }
    })
}

proptest! {
    #[test]
    fn any_alert_is_worded(alert in any_alert(), utc_offset_seconds in any::<i32>(), zone_abbreviation in any::<String>()) {
        let target = Target { utc_offset_seconds, zone_abbreviation, ..Target::default() };
        let message = message(&alert, &target, &History::default());
        let title = message.title.chars().count();
        prop_assert!(title > 2 && title <= 256 && !message.title.contains('\n'), "{}", message.title);
        prop_assert!(message.fields.len() <= 25);
        for field in message.fields {
            prop_assert!(!field.value.is_empty() && field.value.chars().count() <= 1024, "{field:?}");
        }
    }
}

#[test]
fn the_newest_checks_are_shown_oldest_first() {
    use Status::{Degraded, Down, Unknown, Up};
    let recent = [Down, Unknown, Degraded, Up].map(|status| Outcome { status, ..Outcome::default() });
    let history = History { recent: recent.into(), uptime_day: Some(99.999), uptime_week: None };
    let message = message(&alert(Kind::Opened, Down, "failures"), &berlin(), &history);
    let shown: Vec<_> =
        message.fields.iter().rev().take(2).map(|f| (f.name.as_str(), f.value.as_str())).collect();
    // Rounded down: 100 % would deny the outage.
    assert_eq!(shown, [("Uptime 24 h", "99.99 %"), ("Last 4 checks", "▲◆?▼")]);
}

#[test]
fn a_zone_is_cut_off_and_not_down() {
    let ext = vec![("about".to_owned(), "zone".to_owned())];
    for (kind, status, title) in [
        (Kind::Opened, Status::Down, "🔴 Zone external is cut off"),
        (Kind::Reminder, Status::Down, "🔴 Zone external is still cut off (2 h 5 min)"),
        (Kind::Recovered, Status::Up, "🟢 Zone external is reachable again"),
    ] {
        let zone =
            Alert { service: "Zone external".into(), ext: ext.clone(), ..alert(kind, status, "failures") };
        let message = message(&zone, &berlin(), &History::default());
        assert_eq!(message.title, title);
        let expected = match kind {
            Kind::Recovered => "A canary answers again, after 2 h 5 min.",
            Kind::Opened => "None of its canaries answers.",
            _ => "3 checks failed in a row.",
        };
        assert!(message.body.starts_with(expected), "{}", message.body);
    }
}

#[test]
fn flapping_has_its_own_words() {
    for (kind, status, reason, title, body) in [
        (
            Kind::Opened,
            Status::Down,
            "flapping",
            "🔴 Gitea is flapping",
            "It goes up and down again and again",
        ),
        (
            Kind::Escalated,
            Status::Down,
            "settled",
            "🔴 Gitea has settled and is down",
            "It does not go up and down any more, and",
        ),
        (
            Kind::Recovered,
            Status::Up,
            "settled",
            "🟢 Gitea has settled",
            "It does not go up and down any more, after 2 h 5 min.",
        ),
    ] {
        let message = message(&alert(kind, status, reason), &berlin(), &History::default());
        assert_eq!(message.title, title);
        assert!(message.body.starts_with(body), "{}", message.body);
        assert!(message.fields.iter().all(|field| field.name != "Downtime"), "it was not down all the time");
    }
}
