//! `/`: the status page, made at most once a second however many ask for it.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::error;

use super::daily::Daily;
use super::page::{self, Filter};
use super::stock::Outbox;
use super::{Shared, beside, desk, packed};

pub(super) const HTML: &str = "text/html; charset=utf-8";
/// How long a page is good enough for the next who asks.
const FRESH: Duration = Duration::from_secs(1);

/// What is kept between requests: the unfiltered page as it was last made, and what pages are made from beside the board.
/// Whoever wants another page waits for it, so that one is made at a time.
#[derive(Debug)]
pub struct Rendered {
    whole: Mutex<Option<(Instant, String)>>,
    /// For pages that are made from the history.
    places: Semaphore,
    pub(super) daily: Daily,
    pub(super) outbox: Outbox,
}

/// Pages that are made from the history at once.
const AT_ONCE: usize = 2;

impl Default for Rendered {
    fn default() -> Self {
        Self {
            whole: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
            daily: Daily::default(),
            outbox: Outbox::default(),
        }
    }
}

impl Rendered {
    /// Waits until a page may be made from the history.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // Nobody closes this semaphore.
        self.places.acquire().await.ok()
    }
}

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
    let mut rendered = dashboard.rendered.whole.lock().await;
    let whole = filter == Filter::default();
    if let Some((_, page)) = rendered.as_ref().filter(|(at, _)| whole && at.elapsed() < FRESH) {
        return Some(page.clone());
    }
    let picture = dashboard.board.picture();
    let (beside, now) = (beside(&dashboard).await, dashboard.clock.now().wall);
    let forms = desk::forms(&dashboard);
    let page =
        tokio::task::spawn_blocking(move || page::render(&picture, &filter, &beside, forms, now)).await;
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
