//! Incidents, over or not.

use axum::Json;
use axum::extract::State;
use pihook_core::{ServiceId, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paging::{Limit, Number, Page, Params};
use super::services::Shown;
use super::unreadable;
use crate::dashboard::refusal::{ErrorBody, Refusal};
use crate::dashboard::{Shared, stock};
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
