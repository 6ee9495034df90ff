//! `pihook:schedule`: whether checks start when they are to. A machine that has too much to do, or very many checks that
//! wait for slow answers, makes what PiHook knows older than it looks.

use std::sync::Arc;
use std::time::Duration;

use pihook_core::punctuality::{Pace, Punctuality};
use pihook_core::{Outcome, Service, ServiceId, SinkId, Status, Timestamp};
use tokio::time::sleep;

use super::{outcome, pushed};
use crate::clock::Clock;
use crate::engine::{Command, EngineHandle, Lateness};
use crate::shutdown::Shutdown;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(10);

fn id() -> ServiceId {
    ServiceId::new("pihook:schedule")
}

/// The schedule as a service.
pub(super) fn service(sinks: Vec<SinkId>) -> Service {
    pushed(id(), "PiHook's schedule".to_owned(), sinks)
}

/// Looks at how late checks start until shutdown. Its own news are pushed and not scheduled, so they cannot be late
/// themselves.
pub(in super::super) async fn watch(
    lateness: Lateness,
    engine: EngineHandle,
    clock: Arc<dyn Clock>,
    mut shutdown: Shutdown,
) {
    let work = async {
        let mut punctuality = Punctuality::new(clock.now().uptime);
        loop {
            sleep(PERIOD).await;
            let now = clock.now();
            if let Some(pace) = punctuality.look(lateness.take(), now.uptime) {
                engine.send(Command::Push(id(), judged(pace, now.wall))).await;
            }
        }
    };
    tokio::select! {
        () = shutdown.requested() => {}
        () = work => {}
    }
}

fn judged(pace: Pace, at: Timestamp) -> Outcome {
    match pace {
        Pace::InTime => outcome(Status::Up, "checks start in time".to_owned(), at),
        Pace::Late(by) => {
            let summary = format!(
                "checks have been starting up to {} s late for a minute: the machine has too much to do, or too many \
                 checks wait for slow answers. Longer intervals or shorter timeouts help",
                by.as_secs()
            );
            outcome(Status::Down, summary, at)
        }
    }
}

#[cfg(test)]
mod tests;
