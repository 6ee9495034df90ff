//! Writes signs of life as they come, has the services' checks look at them, and only then says so to whoever brought
//! them.
//!
//! A job gone wild must not wear the disk out: of each service one is written a second, the newest of those that came.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Moment, ServiceId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, sleep_until};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::heartbeats::{Arrival, Heartbeats, Refused, Sign};
use crate::shutdown::Shutdown;
use crate::store::{Store, StoreError};
use crate::words::chain;

/// How long a service's next sign of life waits after one was written.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait before one that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// Answers that one service's jobs may wait for. Of more the oldest is passed over.
const ANSWERS: usize = 8;
/// How often to look whether the wall clock has jumped, and by how much it does so to be worth a write.
const LOOK: Duration = Duration::from_secs(60);
const JUMP: Duration = Duration::from_secs(5);

/// Has a service checked now.
pub type CheckNow = Arc<dyn Fn(ServiceId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Writes signs of life.
pub struct HeartbeatWriter {
    /// Where to.
    pub store: Store,
    /// What checks are told from.
    pub heartbeats: Arc<Heartbeats>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Has a service checked now.
    pub check_now: CheckNow,
}

impl HeartbeatWriter {
    /// Writes until shutdown, and then what has come by then.
    pub async fn run(self, mut arrivals: mpsc::Receiver<Arrival>, mut shutdown: Shutdown) {
        let mut queue = Queue::default();
        let mut look = interval(LOOK);
        let mut offset = self.offset();
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                // Before more is taken in: a flood must not keep what has come from the disk.
                () = until(queue.due()) => self.write(&mut queue, Instant::now()).await,
                _ = look.tick() => self.follow_clock(&mut offset).await,
                Some(arrival) = arrivals.recv() => queue.add(arrival, Instant::now()),
            }
        }
        arrivals.close();
        while let Some(arrival) = arrivals.recv().await {
            queue.add(arrival, Instant::now());
        }
        self.write(&mut queue, Instant::now() + PAUSE + RETRY).await;
    }

    /// Writes what is due by then.
    async fn write(&self, queue: &mut Queue, by: Instant) {
        let mut records = Vec::new();
        let mut taken = Vec::new();
        for (service, mut waiting) in queue.take(by) {
            // Heard is heard, also while the disk is full.
            match self.heartbeats.heard(&service, waiting.sign.clone(), waiting.at) {
                Some(record) => {
                    records.push(record);
                    taken.push((service, waiting));
                }
                None => waiting.answer(&Err(Refused::Gone)),
            }
        }
        if taken.is_empty() {
            return;
        }
        let result = self.store.save_heartbeats(records).await;
        queue.note(&result);
        let result = result.map_err(|error| match error {
            StoreError::Closed => Refused::Stopping,
            error => Refused::Unwritten(chain(&error)),
        });
        for (service, mut waiting) in taken {
            waiting.answer(&result);
            let is_news = !std::mem::replace(&mut waiting.heard, true);
            if result.is_err() {
                waiting.due = Instant::now() + RETRY;
                queue.waiting.insert(service.clone(), waiting);
            }
            queue.free.insert(service.clone(), Instant::now() + PAUSE);
            if is_news {
                (self.check_now)(service).await;
            }
        }
    }

    /// How far the wall clock is from uptime, in milliseconds.
    fn offset(&self) -> i128 {
        let Moment { uptime, wall } = self.clock.now();
        i128::from(wall.as_millisecond()) - i128::try_from(uptime.as_millis()).unwrap_or_default()
    }

    /// What was written with a wrong time is written again with the right one: after a restart nothing else is known. A
    /// Pi has no battery-backed clock, and hears the first signs of life before its clock is set.
    async fn follow_clock(&self, offset: &mut i128) {
        let now = self.offset();
        if (now - *offset).unsigned_abs() < JUMP.as_millis() {
            return;
        }
        match self.store.save_heartbeats(self.heartbeats.correct(self.clock.now())).await {
            Ok(()) => *offset = now,
            Err(error) => warn!("signs of life keep the time of a wrong clock for now: {}", chain(&error)),
        }
    }
}

/// What waits to be written.
#[derive(Default)]
struct Queue {
    /// The newest of each service.
    waiting: BTreeMap<ServiceId, Waiting>,
    /// When the next one of a service may be written.
    free: BTreeMap<ServiceId, Instant>,
    /// Whether the last write failed. It is logged once, and again when it is over.
    in_trouble: bool,
}

struct Waiting {
    sign: Sign,
    at: Moment,
    answers: VecDeque<oneshot::Sender<Result<(), Refused>>>,
    due: Instant,
    /// Whether checks know of it: it only waits for the disk then.
    heard: bool,
}

impl Queue {
    /// Takes a sign of life in, in place of an earlier one; whoever brought that one is answered with this one.
    fn add(&mut self, arrival: Arrival, now: Instant) {
        let Arrival { service, at, sign, answer } = arrival;
        let free = self.free.get(&service).copied().unwrap_or(now);
        let earlier = self.waiting.remove(&service);
        let due = earlier.as_ref().map_or(free, |earlier| earlier.due.min(free));
        let mut answers = earlier.map(|earlier| earlier.answers).unwrap_or_default();
        // Who has hung up is not waited for.
        answers.retain(|answer| !answer.is_closed());
        answers.push_back(answer);
        if let Some(passed_over) = (answers.len() > ANSWERS).then(|| answers.pop_front()).flatten() {
            let _gone = passed_over.send(Err(Refused::TooMany));
        }
        self.waiting.insert(service, Waiting { sign, at, answers, due, heard: false });
    }

    /// When the next is to be written.
    fn due(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.due).min()
    }

    /// Takes out what is due by then.
    fn take(&mut self, by: Instant) -> BTreeMap<ServiceId, Waiting> {
        self.free.retain(|_, free| *free > by);
        self.waiting.extract_if(.., |_, waiting| waiting.due <= by).collect()
    }

    fn note(&mut self, result: &Result<(), StoreError>) {
        let was = std::mem::replace(&mut self.in_trouble, result.is_err());
        match result {
            Ok(()) if was => info!("signs of life can be written again"),
            Err(error) if !was => {
                warn!(
                    "signs of life cannot be written; the newest are kept and tried again: {}",
                    chain(error)
                );
            }
            _ => {}
        }
    }
}

impl Waiting {
    /// Tells everybody who waits what came of it.
    fn answer(&mut self, result: &Result<(), Refused>) {
        for answer in self.answers.drain(..) {
            let _gone = answer.send(result.clone());
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests;
