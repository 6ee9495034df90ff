use std::sync::Arc;

use super::*;
use crate::{IncidentId, ServiceId, Severity, ZoneId};

fn alert(kind: AlertKind, reason: Reason, status: Status) -> Alert {
    Alert {
        kind,
        reason,
        incident: IncidentId(7),
        service: ServiceId::new("nas"),
        name: Arc::from("NAS"),
        zone: ZoneId::new("local"),
        status,
        severity: Severity::Critical,
        level: 0,
        mention: None,
        formatter: None,
        at: Timestamp::UNIX_EPOCH,
        since: Timestamp::UNIX_EPOCH,
        lasted: Duration::from_secs(250),
        failures: 3,
        summary: "connection refused".to_owned(),
        response_time: Some(Duration::from_millis(12)),
        sinks: Vec::new(),
    }
}

fn words(kind: AlertKind, reason: Reason, status: Status) -> (String, String) {
    let message = plain_message(&alert(kind, reason, status));
    (message.title, message.body)
}

#[test]
fn durations_are_told_in_two_units() {
    let cases = [
        (0, "0 s"),
        (340, "340 ms"),
        (12_000, "12 s"),
        (60_000, "1 min"),
        (250_999, "4 min 10 s"),
        (7_500_000, "2 h 5 min"),
        (7_200_000, "2 h"),
        (273_600_000, "3 d 4 h"),
        (86_400_000, "1 d"),
    ];
    for (millis, text) in cases {
        assert_eq!(humanise(Duration::from_millis(millis)), text);
    }
    assert_eq!(humanise(Duration::from_nanos(1)), "0 s");
    assert_eq!(humanise(Duration::MAX), "213503982334601 d 7 h");
}

#[test]
fn flapping_and_zones_have_words_of_their_own() {
    let (title, body) = words(AlertKind::Opened, Reason::Flapping, Status::Down);
    assert_eq!(title, "NAS is flapping");
    assert!(body.ends_with("It goes up and down; nothing more is said until it has settled."), "{body}");
    let (title, body) = words(AlertKind::Recovered, Reason::Settled, Status::Up);
    assert_eq!(title, "NAS has settled: it is up");
    assert!(body.ends_with("It has settled after 4 min 10 s."), "{body}");
    let (title, body) = words(AlertKind::Escalated, Reason::Settled, Status::Down);
    assert_eq!(title, "NAS has settled: it is down");
    assert!(body.ends_with("and is not well."), "{body}");
    let zone = crate::silence::zone_service(&ZoneId::new("external"));
    for (kind, title) in [
        (AlertKind::Opened, "Zone external is cut off"),
        (AlertKind::Reminder, "Zone external is still cut off"),
        (AlertKind::Recovered, "Zone external is reachable again"),
    ] {
        let of_zone = Alert { service: zone.clone(), ..alert(kind, Reason::Failures, Status::Down) };
        assert_eq!(plain_message(&of_zone).title, title);
    }
}

#[test]
fn each_kind_has_its_words() {
    let (title, body) = words(AlertKind::Opened, Reason::Failures, Status::Down);
    assert_eq!(title, "NAS is down");
    assert_eq!(body, "connection refused\nThe check has failed 3 times.");
    let (title, _) = words(AlertKind::Escalated, Reason::Elapsed, Status::Down);
    assert_eq!(title, "NAS is still down");
    let (title, _) = words(AlertKind::Escalated, Reason::Worse, Status::Down);
    assert_eq!(title, "NAS got worse: it is down now");
    let (title, body) = words(AlertKind::Reminder, Reason::Repeat, Status::Degraded);
    assert_eq!(
        (title.as_str(), body.lines().last()),
        ("NAS is still degraded", Some("It has lasted for 4 min 10 s."))
    );
    let (title, body) = words(AlertKind::Recovered, Reason::Recovered, Status::Up);
    assert_eq!(
        (title.as_str(), body.lines().last()),
        ("NAS is up again", Some("It was not well for 4 min 10 s."))
    );
}

#[test]
fn unknown_never_claims_that_the_service_is_down() {
    for kind in [AlertKind::Opened, AlertKind::Escalated, AlertKind::Reminder] {
        let message = plain_message(&alert(kind, Reason::CannotTell, Status::Unknown));
        assert!(message.title.ends_with("cannot tell how NAS is"), "{}", message.title);
        assert_eq!(message.colour, Colour::Neutral);
    }
}

#[test]
fn news_are_told_as_they_are() {
    let (title, body) = words(AlertKind::Notice, Reason::Event, Status::Up);
    assert_eq!((title.as_str(), body.as_str()), ("News from NAS", "connection refused"));
    let (_, body) = words(AlertKind::Notice, Reason::AfterMaintenance, Status::Down);
    assert_eq!(body, "connection refused\nThis was held back during maintenance.");
    let message = plain_message(&alert(AlertKind::Notice, Reason::Event, Status::Down));
    let names: Vec<&str> = message.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["Zone", "Status", "Noticed"]);
    assert_eq!(message.colour, Colour::Neutral, "no alarm, whatever else is wrong");
}

#[test]
fn a_test_alert_says_so() {
    let (title, body) = words(AlertKind::Opened, Reason::Test, Status::Down);
    assert!(title.starts_with("Test: ") && body.ends_with("nothing is wrong."));
}

#[test]
fn every_combination_has_a_title_of_one_line() {
    for kind in AlertKind::ALL {
        for reason in Reason::ALL {
            for status in Status::ALL {
                let mut alert = alert(kind, reason, status);
                alert.name = Arc::from(" ");
                alert.summary = String::new();
                let message = plain_message(&alert);
                assert!(!message.title.trim().is_empty() && !message.title.contains('\n'));
                assert!(message.title.contains("nas"));
                assert!(message.fields.iter().all(|field| !field.value.is_empty()));
            }
        }
    }
}

#[test]
fn a_recovery_names_the_downtime() {
    let message = plain_message(&alert(AlertKind::Recovered, Reason::Recovered, Status::Up));
    let downtime = message.fields.iter().find(|field| field.name == "Downtime").unwrap();
    assert_eq!(downtime.value, "4 min 10 s");
    assert_eq!(message.colour, Colour::Good);
}
