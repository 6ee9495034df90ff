//! What only the database knows.

use std::sync::Arc;
use std::time::Duration;

use pihook_core::{SinkId, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::warn;

use super::Shared;
use crate::store::{DeliveryState, StoreError, StoreReader, UndeliveredRow};

/// How long it is good enough to know what waits.
const FRESH: Duration = Duration::from_secs(5);
/// An alert that is younger is on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(30);
/// For so long it is shown that an alert was given up.
const SHOWN: Duration = Duration::from_secs(7 * 86_400);

/// Alerts that have not reached a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) sink: SinkId,
    /// Those that are tried again.
    pub(super) pending: usize,
    /// Those that are not.
    pub(super) given_up: usize,
    /// When the oldest of them was decided.
    pub(super) oldest: Timestamp,
    /// Why the newest failed.
    pub(super) error: Option<String>,
}

/// What waited when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Option<(Instant, Arc<[Waiting]>)>>);

/// Asks the database on a thread that may wait for the disk.
pub(super) async fn ask<T: Send + 'static>(
    dashboard: &Shared,
    question: impl FnOnce(&StoreReader) -> Result<T, StoreError> + Send + 'static,
) -> Option<T> {
    let path = dashboard.database.clone();
    let asked = tokio::task::spawn_blocking(move || question(&StoreReader::open(&path)?)).await;
    match asked {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            warn!("the dashboard cannot read the database: {}", crate::words::chain(&error));
            None
        }
        Err(fault) => {
            warn!("the dashboard failed over the database: {fault}");
            None
        }
    }
}

/// How many alerts wait for each sink that has any; nothing if the database cannot be read.
pub(super) async fn pending(dashboard: &Shared) -> Vec<(SinkId, u64)> {
    ask(dashboard, StoreReader::pending_by_sink).await.unwrap_or_default()
}

/// What waits for each sink, as it was at most five seconds ago.
pub(super) async fn waiting(dashboard: &Shared) -> Arc<[Waiting]> {
    let mut known = dashboard.rendered.outbox.0.lock().await;
    if let Some((_, waiting)) = known.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
        return waiting.clone();
    }
    let rows = ask(dashboard, StoreReader::undelivered).await.unwrap_or_default();
    let waiting: Arc<[Waiting]> = by_sink(&rows, dashboard.clock.now().wall).into();
    *known = Some((Instant::now(), waiting.clone()));
    waiting
}

/// The rows by sink, the oldest sink first. What is on its way and what was given up long ago is left out.
fn by_sink(rows: &[UndeliveredRow], now: Timestamp) -> Vec<Waiting> {
    let mut all: Vec<Waiting> = Vec::new();
    let age = |row: &UndeliveredRow| Duration::try_from(now.duration_since(row.created)).unwrap_or_default();
    for row in rows {
        let counts = match row.state {
            DeliveryState::Pending if row.attempts == 0 && age(row) < ON_ITS_WAY => continue,
            DeliveryState::Dead if age(row) > SHOWN => continue,
            DeliveryState::Pending => (1, 0),
            DeliveryState::Dead => (0, 1),
        };
        let found = all.iter().position(|waiting| waiting.sink == row.sink);
        let index = found.unwrap_or_else(|| {
            let (sink, oldest) = (row.sink.clone(), row.created);
            all.push(Waiting { sink, pending: 0, given_up: 0, oldest, error: None });
            all.len() - 1
        });
        let Some(waiting) = all.get_mut(index) else { continue };
        waiting.pending += counts.0;
        waiting.given_up += counts.1;
        waiting.error = row.last_error.clone().or(waiting.error.take());
    }
    all
}

#[cfg(test)]
mod tests {
    use pihook_core::AlertKind;

    use super::*;

    #[test]
    fn what_waits_is_told_by_sink() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let row = |sink: &str, age: i64, attempts, state, error: Option<&str>| UndeliveredRow {
            id: 1,
            sink: SinkId::new(sink),
            service: "NAS".to_owned(),
            kind: AlertKind::Opened,
            created: now - jiff::SignedDuration::from_secs(age),
            attempts,
            next_attempt: None,
            last_error: error.map(str::to_owned),
            state,
        };
        let (pending, dead) = (DeliveryState::Pending, DeliveryState::Dead);
        let waiting = by_sink(
            &[
                row("old", 30 * 86_400, 9, dead, Some("long ago")),
                row("discord", 86_400, 9, dead, Some("gone")),
                row("discord", 60, 2, pending, Some("refused")),
                row("discord", 40, 0, pending, None),
                row("phone", 5, 0, pending, None),
                row("mail", 5, 1, pending, Some("timeout")),
            ],
            now,
        );
        let told: Vec<_> = waiting
            .iter()
            .map(|it| (it.sink.as_str(), it.pending, it.given_up, it.error.as_deref()))
            .collect();
        assert_eq!(told, [("discord", 2, 1, Some("refused")), ("mail", 1, 0, Some("timeout"))]);
    }
}
