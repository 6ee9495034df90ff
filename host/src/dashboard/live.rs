//! `/events`: what changes on the status page, as server-sent events.
//!
//! One task looks at the board at most once a second, and only while somebody listens. It makes each changed row once for
//! all listeners; who is too slow for that is told to load the page anew.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use pihook_core::Timestamp;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::sleep;
use tracing::error;

use super::{Dashboard, Shared, beside, page};
use crate::board::{Entry, Picture};
use crate::words;

/// The shortest time between two pieces of news.
const PACE: Duration = Duration::from_secs(1);
/// News that a slow listener may be behind.
const BEHIND: usize = 16;
/// Listeners at once; more are told to come back later.
const LISTENERS: usize = 200;
/// How often a listener hears something, so that both sides know that the other is there. Shorter than the patience of the
/// door, which cuts a connection that takes nothing in.
const SIGN: Duration = Duration::from_secs(5);

/// What a listener is told.
#[derive(Clone, Debug)]
enum News {
    /// Rows and the head, as JSON.
    Changed(Arc<str>),
    /// Services came or went.
    Anew,
}

/// Where the news come from.
#[derive(Debug)]
pub struct Channel {
    sender: broadcast::Sender<News>,
    places: Arc<Semaphore>,
}

/// What goes over the wire.
#[derive(Serialize)]
struct Changed {
    now: String,
    now_utc: String,
    /// None if it is as it was.
    head: Option<String>,
    rows: Vec<String>,
}

impl Channel {
    /// One that nobody listens to yet.
    #[must_use]
    pub fn new() -> Self {
        Self { sender: broadcast::Sender::new(BEHIND), places: Arc::new(Semaphore::new(LISTENERS)) }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::new()
    }
}

/// Listens for as long as the client does.
pub(super) async fn events(State(dashboard): State<Shared>) -> Response {
    let Ok(place) = dashboard.channel.places.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many listen already\n").into_response();
    };
    let listener = Listener { news: dashboard.channel.sender.subscribe(), _place: place };
    let events = stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN)).into_response()
}

struct Listener {
    news: broadcast::Receiver<News>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        match self.news.recv().await {
            Ok(News::Changed(json)) => Some(Event::default().event("news").data(&*json)),
            Ok(News::Anew) | Err(broadcast::error::RecvError::Lagged(_)) => {
                Some(Event::default().event("anew").data(""))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Tells the listeners what changes, until it is dropped.
pub(super) async fn tell(dashboard: Arc<Dashboard>) {
    let mut changes = dashboard.board.changes();
    let mut shown = Shown::of(&dashboard);
    while changes.changed().await.is_ok() {
        if dashboard.channel.sender.receiver_count() > 0 {
            match shown.follow(&dashboard).await {
                Ok(news) => _ = news.map(|news| dashboard.channel.sender.send(news)),
                Err(error) => error!("a part of the page cannot be made: {error}"),
            }
        }
        sleep(PACE).await;
    }
}

/// What the listeners have seen.
struct Shown {
    picture: Picture,
    head: String,
}

impl Shown {
    fn of(dashboard: &Dashboard) -> Self {
        Self { picture: dashboard.board.picture(), head: String::new() }
    }

    async fn follow(&mut self, dashboard: &Shared) -> askama::Result<Option<News>> {
        let picture = dashboard.board.picture();
        let (beside, now) = (beside(dashboard).await, dashboard.clock.now().wall);
        let before = std::mem::replace(&mut self.picture, picture);
        if !same_services(&before, &self.picture) {
            return Ok(Some(News::Anew));
        }
        let changed =
            before.entries.iter().zip(&self.picture.entries).filter(|(old, new)| !Arc::ptr_eq(old, new));
        let rows =
            changed.map(|(_, new)| page::row(new, &beside.days, now)).collect::<Result<Vec<_>, _>>()?;
        let head = page::head(&self.picture, &beside, now)?;
        let head = (head != self.head).then(|| self.head.clone_from(&head)).map(|()| head);
        if rows.is_empty() && head.is_none() {
            return Ok(None);
        }
        Ok(serde_json::to_string(&Changed::at(now, head, rows)).ok().map(|json| News::Changed(json.into())))
    }
}

impl Changed {
    fn at(now: Timestamp, head: Option<String>, rows: Vec<String>) -> Self {
        Self { now: words::local(now, "%Y-%m-%d %H:%M:%S"), now_utc: now.to_string(), head, rows }
    }
}

fn same_services(one: &Picture, other: &Picture) -> bool {
    let listed = |entry: &Arc<Entry>| entry.listed.clone();
    one.entries.len() == other.entries.len()
        && one.entries.iter().zip(&other.entries).all(|(a, b)| Arc::ptr_eq(a, b) || listed(a) == listed(b))
}

#[cfg(test)]
mod tests;
