//! `/metrics`: what is known now, as Prometheus reads it.
//!
//! Made anew at each scrape from the board, so that nothing is registered, and nothing of a service stays when it is gone.
//! Label sets are bounded by services.yaml: a service's id, name and zone, its status, and up to 32 figures of its check.

mod families;
mod process;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pihook_core::monitor::Muting;
use pihook_core::{Outcome, SinkId, Status};
use prometheus::TextEncoder;

use super::{Dashboard, Shared};
use crate::board::{BOUNDS, Entry, Picture};
use families::{Families, Help, Kind};

/// Figures of one check's outcome that are shown; a plugin may say more.
const FIGURES: usize = 32;

/// The format that Prometheus asks for by default.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const UP: Help =
    ("pihook_service_up", "1 if the newest check found the service up or degraded, 0 if down or unknown.");
const STATUS: Help =
    ("pihook_service_status", "1 for the status that the newest check found, 0 for the others.");
const INCIDENT: Help = ("pihook_service_incident_open", "1 while an incident of the service is open.");
const MUTED: Help = ("pihook_service_in_maintenance", "1 while maintenance mutes the service's alerts.");
const CHECKED: Help =
    ("pihook_check_last_timestamp_seconds", "When the newest check began, in seconds since 1970 UTC.");
const CHECKS: Help =
    ("pihook_checks_total", "Checks by the status that they found, since PiHook was started.");
const DURATION: Help = ("pihook_check_duration_seconds", "The service's response time, retries not counted.");
const CERTIFICATE: Help = (
    "pihook_certificate_not_after_timestamp_seconds",
    "When the service's certificate expires, in seconds since 1970 UTC.",
);
const FIGURE: Help =
    ("pihook_check_value", "What the newest check has measured, by the name and the unit of docs/checks.");
const WRITABLE: Help = ("pihook_database_writable", "1 if the database takes writes.");
const PENDING: Help =
    ("pihook_outbox_pending", "Alerts that wait for their sink, given-up ones not counted.");
const BUILD: Help = ("pihook_build_info", "1, with the version.");

/// A certificate's expiry as the checks tell it.
const NOT_AFTER: &str = "certificate_not_after_seconds";

pub(super) async fn metrics(State(dashboard): State<Shared>) -> Response {
    let pending = super::stock::pending(&dashboard).await;
    match TextEncoder::new().encode_to_string(&gather(&dashboard, &dashboard.board.picture(), &pending)) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!("the metrics cannot be written: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// All metrics. `pending` is the number of undelivered alerts of each sink.
fn gather(
    dashboard: &Dashboard,
    picture: &Picture,
    pending: &[(SinkId, u64)],
) -> Vec<prometheus::proto::MetricFamily> {
    let mut families = Families::default();
    families.add(BUILD, Kind::Gauge, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    families.add(WRITABLE, Kind::Gauge, &[], one_if(dashboard.trouble.borrow().is_none()));
    for (sink, count) in pending {
        families.add(PENDING, Kind::Gauge, &[("sink", sink.as_str())], float(*count));
    }
    for entry in &picture.entries {
        of_service(&mut families, entry);
    }
    process::add(&mut families);
    families.into_vec()
}

fn of_service(families: &mut Families, entry: &Entry) {
    let listed = &entry.listed;
    let labels = [("service", listed.id.as_str()), ("name", &*listed.name), ("zone", listed.zone.as_str())];
    families.add(INCIDENT, Kind::Gauge, &labels, one_if(entry.incident.is_some()));
    families.add(MUTED, Kind::Gauge, &labels, one_if(entry.muting == Muting::Muted));
    for status in Status::ALL {
        let [service, name, zone] = labels;
        let labels = [service, name, zone, ("status", status.as_str())];
        families.add(CHECKS, Kind::Counter, &labels, float(entry.tally.outcomes(status)));
        if let Some(found) = entry.status() {
            families.add(STATUS, Kind::Gauge, &labels, one_if(found == status));
        }
    }
    if let Some(outcome) = &entry.last {
        of_outcome(families, &labels, outcome);
    }
    let counts: Vec<u64> = entry.tally.cumulative().collect();
    families.add_histogram(DURATION, &labels, &BOUNDS, &counts, entry.tally.sum().as_secs_f64());
}

fn of_outcome(families: &mut Families, labels: &[(&str, &str); 3], outcome: &Outcome) {
    let up = matches!(outcome.status, Status::Up | Status::Degraded);
    families.add(UP, Kind::Gauge, labels, one_if(up));
    families.add(CHECKED, Kind::Gauge, labels, outcome.at.as_millisecond() as f64 / 1000.0);
    for metric in outcome.metrics.iter().take(FIGURES) {
        if metric.name == NOT_AFTER {
            families.add(CERTIFICATE, Kind::Gauge, labels, metric.value);
            continue;
        }
        let [service, name, zone] = *labels;
        let labels = [service, name, zone, ("value", metric.name.as_str()), ("unit", metric.unit.as_str())];
        families.add(FIGURE, Kind::Gauge, &labels, metric.value);
    }
}

fn one_if(so: bool) -> f64 {
    if so { 1.0 } else { 0.0 }
}

/// Exact up to 2^53, which no count here reaches.
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
