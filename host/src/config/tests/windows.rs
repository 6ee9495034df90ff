//! Windows of maintenance as they are understood.

use pihook_core::Timestamp;
use pihook_core::maintenance::Window;

use super::read;

fn window(text: &str) -> Window {
    let source = format!(
        "zones: {{ local: {{}} }}\nservices:\n  - {{ name: NAS, zone: local, url: 'http://nas/' }}\nmaintenance:\n  - {{ name: w, {text} }}"
    );
    read(&source).unwrap().windows.remove(0)
}

#[track_caller]
fn opens(text: &str, begin: &str, end: &str) {
    let window = window(text);
    let after: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let next = window.when.next_change(after).unwrap();
    let closes = window.when.next_change(next).unwrap();
    assert_eq!((next.to_string(), closes.to_string()), (begin.to_owned(), end.to_owned()), "{text}");
}

#[test]
fn every_way_to_say_when() {
    let berlin = "timezone: Europe/Berlin";
    opens(&format!("weekly: Sun 03:00-05:00, {berlin}"), "2026-11-29T02:00:00Z", "2026-11-29T04:00:00Z");
    opens(
        &format!("weekly: 'mon,Wed-Fri 22:00-06:00', {berlin}"),
        "2026-11-25T21:00:00Z",
        "2026-11-26T05:00:00Z",
    );
    opens(&format!("weekly: 'Sat-Sun 0:00-24:00', {berlin}"), "2026-11-27T23:00:00Z", "2026-11-29T23:00:00Z");
    opens("daily: '03:00-03:30', timezone: utc", "2026-11-25T03:00:00Z", "2026-11-25T03:30:00Z");
    opens("monthly: first Sun 03:00-05:00, timezone: UTC", "2026-12-06T03:00:00Z", "2026-12-06T05:00:00Z");
    opens("monthly: '1 03:00-05:00', timezone: UTC", "2026-12-01T03:00:00Z", "2026-12-01T05:00:00Z");
    opens(
        &format!("from: 2026-12-01T18:00, until: '2026-12-01 20:00', {berlin}"),
        "2026-12-01T17:00:00Z",
        "2026-12-01T19:00:00Z",
    );
    opens(
        "from: '2026-12-01T18:00:00+02:00', until: '2026-12-01T20:00:00Z'",
        "2026-12-01T16:00:00Z",
        "2026-12-01T20:00:00Z",
    );
}

#[test]
fn it_says_for_whom_and_why() {
    let window = window("daily: '03:00-04:00', services: [NAS], zones: [local], reason: snapshots");
    assert_eq!(
        (window.scope().to_string(), window.reason),
        ("NAS, the zone local".into(), Some("snapshots".into()))
    );
}

#[test]
fn what_has_passed_is_no_mistake() {
    assert_eq!(window("from: 2020-01-01T00:00, until: 2020-01-02T00:00").name, "w");
}

#[test]
fn degraded_services_may_have_a_ladder_of_their_own() {
    let source = "
escalation_degraded: off
services:
  - { name: A, url: 'http://a/' }
  - { name: B, url: 'http://a/', escalation_degraded: [{ after: 9 }] }
  - { name: C, url: 'http://a/', escalation: [{ after: 5 }] }
";
    let services = read(source).unwrap().services;
    let degraded: Vec<_> = services.iter().map(|service| service.service.degraded.as_deref()).collect();
    assert_eq!(degraded[0].unwrap().first().after, services[0].service.ladder.first().after);
    assert_eq!(degraded[1].unwrap().levels().count(), 1);
    assert_ne!(degraded[1], degraded[0]);
    assert_eq!(degraded[2], None);
}
