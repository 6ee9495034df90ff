//! `pihook:daemon`: PiHook's own coming and going. When it comes back, it is told once for how long it was away and what
//! has changed.
//!
//! What was known before is kept under this service's name from the start until it is told, and goes in the transaction
//! of the notice. So a crash in between tells it at the next start, and none tells it twice. A mark says of an end that
//! it was an orderly one; the next start takes it away before anything else happens.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::absence::{Before, Known, Policy, Services, Stop, report};
use pihook_core::{Moment, Outcome, Service, ServiceId, SinkId, Status, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::{outcome, pushed};
use crate::board::Board;
use crate::clock::Clock;
use crate::engine::{Command, EngineHandle};
use crate::shutdown::Shutdown;
use crate::store::{KeptEntries, Store, StoreError, StoreReader};
use crate::words::chain;

/// How long the first checks are waited for.
const FIRST_ROUND: Duration = Duration::from_secs(120);
/// How often to look whether they have ended.
const LOOK: Duration = Duration::from_secs(1);

/// The key of what was known before, until it is told.
const BEFORE: &str = "before";
/// The key of the mark of an orderly end: its wall time in milliseconds.
const STOPPED: &str = "stopped";

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    seen_ms: i64,
    orderly: bool,
    /// Name and status by identity.
    services: BTreeMap<String, (String, Option<String>)>,
}

/// A start that is still to be told, or is known to be worth no word.
pub(in super::super) struct Start {
    before: Option<Before>,
    at: Moment,
}

fn id() -> ServiceId {
    ServiceId::new("pihook:daemon")
}

/// PiHook's process as a service.
pub(super) fn service(sinks: Vec<SinkId>) -> Service {
    pushed(id(), "PiHook".to_owned(), sinks)
}

/// Notes what was known before this start. The list of services in the database must still be that of before.
pub(in super::super) async fn note_start(
    store: &Store,
    database: &Path,
    at: Moment,
) -> Result<Start, StoreError> {
    let kept = store.load_kept().await?.remove(&id()).unwrap_or_default();
    let before = before(&kept, database);
    let entries = before.iter().filter_map(|before| Some((BEFORE.to_owned(), encode(before)?)));
    store.keep(id(), entries.collect()).await?;
    Ok(Start { before, at })
}

/// Notes that PiHook ends since it was asked to.
pub(in super::super) async fn note_stop(store: &Store, at: Timestamp) -> Result<(), StoreError> {
    // What was told of the start may still wait to be written.
    store.flush().await?;
    let mut entries = store.load_kept().await?.remove(&id()).unwrap_or_default();
    entries.insert(STOPPED.to_owned(), at.as_millisecond().to_string().into_bytes());
    store.keep(id(), entries).await
}

/// What was known before; none if nothing was. What an earlier start had still to tell is older, and goes on.
fn before(kept: &KeptEntries, database: &Path) -> Option<Before> {
    let stopped = kept.get(STOPPED).and_then(|mark| std::str::from_utf8(mark).ok()?.parse().ok());
    let stopped = stopped.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let stop = if stopped.is_some() { Stop::Orderly } else { Stop::Abrupt };
    if let Some(untold) = kept.get(BEFORE).and_then(|bytes| decode(bytes)) {
        let orderly = stop == Stop::Orderly && untold.stop == Stop::Orderly;
        return Some(Before { stop: if orderly { Stop::Orderly } else { Stop::Abrupt }, ..untold });
    }
    let rows = StoreReader::open(database).and_then(|reader| reader.services());
    let rows = rows.inspect_err(|error| warn!("what was before is not known: {}", chain(error))).ok()?;
    let newest = rows.iter().filter_map(|row| row.last.as_ref()).map(|last| last.at).max();
    let services = rows
        .into_iter()
        .map(|row| (row.id, Known { name: row.name, status: row.last.map(|last| last.status) }));
    Some(Before { seen: stopped.max(newest)?, stop, services: services.collect() })
}

fn encode(before: &Before) -> Option<Vec<u8>> {
    let Before { seen, stop, services } = before;
    let service = |(id, Known { name, status }): (&ServiceId, &Known)| {
        (id.to_string(), (name.clone(), status.map(|status| status.as_str().to_owned())))
    };
    let kept = Kept {
        seen_ms: seen.as_millisecond(),
        orderly: *stop == Stop::Orderly,
        services: services.iter().map(service).collect(),
    };
    serde_json::to_vec(&kept).ok()
}

/// None if it is of another version, or damaged.
fn decode(bytes: &[u8]) -> Option<Before> {
    let Kept { seen_ms, orderly, services } = serde_json::from_slice(bytes).ok()?;
    let service = |(id, (name, status)): (String, (String, Option<String>))| {
        let status = status.and_then(|status| Status::parse(&status));
        (ServiceId::new(&id), Known { name, status })
    };
    Some(Before {
        seen: Timestamp::from_millisecond(seen_ms).ok()?,
        stop: if orderly { Stop::Orderly } else { Stop::Abrupt },
        services: services.into_iter().map(service).collect(),
    })
}

/// Who tells of the start.
pub(in super::super) struct Teller {
    pub(in super::super) start: Start,
    pub(in super::super) policy: Policy,
    pub(in super::super) engine: EngineHandle,
    pub(in super::super) store: Store,
    pub(in super::super) clock: Arc<dyn Clock>,
    pub(in super::super) board: Board,
}

impl Teller {
    /// Tells once, when every service was checked or has been waited for.
    pub(in super::super) async fn run(self, mut shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.tell() => {}
        }
    }

    async fn tell(&self) {
        let _late = timeout(FIRST_ROUND, self.first_round()).await;
        let now = self.clock.now();
        // The wall clock may have been set since the start, as it is on a machine that boots without one.
        let started = now.wall.checked_sub(now.since(self.start.at.uptime)).unwrap_or(now.wall);
        match report(self.policy, self.start.before.as_ref(), started, &self.services()) {
            Some(text) => {
                info!("{text}");
                let told = Outcome { notice: Some(text.clone()), ..outcome(Status::Up, text, now.wall) };
                self.engine.send(Command::PushKeeping(id(), told, KeptEntries::new())).await;
            }
            None => {
                if let Err(error) = self.store.keep(id(), KeptEntries::new()).await {
                    warn!("the start may be told at the next one: {}", chain(&error));
                }
            }
        }
    }

    async fn first_round(&self) {
        while self.services().values().any(|service| service.status.is_none()) {
            sleep(LOOK).await;
        }
    }

    /// The services with what their checks have found in this run of the process.
    fn services(&self) -> Services {
        let entries = self.board.picture().entries;
        let service = |entry: &Arc<crate::board::Entry>| {
            let checked = Status::ALL.into_iter().any(|status| entry.tally.outcomes(status) > 0);
            let status = entry.status().filter(|_| checked);
            (entry.listed.id.clone(), Known { name: entry.listed.name.to_string(), status })
        };
        entries.iter().map(service).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Before {
        let one = Known { name: "NAS".to_owned(), status: Some(Status::Down) };
        let other = Known { name: "New".to_owned(), status: None };
        Before {
            seen: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
            stop: Stop::Orderly,
            services: [(ServiceId::new("nas"), one), (ServiceId::new("new"), other)].into(),
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        assert_eq!(decode(&encode(&known()).unwrap()), Some(known()));
        assert_eq!(decode(b"{}"), None);
        assert_eq!(decode(b"\xff"), None);
    }

    #[tokio::test]
    async fn a_start_that_was_not_told_is_told_at_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("pihook.db");
        let store = Store::open(&database, Duration::from_secs(1)).unwrap();
        let at = Moment { uptime: Duration::ZERO, wall: Timestamp::from_second(1_800_000_000).unwrap() };
        let start = note_start(&store, &database, at).await.unwrap();
        assert_eq!(start.before, None, "the first of all");

        note_stop(&store, at.wall).await.unwrap();
        let start = note_start(&store, &database, at).await.unwrap();
        let before = Before { seen: at.wall, stop: Stop::Orderly, services: Services::new() };
        assert_eq!(start.before, Some(before.clone()));
        // It crashes before it has told.
        let later = Moment { uptime: Duration::ZERO, wall: Timestamp::from_second(1_800_009_000).unwrap() };
        let start = note_start(&store, &database, later).await.unwrap();
        let abrupt = Before { stop: Stop::Abrupt, ..before };
        assert_eq!(start.before, Some(abrupt.clone()));
        // An orderly end does not make up for that.
        note_stop(&store, later.wall).await.unwrap();
        let start = note_start(&store, &database, later).await.unwrap();
        assert_eq!(start.before, Some(abrupt));
    }
}
