//! `/services/{id}`: all that is known of one service. Made from the board and the history at each request, two at a time.

mod columns;
mod incidents;
mod range;
mod uptime;
mod view;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use pihook_core::{Summary, Timestamp};
use serde::Deserialize;
use tracing::error;

use super::{Shared, packed, status, stock};
use crate::board::Entry;
use crate::store::{LastCheck, StoreError, StoreReader, Story};

use columns::RAW;

use range::Range;
pub(super) use uptime::percent;

/// Checks that are listed.
const CHECKS: usize = 50;
/// Incidents that are listed.
const INCIDENTS: usize = 20;
/// How far back checks are looked for, in hours.
const BACK: i64 = 31 * 24;

/// What the address asks for; anything else in it is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    range: String,
}

/// What the page is made from.
struct Portrait<'a> {
    entry: &'a Entry,
    range: Range,
    now: Timestamp,
    zone: TimeZone,
    /// None if it cannot be read.
    history: Option<History>,
}

/// What history knows of a service.
#[derive(Default)]
struct History {
    /// The newest checks, newest first.
    checks: Vec<LastCheck>,
    /// All checks of the last hour, newest first, if that is what is plotted.
    hour: Vec<LastCheck>,
    /// The edges of the spans that are plotted, and what each came to.
    edges: Vec<Timestamp>,
    spans: Vec<Summary>,
    /// The spans of the table, from the longest on, and the incidents that began in each of them.
    uptime: Vec<(Summary, u64)>,
    incidents: Vec<Story>,
}

pub(super) async fn service_page(
    State(dashboard): State<Shared>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Some(entry) = dashboard.board.picture().entry(&id).cloned() else {
        return (StatusCode::NOT_FOUND, "There is no such service.\n").into_response();
    };
    let range = Range::parse(&wanted.range).unwrap_or(Range::Day);
    let now = dashboard.clock.now().wall;
    let _place = dashboard.rendered.place().await;
    let (reading, known) = (range, entry.clone());
    let page = stock::ask(&dashboard, move |reader| {
        let history = History::read(reader, &known, reading, now)?;
        Ok(render(&known, reading, now, Some(history)))
    });
    let page = match page.await {
        Some(page) => page,
        None => render(&entry, range, now, None),
    };
    match page {
        Ok(page) => packed::answer(&headers, status::HTML, page),
        Err(error) => {
            error!("the page of {id} cannot be made: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn render(
    entry: &Arc<Entry>,
    range: Range,
    now: Timestamp,
    history: Option<History>,
) -> askama::Result<String> {
    view::render(&Portrait { entry, range, now, zone: TimeZone::system(), history })
}

impl History {
    fn read(reader: &StoreReader, entry: &Entry, range: Range, now: Timestamp) -> Result<Self, StoreError> {
        let id = &entry.listed.id;
        let back = |hours: i64| range::before(now, hours.saturating_mul(range::HOUR_MS));
        let mut history = Self {
            checks: reader.checks_of(id, (back(BACK), now), CHECKS)?,
            incidents: reader.incidents_of(id, INCIDENTS)?,
            ..Self::default()
        };
        if range == Range::Hour {
            history.hour = reader.checks_of(id, (back(1), now), RAW)?;
        } else {
            history.edges = range.edges(now, entry.listed.interval);
            let series = reader.series(&history.edges, Some(id))?;
            history.spans = series.into_iter().next().map(|series| series.spans).unwrap_or_default();
        }
        let table = reader.series(&uptime::edges(now), Some(id))?;
        history.uptime = table
            .into_iter()
            .next()
            .map(|series| series.spans.into_iter().zip(series.incidents).collect())
            .unwrap_or_default();
        Ok(history)
    }
}

#[cfg(test)]
mod tests;
