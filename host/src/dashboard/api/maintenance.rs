//! What is muted, and muting.

use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use pihook_core::maintenance::{Maintenance, Ongoing, Source, Window};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::paging::Body;
use crate::dashboard::Shared;
use crate::dashboard::desk::{self, Order};
use crate::dashboard::gate::Client;
use crate::dashboard::refusal::{ErrorBody, Refusal};

/// What mutes alerts, and what will.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Muted {
    /// Whether anything is muted at the moment.
    active: bool,
    /// What lasts at the moment: the flag first.
    ongoing: Vec<Lasting>,
    /// Why the flag counts as full maintenance although it says something else; null if it does not.
    problem: Option<String>,
    /// The windows of services.yaml.
    windows: Vec<Planned>,
}

/// One maintenance that lasts.
#[derive(Debug, Serialize, ToSchema)]
struct Lasting {
    source: Origin,
    /// The window's name; `flag` for the flag.
    name: String,
    reason: Option<String>,
    /// Names or ids; with `zones` empty too, everything is muted.
    services: Vec<String>,
    zones: Vec<String>,
    /// When it ends by itself; null if it does not, or not for months.
    #[schema(format = "date-time")]
    until: Option<String>,
}

/// Where maintenance comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Flag,
    Window,
}

/// A window of services.yaml.
#[derive(Debug, Serialize, ToSchema)]
struct Planned {
    name: String,
    reason: Option<String>,
    services: Vec<String>,
    zones: Vec<String>,
    open: bool,
    /// When it opens, or closes if it is open; null if it does not any more.
    #[schema(format = "date-time")]
    next_change: Option<String>,
}

/// What is to be muted. `{}` mutes everything until it is ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Begin {
    /// For so long; until it is ended if it is left out.
    #[schema(minimum = 1, maximum = 31_622_400)]
    #[serde(deserialize_with = "whole")]
    for_seconds: Option<u32>,
    /// Names or ids of services; with `zones` empty too, everything is muted.
    #[schema(max_items = 1000)]
    services: Vec<String>,
    /// Names of zones.
    #[schema(max_items = 200)]
    zones: Vec<String>,
    /// Why, in one line.
    #[schema(max_length = 200, pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
    reason: Option<String>,
}

/// A whole number, however it is written: `3600.0` is one to JSON.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(from)? else { return Ok(None) };
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
    is_whole
        .then_some(number as u32)
        .map(Some)
        .ok_or_else(|| D::Error::custom("this is no whole number of seconds"))
}

/// What mutes alerts, and what will.
#[utoipa::path(get, path = "/maintenance", responses((status = 200, body = Muted), ErrorBody))]
pub(super) async fn show(State(dashboard): State<Shared>) -> Result<Json<Muted>, Refusal> {
    let (maintenance, problem) = desk::state(&dashboard).await?;
    Ok(Json(Muted::of(&maintenance, problem, dashboard.clock.now().wall)))
}

/// Mutes alerts in place of what the flag has said so far. Checks go on and are logged.
#[utoipa::path(put, path = "/maintenance", request_body = Begin, responses((status = 200, body = Muted), ErrorBody))]
pub(super) async fn put(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
    Body(begin): Body<Begin>,
) -> Result<Json<Muted>, Refusal> {
    let Begin { for_seconds, services, zones, reason } = begin;
    let lasting = for_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    desk::begin(&dashboard, &client, Order { lasting, services, zones, reason }).await?;
    show(State(dashboard)).await
}

/// The same as `PUT`.
#[utoipa::path(post, path = "/maintenance", request_body = Begin, responses((status = 200, body = Muted), ErrorBody))]
pub(super) async fn post(
    dashboard: State<Shared>,
    client: Extension<Client>,
    begin: Body<Begin>,
) -> Result<Json<Muted>, Refusal> {
    put(dashboard, client, begin).await
}

/// Removes the flag. Windows of services.yaml go on.
#[utoipa::path(delete, path = "/maintenance", responses((status = 200, body = Muted), ErrorBody))]
pub(super) async fn delete(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
) -> Result<Json<Muted>, Refusal> {
    desk::end(&dashboard, &client).await?;
    show(State(dashboard)).await
}

impl Muted {
    fn of(maintenance: &Maintenance, problem: Option<String>, now: pihook_core::Timestamp) -> Self {
        let ongoing: Vec<Lasting> = maintenance.ongoing(now).map(Lasting::of).collect();
        let planned = |window: &Window| Planned {
            name: window.name.clone(),
            reason: window.reason.clone(),
            services: window.scope().services.to_vec(),
            zones: window.scope().zones.to_vec(),
            open: window.when.contains(now),
            next_change: window.when.next_change(now).map(|at| at.to_string()),
        };
        let windows = maintenance.windows.iter().map(planned).collect();
        Self { active: !ongoing.is_empty(), ongoing, problem, windows }
    }
}

impl Lasting {
    fn of(ongoing: Ongoing<'_>) -> Self {
        Self {
            source: match ongoing.source {
                Source::Flag => Origin::Flag,
                Source::Window => Origin::Window,
            },
            name: ongoing.name.to_owned(),
            reason: ongoing.reason.map(str::to_owned),
            services: ongoing.scope.services.to_vec(),
            zones: ongoing.scope.zones.to_vec(),
            until: ongoing.until.map(|at| at.to_string()),
        }
    }
}
