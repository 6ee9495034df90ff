use super::*;

fn alert(kind: Kind, status: Status, reason: &str) -> Alert {
    Alert {
        kind,
        reason: reason.into(),
        service: "Gitea".into(),
        zone: "external".into(),
        status,
        severity: Severity::Critical,
        // 2026-11-22 12:05 UTC
        since_ms: 1_795_349_100_000,
        lasted_ms: 7_500_000,
        summary: "HTTP 503, expected below 400".into(),
        ..Alert::default()
    }
}

fn berlin() -> Target {
    Target { utc_offset_seconds: 3600, zone_abbreviation: "CET".into(), ..Target::default() }
}

#[test]
fn every_event_has_its_headline() {
    use Kind::{Escalated, Notice, Opened, Recovered, Reminder};
    use Status::{Degraded, Down, Unknown, Up};
    for (kind, status, reason, headline) in [
        (Opened, Down, "failures", "Gitea is down"),
        (Opened, Degraded, "elapsed", "Gitea is degraded"),
        (Opened, Down, "after-maintenance", "Gitea is down after maintenance"),
        (Opened, Unknown, "cannot-tell", "PiHook cannot tell whether Gitea is up"),
        (Opened, Down, "flapping", "Gitea is flapping"),
        (Opened, Down, "later", "Gitea is down"),
        (Opened, Down, "test", "Test: Gitea is down"),
        (Escalated, Down, "elapsed", "Gitea is still down"),
        (Escalated, Down, "worse", "Gitea is now down"),
        (Reminder, Down, "repeat", "Gitea is still down"),
        (Reminder, Unknown, "cannot-tell", "PiHook still cannot tell whether Gitea is up"),
        (Recovered, Up, "recovered", "Gitea is up again"),
        (Recovered, Up, "settled", "Gitea has settled"),
        (Escalated, Down, "settled", "Gitea has settled and is down"),
        (Notice, Up, "event", "News from Gitea"),
    ] {
        let message = message(&alert(kind, status, reason), &berlin());
        assert_eq!(message.title, headline, "{reason}");
        // Emoji, arrows, dashes and the like are read out badly.
        assert!(format!("{}{}", message.title, message.body).is_ascii(), "{message:?}");
    }
}

#[test]
fn times_are_told_in_words() {
    assert_eq!(
        message(&alert(Kind::Escalated, Status::Down, "elapsed"), &berlin()).body,
        "Reason: HTTP 503, expected below 400.\n\
         For 2 hours and 5 minutes, since 22 November 2026 at 13:05.\n\
         This is critical.\n\
         Zone: external."
    );
    for (ms, told) in [
        (0, "less than a second"),
        (1_000, "1 second"),
        (61_000, "1 minute and 1 second"),
        (3_600_000, "1 hour"),
        (3_601_000, "1 hour"),
        (273_600_000, "3 days and 4 hours"),
    ] {
        assert_eq!(words(ms), told);
    }
}

#[test]
fn any_time_is_told_without_a_panic() {
    for ms in [i64::MIN, i64::MAX, 0] {
        assert!(!when(ms, &berlin()).is_empty());
    }
    assert!(!words(u64::MAX).is_empty());
}

#[test]
fn a_zone_is_cut_off_and_not_down() {
    let ext = vec![("about".to_owned(), "zone".to_owned())];
    for (kind, status, headline) in [
        (Kind::Opened, Status::Down, "Zone external is cut off"),
        (Kind::Escalated, Status::Down, "Zone external is still cut off"),
        (Kind::Recovered, Status::Up, "Zone external is reachable again"),
    ] {
        let zone =
            Alert { service: "Zone external".into(), ext: ext.clone(), ..alert(kind, status, "failures") };
        assert_eq!(message(&zone, &berlin()).title, headline);
    }
}
