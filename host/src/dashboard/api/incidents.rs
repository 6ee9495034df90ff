//! Incidents, over or not.

use axum::extract::State;
use axum::{Extension, Json};
use pihook_core::{IncidentId, ServiceId, Severity};
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::{IntoParams, ToSchema};

use super::paging::{Limit, Named, Number, Page, Params};
use super::services::Shown;
use super::unreadable;
use crate::dashboard::gate::Client;
use crate::dashboard::refusal::{Code, ErrorBody, Refusal};
use crate::dashboard::{Acknowledgement, Shared, desk, stock};
use crate::store::{IncidentRow, WantedIncidents};

/// How much an incident matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Info,
    Warning,
    Critical,
}

/// A span from the first failed check until the service is well again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Incident {
    /// Its number.
    id: u64,
    /// The id of its service. Those of PiHook itself begin with `pihook:`.
    service_id: String,
    /// What people call the service.
    service: String,
    zone: String,
    #[schema(format = "date-time")]
    opened: String,
    /// Null while it is open.
    #[schema(format = "date-time")]
    closed: Option<String>,
    /// The highest that was told.
    severity: Weight,
    /// The worst.
    status: Shown,
    /// What the newest failed check has seen.
    reason: String,
    checks_failed: u32,
    /// When somebody said that they see to it: nothing is told of it from then on but its end.
    #[schema(format = "date-time")]
    acknowledged: Option<String>,
}

/// Nothing more is told of this incident but its end.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Acknowledged {
    id: u64,
}

/// Whether it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Open,
    Closed,
}

/// Which incidents are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of the service with this id alone.
    service: Option<String>,
    /// Those that are open alone, or those that are over.
    #[param(inline)]
    state: Option<Stage>,
    /// `next` of the page before.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    cursor: Option<Number>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u16, minimum = 1, maximum = 500, default = 100)]
    limit: Limit,
}

/// Incidents, the newest first.
#[utoipa::path(get, path = "/incidents", params(Wanted), responses((status = 200, body = Page<Incident>), ErrorBody))]
pub(super) async fn list(
    State(dashboard): State<Shared>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<Incident>>, Refusal> {
    let Wanted { service, state, cursor, limit } = wanted;
    let service = service.map(|id| ServiceId::new(&id));
    let wanted = WantedIncidents {
        service,
        open: state.map(|state| state == Stage::Open),
        before: cursor.map(Number::get),
    };
    let rows = stock::ask(&dashboard, move |reader| reader.incidents(&wanted, limit.and_one())).await;
    let rows = rows.ok_or_else(unreadable)?;
    Ok(Json(Page::of(rows, limit, |row| row.id.0.to_string(), Incident::of)))
}

/// Says that somebody sees to an incident: until it is over nothing more is told of it, and then its end. It is on disk
/// when this is answered. Doing it twice changes nothing.
#[utoipa::path(post, path = "/incidents/{id}/acknowledgement",
    params(("id" = i64, Path, description = "The incident's number", minimum = 0, maximum = 9_007_199_254_740_991_i64)),
    responses((status = 200, body = Acknowledged), ErrorBody))]
pub(super) async fn acknowledge(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
    Named(id): Named,
) -> Result<Json<Acknowledged>, Refusal> {
    desk::may_change(&dashboard, &client)?;
    let wrong = || Refusal::new(Code::InvalidRequest, "an incident has a number below 2^53");
    let number = id.parse::<u64>().ok().and_then(|id| Number::try_from(id).ok()).ok_or_else(wrong)?;
    let incident = IncidentId(number.get());
    match dashboard.acknowledge(incident).await {
        Acknowledgement::Noted => {
            info!(%incident, address = %client.address, "somebody sees to the incident");
            Ok(Json(Acknowledged { id: incident.0 }))
        }
        Acknowledgement::NotOpen => {
            Err(Refusal::new(Code::NotFound, format!("no incident with the number {incident} is open")))
        }
        Acknowledgement::Unwritten => {
            let text = "it counts, but is not on disk: a restart may forget it";
            Err(Refusal::new(Code::Unavailable, text))
        }
    }
}

impl Incident {
    fn of(row: IncidentRow) -> Self {
        Self {
            id: row.id.0,
            service_id: row.service.to_string(),
            service: row.name,
            zone: row.zone,
            opened: row.opened.to_string(),
            closed: row.closed.map(|at| at.to_string()),
            severity: row.severity.into(),
            status: row.status.into(),
            reason: row.reason,
            checks_failed: row.checks_failed,
            acknowledged: row.acknowledged.map(|at| at.to_string()),
        }
    }
}

impl From<Severity> for Weight {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Weight::Info,
            Severity::Warning => Weight::Warning,
            Severity::Critical => Weight::Critical,
        }
    }
}
