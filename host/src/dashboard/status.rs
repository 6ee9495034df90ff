//! `/`: the status page, made at most once a second however many ask for it.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::error;

use super::page::{self, Filter};
use super::{Shared, desk, packed, warnings};

const HTML: &str = "text/html; charset=utf-8";
/// How long a page is good enough for the next who asks.
const FRESH: Duration = Duration::from_secs(1);

/// The unfiltered page as it was last made. Whoever wants another waits for it, so that one is made at a time.
#[derive(Debug, Default)]
pub struct Rendered(Mutex<Option<(Instant, String)>>);

/// What the address asks for; anything else in it is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
    zone: String,
    status: String,
}

pub(super) async fn status_page(
    State(dashboard): State<Shared>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Wanted { q, zone, status } = wanted;
    let filter = Filter { text: q, zone, status };
    match made(dashboard, filter).await {
        Some(page) => packed::answer(&headers, HTML, page),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn made(dashboard: Shared, filter: Filter) -> Option<String> {
    let mut rendered = dashboard.rendered.0.lock().await;
    let whole = filter == Filter::default();
    if let Some((_, page)) = rendered.as_ref().filter(|(at, _)| whole && at.elapsed() < FRESH) {
        return Some(page.clone());
    }
    let picture = dashboard.board.picture();
    let (warnings, now) = (warnings(&dashboard), dashboard.clock.now().wall);
    let forms = desk::forms(&dashboard);
    let page =
        tokio::task::spawn_blocking(move || page::render(&picture, &filter, warnings, forms, now)).await;
    match page {
        Ok(Ok(page)) => {
            if whole {
                *rendered = Some((Instant::now(), page.clone()));
            }
            Some(page)
        }
        Ok(Err(error)) => {
            error!("the status page cannot be made: {error}");
            None
        }
        Err(fault) => {
            error!("the status page cannot be made: {fault}");
            None
        }
    }
}
