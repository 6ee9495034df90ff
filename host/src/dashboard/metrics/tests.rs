use std::sync::Arc;
use std::time::Duration;

use pihook_core::liveness::Progress;
use pihook_core::monitor::View;
use pihook_core::{Metric, ServiceId, Timestamp, ZoneId};
use tokio::sync::{mpsc, watch};

use super::*;
use crate::board::{Board, Listed};
use crate::clock::SystemClock;
use crate::dashboard::{Desk, Reach};
use crate::heartbeats::{Heartbeats, inlet};

fn text(board: &Board) -> String {
    let (inlet, _arrivals) = inlet(Arc::new(Heartbeats::default()));
    let trouble = watch::Sender::new(None);
    let dashboard = Dashboard {
        database: "/nowhere".into(),
        keeper: None,
        badges: crate::dashboard::Badges::Guarded,
        reach: Reach::default(),
        is_private: true,
        configured: watch::Sender::new(Arc::default()).subscribe(),
        desk: Desk::new(Arc::default()).unwrap(),
        acknowledgements: mpsc::channel(1).0,
        progress: watch::Sender::new(Progress::default()).subscribe(),
        clock: Arc::new(SystemClock::start()),
        trouble: trouble.subscribe(),
        inlet,
        board: board.clone(),
        channel: crate::dashboard::Channel::new(),
        rendered: crate::dashboard::Rendered::default(),
    };
    let families = gather(&dashboard, &board.picture(), &[(SinkId::new("discord"), 3)]);
    TextEncoder::new().encode_to_string(&families).unwrap()
}

fn board() -> Board {
    let board = Board::new();
    let listed = |id: &str, name: &str| Listed {
        id: ServiceId::new(id),
        name: Arc::from(name),
        zone: ZoneId::new("local"),
        check: Arc::from("http"),
        interval: Some(Duration::from_secs(60)),
        settings: Arc::default(),
    };
    board.list(vec![listed("nas", "NAS \"one\"\nx"), listed("new", "New")]);
    let figure = |name: &str, value, unit: &str| Metric { name: name.into(), value, unit: unit.into() };
    let outcome = Outcome {
        status: Status::Degraded,
        summary: "slow".into(),
        notice: None,
        response_time: Some(Duration::from_millis(300)),
        attempts: 1,
        metrics: vec![
            figure("dns_ms", 1.5, "ms"),
            figure("certificate_not_after_seconds", 1_900_000_000.0, "seconds"),
        ],
        at: Timestamp::from_millisecond(1_800_000_000_500).unwrap(),
    };
    let view = View { health: Some(Status::Up), last: None, running: false, incident: None };
    board.note(&ServiceId::new("nas"), view, Muting::Muted, Some(&outcome));
    board
}

#[test]
fn a_service_is_described_by_its_metrics() {
    let text = text(&board());
    let nas = r#"service="nas",name="NAS \"one\"\nx",zone="local""#;
    for line in [
        format!("pihook_service_up{{{nas}}} 1\n"),
        format!("pihook_service_status{{{nas},status=\"degraded\"}} 1\n"),
        format!("pihook_service_status{{{nas},status=\"up\"}} 0\n"),
        format!("pihook_service_in_maintenance{{{nas}}} 1\n"),
        format!("pihook_service_incident_open{{{nas}}} 0\n"),
        format!("pihook_checks_total{{{nas},status=\"degraded\"}} 1\n"),
        format!("pihook_check_last_timestamp_seconds{{{nas}}} 1800000000.5\n"),
        format!("pihook_check_value{{{nas},value=\"dns_ms\",unit=\"ms\"}} 1.5\n"),
        format!("pihook_certificate_not_after_timestamp_seconds{{{nas}}} 1900000000\n"),
        format!("pihook_check_duration_seconds_bucket{{{nas},le=\"0.25\"}} 0\n"),
        format!("pihook_check_duration_seconds_bucket{{{nas},le=\"0.5\"}} 1\n"),
        format!("pihook_check_duration_seconds_bucket{{{nas},le=\"+Inf\"}} 1\n"),
        format!("pihook_check_duration_seconds_count{{{nas}}} 1\n"),
        "pihook_outbox_pending{sink=\"discord\"} 3\n".to_owned(),
        "pihook_database_writable 1\n".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    // What is not known of a service is not said.
    assert!(!text.contains("pihook_service_up{service=\"new\""), "{text}");
}

#[test]
fn what_a_plugin_measures_is_bounded() {
    let board = board();
    let figures =
        (0..1000).map(|n| Metric { name: format!("m{n}"), value: 0.0, unit: String::new() }).collect();
    let outcome = Outcome { metrics: figures, ..board.picture().entries[0].last.clone().unwrap() };
    let view = View { health: Some(Status::Up), last: None, running: false, incident: None };
    board.note(&ServiceId::new("nas"), view, Muting::Audible, Some(&outcome));
    assert_eq!(text(&board).matches("pihook_check_value{").count(), FIGURES);
}
