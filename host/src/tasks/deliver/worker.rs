//! One sink's worker.

mod disabled;
mod patience;
mod plan;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use pihook_core::dispatch::Rhythm;
use pihook_core::{Backoff, Message, SinkId, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, error, info, warn};

use super::batch::Batch;
use super::crew::report;
use super::recollection::Recollection;
use super::{Deliverer, Outlet, Standing};
use crate::shutdown::Shutdown;
use crate::sinks::{Form, Late, SendContext, Verdict};
use crate::store::StoreError;
use patience::Still;
use plan::Next;

/// How long an attempt in flight may go on after the request to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a formatter may take before the plain wording is used. Formatters have bounds of their own; this one is for
/// a fault in them, which must not silence a sink.
const FORMATTING: Duration = Duration::from_secs(30);

/// After so many panics over one batch, neither its formatter nor its saved wording is trusted.
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
    /// What the worker counts its time from.
    born: Instant,
    /// The batch at hand, shared by the clones: a panic leaves it behind.
    head: Arc<AtomicI64>,
    panics: Panics,
}

/// How it goes with the sink since the worker began.
struct Going {
    rhythm: Rhythm,
    /// Since when it has taken nothing; none if it took the last thing it was given.
    failing_since: Option<Instant>,
}

/// How often this worker has panicked over the same batch, and which.
#[derive(Clone, Copy, Debug, Default)]
struct Panics {
    head: i64,
    count: u32,
}

impl Panics {
    /// Whether formatters and what they have worded are trusted.
    fn is_trusted(self) -> bool {
        self.count < PANICS_UNTIL_PLAIN
    }
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
        let (head, panics) = (Arc::default(), Panics::default());
        Self { id, outlet, deliverer, ask, stop, born: Instant::now(), head, panics }
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
        let mut going = Going { rhythm: Rhythm::new(&self.outlet.policy), failing_since: None };
        loop {
            match self.next(&mut going).await? {
                Next::Deliver(batch) => self.deliver(batch, &mut going).await?,
                Next::Look => {}
                Next::Gather(wait) => self.pause(wait).await?,
                Next::Hold(wait) => {
                    self.until_stop(async { _ = timeout(wait, added.changed()).await }).await?;
                }
                Next::Rest => {
                    self.stands(Standing::Works);
                    self.until_stop(async { _ = added.changed().await }).await?;
                }
            }
        }
    }

    /// Stays with one batch until it has come to an end or is another's, or the sink was disabled and works again.
    async fn deliver(&self, mut batch: Batch, going: &mut Going) -> Result<(), Stopped> {
        let panics = self.meets(&batch);
        if panics.count >= PANICS_UNTIL_DEAD {
            return self.dead(&batch, "PiHook fails over this alert; its log says more").await;
        }
        let (mut message, mut form) = match batch.saved.take() {
            Some(message) if panics.is_trusted() => (message, Form::Rich),
            _ => (batch.plain(), Form::Plain),
        };
        let mut attempts = batch.attempts();
        loop {
            let began = Instant::now();
            let wait = match self.attempt(&batch, &message, form).await? {
                Verdict::Sent => {
                    going.rhythm.sent(self.born.elapsed());
                    going.failing_since = None;
                    return self.sent(&batch).await;
                }
                Verdict::Wait(wait) => {
                    info!(sink = %self.id, delivery = batch.id(), "the sink asks to wait {wait:?}");
                    wait
                }
                Verdict::Retry(why) => {
                    attempts = attempts.saturating_add(1);
                    let delay = Backoff::DELIVERY.delay(attempts, seed(&batch));
                    self.failed(&batch, &why, delay).await;
                    delay
                }
                Verdict::Refused(why) if form == Form::Rich => {
                    warn!(sink = %self.id, delivery = batch.id(), "the message is refused, plain words follow: {why}");
                    message = batch.plain();
                    form = Form::Plain;
                    continue;
                }
                Verdict::Refused(why) => {
                    going.failing_since = None;
                    return self.dead(&batch, &why).await;
                }
                Verdict::Disabled(why) => return self.disabled(&why).await,
            };
            if self.wait_after(began, wait, &batch, going).await? == Still::Elsewhere {
                return Ok(());
            }
        }
    }

    /// Takes the batch up, and says how often that ended in a panic.
    fn meets(&self, batch: &Batch) -> Panics {
        self.head.store(batch.id(), Ordering::Relaxed);
        if self.panics.head == batch.id() { self.panics } else { Panics::default() }
    }

    /// Sends once. None begins after the request to stop; one in flight then has the time of grace.
    async fn attempt(&self, batch: &Batch, message: &Message, form: Form) -> Result<Verdict, Stopped> {
        if self.stop.is_requested() {
            return Err(Stopped);
        }
        let Some((alert, also)) = batch.lead() else { return Err(Stopped) };
        let now = self.now();
        let decided = batch.decided().unwrap_or(alert.at).to_zoned(self.deliverer.zone.clone());
        let late = Late::of(decided, now);
        let context = SendContext {
            alert,
            also: &also,
            late: late.as_ref(),
            form,
            now,
            delivery: batch.id(),
            memory: &Recollection { store: &self.deliverer.store, sink: &self.id },
        };
        let mut sending = self.outlet.sink.send(message, &context);
        if let Ok(verdict) = self.until_stop(&mut sending).await {
            return Ok(verdict);
        }
        timeout(GRACE, sending).await.map_err(|_elapsed| Stopped)
    }

    async fn sent(&self, batch: &Batch) -> Result<(), Stopped> {
        let now = self.now();
        match batch.alerts() {
            [alert] => {
                info!(sink = %self.id, delivery = batch.id(), incident = %alert.incident, "alert delivered");
            }
            alerts => {
                info!(sink = %self.id, delivery = batch.id(), alerts = alerts.len(), "alerts delivered as one message");
            }
        }
        self.stands(Standing::Works);
        self.persist(|| self.deliverer.store.deliveries_sent(batch.ids(), now)).await
    }

    async fn failed(&self, batch: &Batch, why: &str, delay: Duration) {
        warn!(sink = %self.id, delivery = batch.id(), "the alert is not delivered yet, next attempt in {delay:.1?}: {why}");
        let next = self.now().checked_add(delay).unwrap_or(Timestamp::MAX);
        if let Err(error) = self.deliverer.store.deliveries_failed(batch.ids(), why, next).await {
            report("a failed attempt is not noted", &error);
        }
    }

    async fn dead(&self, batch: &Batch, why: &str) -> Result<(), Stopped> {
        let now = self.now();
        error!(sink = %self.id, delivery = batch.id(), alerts = batch.alerts().len(), "the alert is given up: {why}");
        self.persist(|| self.deliverer.store.deliveries_dead(batch.ids(), why, now)).await
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
fn seed(batch: &Batch) -> u64 {
    batch.id().unsigned_abs()
}
