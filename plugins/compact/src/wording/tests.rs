use super::*;

fn alert(kind: Kind, status: Status, reason: &str) -> Alert {
    Alert {
        kind,
        reason: reason.into(),
        service: "Gitea".into(),
        status,
        lasted_ms: 7_500_000,
        summary: "HTTP 503".into(),
        ..Alert::default()
    }
}

#[test]
fn every_event_has_its_line() {
    use Kind::{Escalated, Notice, Opened, Recovered, Reminder};
    use Status::{Degraded, Down, Unknown, Up};
    for (kind, status, reason, line) in [
        (Opened, Down, "failures", "DOWN Gitea: HTTP 503"),
        (Opened, Degraded, "elapsed", "DEGRADED Gitea: HTTP 503"),
        (Opened, Down, "after-maintenance", "DOWN Gitea: HTTP 503"),
        (Opened, Unknown, "cannot-tell", "CANNOT TELL Gitea: HTTP 503"),
        (Opened, Down, "flapping", "FLAPPING Gitea: HTTP 503"),
        (Opened, Down, "later", "DOWN Gitea: HTTP 503"),
        (Opened, Down, "test", "TEST Gitea: HTTP 503"),
        (Escalated, Down, "elapsed", "STILL DOWN Gitea 2 h 5 min: HTTP 503"),
        (Escalated, Down, "worse", "NOW DOWN Gitea 2 h 5 min: HTTP 503"),
        (Escalated, Degraded, "later", "STILL DEGRADED Gitea 2 h 5 min: HTTP 503"),
        (Reminder, Down, "repeat", "STILL DOWN Gitea 2 h 5 min: HTTP 503"),
        (Reminder, Unknown, "cannot-tell", "CANNOT TELL Gitea 2 h 5 min: HTTP 503"),
        (Recovered, Up, "recovered", "UP Gitea after 2 h 5 min"),
        (Recovered, Up, "settled", "SETTLED Gitea after 2 h 5 min"),
        (Recovered, Up, "later", "UP Gitea after 2 h 5 min"),
        (Notice, Up, "event", "NEWS Gitea: HTTP 503"),
    ] {
        let message = message(&alert(kind, status, reason), Measure::default());
        assert_eq!(message.title, line, "{reason}");
        assert!(message.body.is_empty() && message.fields.is_empty());
    }
}

#[test]
fn it_stays_one_short_line_whatever_comes() {
    let long = Alert {
        service: "n".repeat(500),
        summary: "a\nb\u{1b}".repeat(500),
        ..alert(Kind::Opened, Status::Down, "failures")
    };
    for (title, most) in [(256, 120), (100, 50), (0, 1)] {
        let line = message(&long, Measure { title, ..Measure::default() }).title;
        assert!(line.chars().count() <= most && !line.contains(char::is_control), "{line}");
    }
}

#[test]
fn a_zone_is_cut_off_and_not_down() {
    let ext = vec![("about".to_owned(), "zone".to_owned())];
    for (kind, status, line) in [
        (Kind::Opened, Status::Down, "CUT OFF Zone external: HTTP 503"),
        (Kind::Escalated, Status::Down, "STILL CUT OFF Zone external 2 h 5 min: HTTP 503"),
        (Kind::Recovered, Status::Up, "REACHABLE Zone external after 2 h 5 min"),
    ] {
        let zone =
            Alert { service: "Zone external".into(), ext: ext.clone(), ..alert(kind, status, "failures") };
        assert_eq!(message(&zone, Measure::default()).title, line);
    }
}
