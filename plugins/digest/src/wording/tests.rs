use super::*;

fn alert(service: &str, kind: Kind, status: Status, reason: &str) -> Alert {
    Alert {
        kind,
        reason: reason.into(),
        service: service.into(),
        status,
        at_ms: 1_795_349_100_000,
        lasted_ms: 7_500_000,
        summary: "HTTP 503".into(),
        ..Alert::default()
    }
}

#[test]
fn each_alert_has_a_line() {
    let alerts = [
        alert("NAS", Kind::Opened, Status::Down, "failures"),
        alert("Gitea", Kind::Opened, Status::Down, "flapping"),
        alert("DNS", Kind::Opened, Status::Unknown, "cannot-tell"),
        alert("WAN", Kind::Notice, Status::Up, "event"),
        alert("NAS", Kind::Recovered, Status::Up, "later"),
    ];
    let message = message(&alerts, &Target::default(), Measure::default());
    assert_eq!(message.title, "5 alerts: 1 down, 1 flapping, 1 cannot tell, 1 up again, 1 news");
    assert_eq!(message.colour, Colour::Bad);
    assert_eq!(
        message.body,
        "12:05 🔴 NAS is down: HTTP 503\n\
         12:05 🔴 Gitea is flapping: HTTP 503\n\
         12:05 ⚪ cannot tell whether DNS is up: HTTP 503\n\
         12:05 🔵 news from WAN: HTTP 503\n\
         12:05 🟢 NAS is up again"
    );
}

fn storm(count: usize) -> Vec<Alert> {
    (0..count).map(|n| alert(&format!("S{n:03}"), Kind::Opened, Status::Down, "failures")).collect()
}

fn body(alerts: &[Alert], body: usize) -> String {
    message(alerts, &Target::default(), Measure { body, ..Measure::default() }).body
}

#[test]
fn where_it_is_long_what_was_seen_goes_first_and_then_all_but_the_names() {
    let alerts = storm(100);
    assert!(body(&alerts, 4096).starts_with("12:05 🔴 S000 is down: HTTP 503\n12:05"));
    assert!(body(&alerts, 2500).starts_with("12:05 🔴 S000 is down\n12:05"));
    let names = body(&alerts, 1000);
    assert!(names.starts_with("🔴 down: S000, S001, S002"), "{names}");
    for room in [700, 1000, 2500, 4096] {
        let text = body(&alerts, room);
        assert!(alerts.iter().all(|alert| text.matches(&alert.service).count() == 1), "{room}: {text}");
    }
}

#[test]
fn names_that_do_not_fit_are_counted() {
    let mut alerts = storm(100);
    alerts.extend((0..50).map(|n| alert(&format!("S{n:03}"), Kind::Recovered, Status::Up, "recovered")));
    alerts.extend((0..3).map(|_| alert("WAN", Kind::Notice, Status::Up, "event")));
    assert_eq!(
        body(&alerts, 120),
        "🔴 down: S050, S051, S052, S053 and 46 more\n\
         🟢 up again: S000, S001, S002, S003, S004, S005 and 44 more\n\
         🔵 news: 3"
    );
    for room in 0..1500 {
        let text = body(&alerts, room);
        assert!(units(&text) <= room, "{room}: {text}");
        assert!(
            room < 200 || text.contains("down") && text.contains("up again") && text.contains("news"),
            "{room}: {text}"
        );
    }
}

#[test]
fn a_zone_is_cut_off_and_not_down() {
    let of_zone = |alert: Alert| Alert { ext: vec![("about".to_owned(), "zone".to_owned())], ..alert };
    let alerts = [
        of_zone(alert("Zone external", Kind::Opened, Status::Down, "failures")),
        alert("NAS", Kind::Opened, Status::Down, "failures"),
    ];
    let message = message(&alerts, &Target::default(), Measure::default());
    assert_eq!(message.title, "2 alerts: 1 cut off, 1 down");
    assert!(message.body.starts_with("12:05 🔴 Zone external is cut off: HTTP 503"), "{}", message.body);
}
