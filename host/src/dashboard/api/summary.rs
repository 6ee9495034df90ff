//! How the last days were.

use axum::Json;
use axum::extract::State;
use jiff::SignedDuration;
use pihook_core::summary::change_percent;
use pihook_core::{Status, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paging::{Limit, Params, Place};
use super::unreadable;
use crate::dashboard::refusal::{ErrorBody, Refusal};
use crate::dashboard::{Shared, stock};
use crate::store::Series;

/// How the last days were, and how it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Report {
    #[schema(format = "date-time")]
    from: String,
    #[schema(format = "date-time")]
    to: String,
    now: Now,
    /// By zone and name; those without any check in this time and the one before are left out.
    items: Vec<Line>,
    /// The `cursor` of the request for what follows; null if nothing does.
    next: Option<String>,
}

/// How many services are confirmed to be what at the moment.
#[derive(Debug, Serialize, ToSchema)]
struct Now {
    up: usize,
    degraded: usize,
    down: usize,
    unknown: usize,
    /// Not checked yet.
    pending: usize,
}

/// How a service was. Maintenance and what was unknown count for nothing in shares.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    service_id: String,
    service: String,
    zone: String,
    check: String,
    checks: u64,
    up: u64,
    degraded: u64,
    down: u64,
    unknown: u64,
    uptime_percent: Option<f64>,
    avg_response_ms: Option<f64>,
    p50_response_ms: Option<f64>,
    p95_response_ms: Option<f64>,
    max_response_ms: Option<f64>,
    /// Of the average, against as long before.
    avg_change_percent: Option<f64>,
    incidents: u64,
    downtime_seconds: u64,
    maintenance_seconds: u64,
}

/// Of which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The last so many days.
    #[serde(default)]
    #[param(value_type = u16, minimum = 1, maximum = 366, default = 7)]
    days: Days,
    /// `next` of the page before.
    #[param(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647)]
    cursor: Option<Place>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u16, minimum = 1, maximum = 500, default = 100)]
    limit: Limit,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
struct Days(u16);

impl Default for Days {
    fn default() -> Self {
        Self(7)
    }
}

impl TryFrom<u16> for Days {
    type Error = &'static str;

    fn try_from(days: u16) -> Result<Self, Self::Error> {
        if (1..=366).contains(&days) { Ok(Self(days)) } else { Err("days is 1 to 366") }
    }
}

/// How the last days were, service by service.
#[utoipa::path(get, path = "/summary", params(Wanted), responses((status = 200, body = Report), ErrorBody))]
pub(super) async fn summary(
    State(dashboard): State<Shared>,
    Params(Wanted { days, cursor, limit }): Params<Wanted>,
) -> Result<Json<Report>, Refusal> {
    let now = dashboard.clock.now().wall;
    let back = |spans: i64| {
        let span = SignedDuration::from_hours(24 * i64::from(days.0) * spans);
        now.checked_sub(span).unwrap_or(Timestamp::MIN)
    };
    let edges = [back(2), back(1), now];
    let series =
        stock::ask(&dashboard, move |reader| reader.series(&edges, None)).await.ok_or_else(unreadable)?;
    let from = cursor.map_or(0, Place::get);
    let more = series.len() > from.saturating_add(limit.get());
    Ok(Json(Report {
        from: back(1).to_string(),
        to: now.to_string(),
        now: Now::of(&dashboard),
        items: series.into_iter().skip(from).take(limit.get()).filter_map(Line::of).collect(),
        next: more.then(|| (from + limit.get()).to_string()),
    }))
}

impl Now {
    fn of(dashboard: &Shared) -> Self {
        let picture = dashboard.board.picture();
        let count =
            |status: Option<Status>| picture.entries.iter().filter(|entry| entry.health == status).count();
        Self {
            up: count(Some(Status::Up)),
            degraded: count(Some(Status::Degraded)),
            down: count(Some(Status::Down)),
            unknown: count(Some(Status::Unknown)),
            pending: count(None),
        }
    }
}

impl Line {
    fn of(series: Series) -> Option<Self> {
        let [before, now] = series.spans.as_slice() else { return None };
        Some(Self {
            service_id: series.id.to_string(),
            service: series.name,
            zone: series.zone.to_string(),
            check: series.check,
            checks: now.checks(),
            up: now.up,
            degraded: now.degraded,
            down: now.down,
            unknown: now.unknown,
            uptime_percent: now.uptime_percent(),
            avg_response_ms: now.responses.mean_ms(),
            p50_response_ms: now.responses.percentile_ms(50),
            p95_response_ms: now.responses.percentile_ms(95),
            max_response_ms: now.responses.max_ms(),
            avg_change_percent: change_percent(before, now),
            incidents: series.incidents.last().copied().unwrap_or(0),
            downtime_seconds: now.down_for.as_secs(),
            maintenance_seconds: now.maintained_for.as_secs(),
        })
    }
}
