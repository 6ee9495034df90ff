//! `pihook:disk`: whether there is room where the database lives, told while it can still be written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::vigil::Room;
use pihook_core::{Outcome, Service, ServiceId, SinkId, Status, Timestamp};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::{outcome, pushed};
use crate::clock::Clock;
use crate::engine::{Command, EngineHandle};
use crate::shutdown::Shutdown;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(60);

fn id() -> ServiceId {
    ServiceId::new("pihook:disk")
}

/// The disk as a service.
pub(super) fn service(sinks: Vec<SinkId>) -> Service {
    pushed(id(), "PiHook's disk".to_owned(), sinks)
}

/// Looks at the folder's file system until shutdown. While a disk hangs there is no further look.
pub(in super::super) async fn watch(
    folder: PathBuf,
    engine: EngineHandle,
    clock: Arc<dyn Clock>,
    mut shutdown: Shutdown,
) {
    let work = async {
        let mut before = None;
        loop {
            let folder = folder.clone();
            // What cannot be measured is left to those who write there.
            if let Ok(Ok(space)) = spawn_blocking(move || rustix::fs::statvfs(&folder)).await {
                let total = space.f_blocks.saturating_mul(space.f_frsize);
                let free = space.f_bavail.saturating_mul(space.f_frsize);
                let room = Room::judge(before, total, free);
                if before != Some(room) {
                    engine.send(Command::Push(id(), judged(room, total, free, clock.now().wall))).await;
                }
                before = Some(room);
            }
            sleep(PERIOD).await;
        }
    };
    tokio::select! {
        () = shutdown.requested() => {}
        () = work => {}
    }
}

fn judged(room: Room, total: u64, free: u64, at: Timestamp) -> Outcome {
    let free = free >> 20;
    match room {
        Room::Enough => outcome(Status::Up, format!("{free} MiB are free in data_dir"), at),
        Room::Scarce => {
            let least = Room::least(total) >> 20;
            let summary = format!(
                "only {free} MiB are free in data_dir (at least {least} MiB are wanted): \
                 when it is full, nothing can be logged and alerts come late or never"
            );
            outcome(Status::Down, summary, at)
        }
    }
}
