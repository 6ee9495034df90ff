//! What was told, is to be told, or could not be told.

use axum::Json;
use axum::extract::State;
use pihook_core::{AlertKind, SinkId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paging::{Limit, Number, Page, Params};
use super::unreadable;
use crate::dashboard::refusal::{ErrorBody, Refusal};
use crate::dashboard::{Shared, stock};
use crate::store::{DeliveryRow, WantedDeliveries};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    /// It is being tried.
    Pending,
    /// The sink has taken it.
    Sent,
    /// It was given up.
    Dead,
}

/// One alert to one sink.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivery {
    /// Its number.
    id: i64,
    sink: String,
    /// The id of the service that it is about.
    service_id: String,
    /// What people call that service.
    service: String,
    /// The incident that it is about; null for a notice.
    incident: Option<u64>,
    /// What is told: `opened`, `escalated`, `reminder`, `recovered`, `notice`.
    event: &'static str,
    #[schema(format = "date-time")]
    decided: String,
    /// `pending`, `sent` or `dead`.
    state: String,
    attempts: u32,
    /// When it is tried again; null if at once or never.
    #[schema(format = "date-time")]
    next_attempt: Option<String>,
    /// When it was sent or given up.
    #[schema(format = "date-time")]
    finished: Option<String>,
    /// Why the last attempt failed, or why it was given up.
    last_error: Option<String>,
}

/// Which deliveries are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// To this sink alone.
    sink: Option<String>,
    /// In this state alone.
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

/// Deliveries, the newest first. Those that are done are kept for 30 days, and 10,000 of them at most.
#[utoipa::path(get, path = "/deliveries", params(Wanted), responses((status = 200, body = Page<Delivery>), ErrorBody))]
pub(super) async fn list(
    State(dashboard): State<Shared>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<Delivery>>, Refusal> {
    let Wanted { sink, state, cursor, limit } = wanted;
    let state = state.map(|state| match state {
        Stage::Pending => "pending",
        Stage::Sent => "sent",
        Stage::Dead => "dead",
    });
    let before = cursor.map(|cursor| i64::try_from(cursor.get()).unwrap_or(i64::MAX));
    let wanted = WantedDeliveries { sink: sink.map(|sink| SinkId::new(&sink)), state, before };
    let rows = stock::ask(&dashboard, move |reader| reader.deliveries(&wanted, limit.and_one())).await;
    let rows = rows.ok_or_else(unreadable)?;
    Ok(Json(Page::of(rows, limit, |row| row.id.to_string(), Delivery::of)))
}

impl Delivery {
    fn of(row: DeliveryRow) -> Self {
        Self {
            id: row.id,
            sink: row.sink.to_string(),
            service_id: row.service.to_string(),
            service: row.name,
            incident: row.incident.map(|incident| incident.0),
            event: AlertKind::as_str(row.kind),
            decided: row.decided.to_string(),
            state: row.state,
            attempts: row.attempts,
            next_attempt: row.next_attempt.map(|at| at.to_string()),
            finished: row.finished.map(|at| at.to_string()),
            last_error: row.last_error,
        }
    }
}
