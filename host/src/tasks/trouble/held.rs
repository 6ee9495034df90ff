//! Tells alerts from memory while the database cannot be written.
//!
//! An alert is on disk before it is sent, as long as it can be. When it cannot for a while, being told late or never is
//! worse than being told twice: each held alert goes out from memory in plain words, once, and the store notes that when
//! it can.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::plain::plain_message;
use pihook_core::{Alert, Backoff, Message, SinkId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::sinks::{Sink, Verdict};
use crate::store::{Ended, Store, Turn};
use crate::tasks::deliver::{SinkSet, send_now};

/// How long the database may be in trouble before alerts go out from memory.
const GRACE: Duration = Duration::from_secs(30);

/// How often to look whether more is held, in trouble only.
const LOOK: Duration = Duration::from_secs(1);

/// Tells what the database cannot take.
pub struct HeldTeller {
    /// Has what is held.
    pub store: Store,
    /// Who is told.
    pub sinks: watch::Receiver<Arc<SinkSet>>,
    /// For when it was told.
    pub clock: Arc<dyn Clock>,
}

/// What became of a sink's turn.
enum Outcome {
    /// Nothing is left, or the database can be written again.
    Done,
    /// The sink refuses everything.
    Disabled(SinkId),
}

impl HeldTeller {
    /// Tells until shutdown.
    pub async fn run(self, mut shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.requested() => {}
            // Without a store there is nothing to tell.
            _gone = self.work() => {}
        }
    }

    async fn work(&self) -> Result<(), watch::error::RecvError> {
        let mut trouble = self.store.trouble();
        loop {
            trouble.wait_for(Option::is_some).await?;
            tokio::select! {
                biased;
                over = trouble.wait_for(Option::is_none) => { over?; continue }
                () = sleep(GRACE) => {}
            }
            self.tell_all(&mut trouble).await?;
        }
    }

    /// Tells until the trouble is over. What is being sent then is sent to its end.
    async fn tell_all(
        &self,
        trouble: &mut watch::Receiver<Option<String>>,
    ) -> Result<(), watch::error::RecvError> {
        let mut telling = JoinSet::new();
        let mut disabled = BTreeSet::new();
        loop {
            for (sink, outlet) in self.sinks.borrow().iter().filter(|(sink, _)| !disabled.contains(*sink)) {
                if let Some(turn) = self.store.turn_to_tell(sink) {
                    let (trouble, clock) = (trouble.clone(), self.clock.clone());
                    telling.spawn(tell(turn, sink.clone(), outlet.sink.clone(), trouble, clock));
                }
            }
            tokio::select! {
                biased;
                over = trouble.wait_for(Option::is_none) => { over?; break }
                Some(Ok(Outcome::Disabled(sink))) = telling.join_next() => { disabled.insert(sink); }
                () = sleep(LOOK) => {}
            }
        }
        while telling.join_next().await.is_some() {}
        Ok(())
    }
}

/// Tells one sink all that is held for it.
async fn tell(
    turn: Turn,
    id: SinkId,
    sink: Arc<dyn Sink>,
    mut trouble: watch::Receiver<Option<String>>,
    clock: Arc<dyn Clock>,
) -> Outcome {
    let mut failures = 0;
    while let Some(alert) = turn.next() {
        let pause = match send_now(sink.as_ref(), &from_memory(&alert), &alert).await {
            Verdict::Sent => {
                info!(sink = %id, incident = %alert.incident, "an alert that cannot be written was told from memory");
                turn.ended(alert, Ended::Sent, clock.now().wall);
                failures = 0;
                continue;
            }
            Verdict::Refused(why) => {
                warn!(sink = %id, "an alert that cannot be written is refused and given up: {why}");
                turn.ended(alert, Ended::Dead(why), clock.now().wall);
                continue;
            }
            Verdict::Disabled(why) => {
                warn!(sink = %id, "the sink was not told what cannot be written: {why}");
                return Outcome::Disabled(id);
            }
            Verdict::Wait(wait) => wait,
            Verdict::Retry(_why) => {
                failures += 1;
                Backoff::DELIVERY.delay(failures, 0)
            }
        };
        tokio::select! {
            biased;
            // Then it is the outbox's, which waits for this.
            _over = trouble.wait_for(Option::is_none) => return Outcome::Done,
            () = sleep(pause) => {}
        }
    }
    Outcome::Done
}

/// The alert in plain words that do not hide how it came.
fn from_memory(alert: &Alert) -> Message {
    let mut message = plain_message(alert);
    message.body.push_str("\nTold from memory: PiHook cannot write its database.");
    message
}

#[cfg(test)]
mod tests;
