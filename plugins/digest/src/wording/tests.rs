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

#[test]
fn what_does_not_fit_is_counted_and_the_newest_stays() {
    let alerts: Vec<Alert> =
        (0..100).map(|n| alert(&format!("S{n}"), Kind::Opened, Status::Down, "failures")).collect();
    for body in [0, 30, 200, 1000] {
        let text = message(&alerts, &Target::default(), Measure { body, ..Measure::default() }).body;
        assert!(text.encode_utf16().count() <= body.max(MORE), "{text}");
        assert!(text.starts_with("… "), "{text}");
        assert_eq!(text.contains("S99"), body >= 200);
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
