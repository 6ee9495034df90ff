//! The status page as HTML.

use askama::Template;
use axum::http::{HeaderName, header};
use pihook_core::Timestamp;

use crate::store::{OpenIncident, ServiceRow};
use crate::words;

/// The page takes nothing from elsewhere and runs nothing.
pub(super) const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    services: Vec<ServiceLine>,
    incidents: Vec<IncidentLine>,
    now: String,
}

struct ServiceLine {
    name: String,
    zone: String,
    status: &'static str,
    response: String,
    checked: String,
    summary: String,
}

struct IncidentLine {
    name: String,
    status: &'static str,
    since: String,
    checks_failed: u32,
    reason: String,
}

/// The page. Every text in it is escaped: names and summaries are anybody's.
pub(super) fn render(services: &[ServiceRow], incidents: &[OpenIncident], now: Timestamp) -> String {
    let page = StatusPage {
        services: services.iter().map(service_line).collect(),
        incidents: incidents
            .iter()
            .map(|incident| IncidentLine {
                name: incident.name.clone(),
                status: incident.status.as_str(),
                since: local(incident.opened),
                checks_failed: incident.checks_failed,
                reason: incident.reason.clone(),
            })
            .collect(),
        now: local(now),
    };
    page.render().unwrap_or_else(|error| format!("the page cannot be made: {error}"))
}

fn service_line(row: &ServiceRow) -> ServiceLine {
    let last = row.last.as_ref();
    ServiceLine {
        name: row.name.clone(),
        zone: row.zone.to_string(),
        status: last.map_or("pending", |last| last.status.as_str()),
        response: last.and_then(|last| last.response_ms).map(|ms| format!("{ms:.0} ms")).unwrap_or_default(),
        checked: last.map(|last| local(last.at)).unwrap_or_default(),
        summary: last.map(|last| last.summary.clone()).unwrap_or_default(),
    }
}

fn local(at: Timestamp) -> String {
    words::local(at, "%Y-%m-%d %H:%M:%S")
}

#[cfg(test)]
mod tests {
    use pihook_core::{ServiceId, ZoneId};

    use super::*;

    #[test]
    fn names_cannot_bring_markup_in() {
        let row = ServiceRow {
            id: ServiceId::new("x"),
            name: "<script>alert(1)</script>".into(),
            zone: ZoneId::new("a\"b"),
            check: "http".into(),
            last: None,
        };
        let page = render(&[row], &[], Timestamp::UNIX_EPOCH);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("alert(1)"));
    }
}
