//! `pihook:clock`: the wall clock has jumped. That is news and no outage: checks keep their intervals, and only the
//! times in history are off.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pihook_core::vigil::ClockWatch;
use pihook_core::{Outcome, Service, ServiceId, SinkId, Status, Timestamp};
use tokio::time::sleep;

use super::{outcome, pushed};
use crate::clock::Clock;
use crate::engine::{Command, EngineHandle};
use crate::shutdown::Shutdown;

/// How often to look.
const PERIOD: Duration = Duration::from_secs(10);

fn id() -> ServiceId {
    ServiceId::new("pihook:clock")
}

/// The clock as a service.
pub(super) fn service(sinks: Vec<SinkId>) -> Service {
    pushed(id(), "PiHook's clock".to_owned(), sinks)
}

/// Looks at the clocks until shutdown.
pub(in super::super) async fn watch(engine: EngineHandle, clock: Arc<dyn Clock>, mut shutdown: Shutdown) {
    let work = async {
        let mut clocks = ClockWatch::new(clock.now());
        loop {
            sleep(PERIOD).await;
            let now = clock.now();
            if let Some(jump) = clocks.look(now) {
                engine.send(Command::Push(id(), jumped(jump, now.wall))).await;
            }
        }
    };
    tokio::select! {
        () = shutdown.requested() => {}
        () = work => {}
    }
}

fn jumped(jump: SignedDuration, at: Timestamp) -> Outcome {
    let way = if jump.is_negative() { "back" } else { "forward" };
    let text = format!(
        "the clock was set {way} by {:#}, or the machine slept; times in history before now are off by that",
        SignedDuration::from_secs(jump.abs().as_secs())
    );
    Outcome { notice: Some(text.clone()), ..outcome(Status::Up, text, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_as_news_with_its_way() {
        let told = jumped(SignedDuration::from_secs(-7200), Timestamp::UNIX_EPOCH);
        assert_eq!(told.status, Status::Up);
        assert!(told.notice.is_some_and(|text| text.starts_with("the clock was set back by 2h")));
    }
}
