//! `/api/v1`: what is known, for programs. All of it is JSON, lists come in pages, and the OpenAPI document is made from the
//! handlers themselves.

mod deliveries;
mod document;
mod incidents;
mod maintenance;
mod paging;
mod services;
mod summary;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::refusal::{Code, Refusal};
use super::{Dashboard, Shared};

/// Where all of it lies.
pub(super) const ROOT: &str = "/api/v1";

/// The addresses below [`ROOT`].
pub(super) fn router(dashboard: &Dashboard) -> Router<Shared> {
    let (router, described) = OpenApiRouter::with_openapi(document::begin(dashboard))
        .routes(routes!(services::list))
        .routes(routes!(services::one))
        .routes(routes!(services::checks))
        .routes(routes!(incidents::list))
        .routes(routes!(incidents::acknowledge))
        .routes(routes!(deliveries::list))
        .routes(routes!(maintenance::show, maintenance::put, maintenance::post, maintenance::delete))
        .routes(routes!(summary::summary))
        .split_for_parts();
    // Of types that can all be written as JSON.
    let text = described.to_json().unwrap_or_default();
    let json = [(header::CONTENT_TYPE, "application/json")];
    Router::new()
        .nest(ROOT, router)
        .route(&format!("{ROOT}/openapi.json"), get(move || async move { (json, text) }))
}

/// Says that the database cannot be read.
fn unreadable() -> Refusal {
    Refusal::new(Code::Unavailable, "the database cannot be read at the moment")
}
