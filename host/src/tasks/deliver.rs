//! From the outbox to the sinks: each delivery at least once, and a sink's deliveries in order.
//!
//! Every sink has one worker. It takes the sink's oldest pending delivery, or in a storm all that are pending, as one batch
//! ([`pihook_core::dispatch`] decides which), and stays with it until it is sent, given up, told by the sink's fallback, or
//! the sink is found dead; so nothing overtakes, and one slow provider delays no other. A batch is worded when its turn
//! comes, and it is saved with its wording before the first attempt, so that all attempts say the same of the same. It is
//! marked as sent as a whole right after the provider's answer: a crash in between doubles that one message, and none is
//! ever lost. Only quiet hours change the order: what is critical does not wait behind what they hold.
//!
//! Nothing polls: workers are woken by the store when a transaction has added deliveries. Waiting uses tokio's clock;
//! the wall clock serves only to tell that a message is late.

mod batch;
mod crew;
mod recollection;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::tz::TimeZone;
use pihook_core::dispatch::Policy;
use pihook_core::plain::plain_message;
use pihook_core::{Alert, Message, SinkId};
use tokio::sync::watch;
use tracing::warn;

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::sinks::{Form, SendContext, Sink, Verdict};
use crate::store::Store;
use crew::Crew;

/// Words alerts.
pub trait Formatter: Send + Sync {
    /// The message that the formatter with this id makes of the alert for a sink of this kind. On any fault it is the
    /// built-in plain wording.
    fn format<'a>(&'a self, formatter: &'a str, alert: &'a Alert, sink_kind: &'a str) -> Formatting<'a>;

    /// The one message that it makes of several alerts, oldest first: at least two of them. On any fault, or if it only
    /// words single alerts, it is the built-in plain digest.
    fn digest<'a>(&'a self, formatter: &'a str, alerts: &'a [Alert], sink_kind: &'a str) -> Formatting<'a>;
}

/// What [`Formatter::format`] returns.
pub type Formatting<'a> = Pin<Box<dyn Future<Output = Message> + Send + 'a>>;

/// A configured sink.
#[derive(Clone)]
pub struct Outlet {
    /// Where messages go.
    pub sink: Arc<dyn Sink>,
    /// The id of the formatter that words them.
    pub formatter: String,
    /// The id of the formatter that makes one message of many.
    pub digest_formatter: String,
    /// How often and when it wants to be told, and who is told instead.
    pub policy: Policy,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet")
            .field("kind", &self.sink.kind())
            .field("formatter", &self.formatter)
            .finish_non_exhaustive()
    }
}

impl Outlet {
    /// Whether both have the same settings.
    fn is_same(&self, other: &Outlet) -> bool {
        self.formatter == other.formatter
            && self.digest_formatter == other.digest_formatter
            && self.policy == other.policy
            && self.sink.fingerprint() == other.sink.fingerprint()
    }
}

/// All configured sinks.
pub type SinkSet = BTreeMap<SinkId, Outlet>;

/// Whether a sink is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, or will be when there is something to deliver.
    Works,
    /// It refuses everything, for this reason; its deliveries wait.
    Disabled(String),
}

/// How each sink is doing that has had a chance to say so.
pub type Standings = BTreeMap<SinkId, Standing>;

/// What delivering takes besides the sinks. Cloning is cheap.
#[derive(Clone)]
pub struct Deliverer {
    /// Has the outbox.
    pub store: Store,
    /// Words alerts.
    pub formatter: Arc<dyn Formatter>,
    /// Tells what is late.
    pub clock: Arc<dyn Clock>,
    /// For the time of day in messages.
    pub zone: TimeZone,
    /// Where it is said how the sinks are doing.
    pub standings: watch::Sender<Standings>,
}

impl Deliverer {
    /// Delivers until shutdown, always to the newest set of sinks.
    ///
    /// Once shutdown is requested no attempt begins, and one in flight has five seconds to end. A sink that is gone
    /// from the set has its deliveries given up. A disabled one is used again if its settings have changed, or if it
    /// says that it works, which it is asked at the start, with every new set, and every six hours.
    pub async fn run(self, mut sinks: watch::Receiver<Arc<SinkSet>>, mut shutdown: Shutdown) {
        let mut added = self.store.deliveries_added();
        let mut crew = Crew::new(self);
        loop {
            let set = Arc::clone(&sinks.borrow_and_update());
            crew.follow(&set).await;
            loop {
                tokio::select! {
                    biased;
                    () = shutdown.requested() => return crew.dismiss().await,
                    () = crew.give_up_orphans(&sinks) => {}
                }
                tokio::select! {
                    biased;
                    () = shutdown.requested() => return crew.dismiss().await,
                    Ok(()) = sinks.changed() => break,
                    Ok(()) = added.changed() => {}
                }
            }
        }
    }
}

/// Sends one message to one sink at once, past the outbox; in plain words if the sink refuses the message.
pub async fn send_now(sink: &dyn Sink, message: &Message, alert: &Alert) -> Verdict {
    let context = SendContext::of(alert);
    let verdict = sink.send(message, &context).await;
    let Verdict::Refused(why) = verdict else { return verdict };
    warn!("the message was refused, so the built-in wording is sent: {why}");
    sink.send(&plain_message(alert), &SendContext { form: Form::Plain, ..context }).await
}

#[cfg(test)]
mod tests;
