//! One sink's worker.

mod disabled;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pihook_core::plain::plain_message;
use pihook_core::{Backoff, Message, SinkId, Timestamp};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{debug, error, info, warn};

use super::crew::report;
use super::recollection::Recollection;
use super::{Deliverer, Outlet, Standing};
use crate::shutdown::Shutdown;
use crate::sinks::{Form, Late, SendContext, Verdict};
use crate::store::{Delivery, StoreError};

/// How long an attempt in flight may go on after the request to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a formatter may take before the plain wording is used. Formatters have bounds of their own; this one is for
/// a fault in them, which must not silence a sink.
const FORMATTING: Duration = Duration::from_secs(30);

/// After so many panics over one delivery, neither its formatter nor its saved wording is trusted.
const PANICS_UNTIL_PLAIN: u32 = 2;
/// After so many it is given up, lest it hold back all that follow.
const PANICS_UNTIL_DEAD: u32 = 3;

/// One sink's worker.
#[derive(Clone)]
pub(super) struct Worker {
    id: SinkId,
    outlet: Outlet,
    deliverer: Deliverer,
    ask: Arc<Notify>,
    stop: Shutdown,
    /// The delivery at hand, shared by the clones: a panic leaves it behind.
    head: Arc<AtomicI64>,
    panics: Panics,
}

/// How often this worker has panicked over the same delivery, and which.
#[derive(Clone, Copy, Debug, Default)]
struct Panics {
    head: i64,
    count: u32,
}

/// The worker was told to stop.
struct Stopped;

impl Worker {
    /// A worker that ends when `stop` is given.
    pub(super) fn new(
        id: SinkId,
        outlet: Outlet,
        deliverer: Deliverer,
        ask: Arc<Notify>,
        stop: Shutdown,
    ) -> Self {
        Self { id, outlet, deliverer, ask, stop, head: Arc::default(), panics: Panics::default() }
    }

    /// Takes note that a clone of this has panicked.
    pub(super) fn note_panic(&mut self) {
        let head = self.head.load(Ordering::Relaxed);
        let before = if self.panics.head == head { self.panics.count } else { 0 };
        self.panics = Panics { head, count: before.saturating_add(1) };
    }

    /// Delivers until it is told to stop.
    pub(super) async fn run(self) {
        let Err(Stopped) = self.work().await;
        debug!(sink = %self.id, "deliveries stopped");
    }

    async fn work(&self) -> Result<Infallible, Stopped> {
        self.recall().await?;
        // Before the first look into the outbox, so that nothing can slip between looking and waiting.
        let mut added = self.deliverer.store.deliveries_added();
        loop {
            match self.persist(|| self.deliverer.store.next_delivery(&self.id)).await? {
                Some(delivery) => self.deliver(&delivery).await?,
                None => {
                    self.stands(Standing::Works);
                    self.until_stop(async { _ = added.changed().await }).await?;
                }
            }
        }
    }

    /// Stays with one delivery until it has come to an end, or the sink was disabled and works again.
    async fn deliver(&self, delivery: &Delivery) -> Result<(), Stopped> {
        self.head.store(delivery.id, Ordering::Relaxed);
        let panics = if self.panics.head == delivery.id { self.panics.count } else { 0 };
        if panics >= PANICS_UNTIL_DEAD {
            return self.dead(delivery, "PiHook fails over this alert; its log says more").await;
        }
        let (mut message, mut form) = if panics >= PANICS_UNTIL_PLAIN {
            (plain_message(&delivery.alert), Form::Plain)
        } else {
            (self.wording(delivery).await?, Form::Rich)
        };
        let mut attempts = delivery.attempts;
        loop {
            match self.attempt(delivery, &message, form).await? {
                Verdict::Sent => return self.sent(delivery).await,
                Verdict::Wait(wait) => {
                    info!(sink = %self.id, delivery = delivery.id, "the sink asks to wait {wait:?}");
                    self.pause(wait).await?;
                }
                Verdict::Retry(why) => {
                    attempts = attempts.saturating_add(1);
                    let delay = Backoff::DELIVERY.delay(attempts, seed(delivery));
                    self.failed(delivery, &why, delay).await;
                    self.pause(delay).await?;
                }
                Verdict::Refused(why) if form == Form::Rich => {
                    warn!(sink = %self.id, delivery = delivery.id, "the message is refused, plain words follow: {why}");
                    message = plain_message(&delivery.alert);
                    form = Form::Plain;
                }
                Verdict::Refused(why) => return self.dead(delivery, &why).await,
                Verdict::Disabled(why) => return self.disabled(&why).await,
            }
        }
    }

    /// The delivery's message: as it was saved, or else worded and saved now.
    async fn wording(&self, delivery: &Delivery) -> Result<Message, Stopped> {
        if let Some(message) = &delivery.message {
            return Ok(message.clone());
        }
        let (outlet, alert) = (&self.outlet, &delivery.alert);
        let formatting = self.deliverer.formatter.format(&outlet.formatter, alert, outlet.sink.kind());
        let message = self.until_stop(timeout(FORMATTING, formatting)).await?.unwrap_or_else(|_elapsed| {
            error!(
                formatter = outlet.formatter,
                "the formatter does not end, so the built-in wording is used"
            );
            plain_message(alert)
        });
        if let Err(error) = self.deliverer.store.save_message(delivery.id, &message).await {
            // Being told matters more than being told the same after a restart.
            report("a message is not saved, and sent all the same", &error);
        }
        Ok(message)
    }

    /// Sends once. None begins after the request to stop; one in flight then has the time of grace.
    async fn attempt(&self, delivery: &Delivery, message: &Message, form: Form) -> Result<Verdict, Stopped> {
        if self.stop.is_requested() {
            return Err(Stopped);
        }
        let (alert, now) = (&delivery.alert, self.now());
        let decided = alert.at.to_zoned(self.deliverer.zone.clone());
        let late = Late::of(decided, now);
        let context = SendContext {
            alert,
            also: &[],
            late: late.as_ref(),
            form,
            now,
            delivery: delivery.id,
            memory: &Recollection { store: &self.deliverer.store, sink: &self.id },
        };
        let mut sending = self.outlet.sink.send(message, &context);
        if let Ok(verdict) = self.until_stop(&mut sending).await {
            return Ok(verdict);
        }
        timeout(GRACE, sending).await.map_err(|_elapsed| Stopped)
    }

    async fn sent(&self, delivery: &Delivery) -> Result<(), Stopped> {
        let now = self.now();
        info!(sink = %self.id, delivery = delivery.id, incident = %delivery.alert.incident, "alert delivered");
        self.stands(Standing::Works);
        self.persist(|| self.deliverer.store.delivery_sent(delivery.id, now)).await
    }

    async fn failed(&self, delivery: &Delivery, why: &str, delay: Duration) {
        warn!(sink = %self.id, delivery = delivery.id, "the alert is not delivered yet, next attempt in {delay:.1?}: {why}");
        let next = self.now().checked_add(delay).unwrap_or(Timestamp::MAX);
        if let Err(error) = self.deliverer.store.delivery_failed(delivery.id, why, next).await {
            report("a failed attempt is not noted", &error);
        }
    }

    async fn dead(&self, delivery: &Delivery, why: &str) -> Result<(), Stopped> {
        let now = self.now();
        error!(sink = %self.id, delivery = delivery.id, "the alert is given up: {why}");
        self.persist(|| self.deliverer.store.delivery_dead(delivery.id, why, now)).await
    }

    /// Says how the sink is doing, if that is news. A sink that was enabled again only works once it has taken
    /// something, or there is nothing to take.
    fn stands(&self, standing: Standing) {
        self.deliverer.standings.send_if_modified(|standings| {
            let news = standings.get(&self.id) != Some(&standing);
            if news {
                standings.insert(self.id.clone(), standing);
            }
            news
        });
    }

    /// Asks the database until it obeys. After the request to stop it is asked just once.
    async fn persist<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Stopped>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        for failures in 1.. {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => report("deliveries wait for the database", &error),
            }
            self.pause(Backoff::DELIVERY.delay(failures, 0)).await?;
        }
        Err(Stopped)
    }

    async fn pause(&self, duration: Duration) -> Result<(), Stopped> {
        self.until_stop(sleep(duration)).await
    }

    /// Waits for `event`, but not beyond the request to stop.
    async fn until_stop<T>(&self, event: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = stop.requested() => Err(Stopped),
            event = event => Ok(event),
        }
    }

    fn now(&self) -> Timestamp {
        self.deliverer.clock.now().wall
    }
}

/// Makes deliveries drift apart.
fn seed(delivery: &Delivery) -> u64 {
    delivery.id.unsigned_abs()
}
