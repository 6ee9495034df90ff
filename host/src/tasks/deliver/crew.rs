//! The workers: one for each configured sink.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use pihook_core::{Backoff, SinkId};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::{error, warn};

use super::worker::Worker;
use super::{Deliverer, Outlet, SinkSet};
use crate::shutdown::{self, Shutdown, ShutdownSender};
use crate::store::StoreError;

/// The workers at work.
pub(super) struct Crew {
    deliverer: Deliverer,
    hands: BTreeMap<SinkId, Hand>,
}

struct Hand {
    outlet: Outlet,
    stop: ShutdownSender,
    /// Makes the worker ask a disabled sink whether it works again.
    ask: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Crew {
    /// Nobody yet.
    pub(super) fn new(deliverer: Deliverer) -> Self {
        Self { deliverer, hands: BTreeMap::new() }
    }

    /// Brings the workers into line with the set. Who has the same sink as before is not disturbed.
    pub(super) async fn follow(&mut self, set: &SinkSet) {
        let stays = |id: &SinkId, hand: &Hand| set.get(id).is_some_and(|outlet| outlet.is_same(&hand.outlet));
        let leaving = self.hands.extract_if(.., |id, hand| !stays(id, hand)).map(|(_, hand)| hand).collect();
        // To the end, lest two workers of one sink overtake each other.
        dismiss(leaving).await;
        self.deliverer.standings.send_if_modified(|standings| {
            let before = standings.len();
            standings.retain(|id, _| self.hands.contains_key(id));
            standings.len() < before
        });
        for (id, outlet) in set {
            match self.hands.get(id) {
                Some(hand) => hand.ask.notify_one(),
                None => _ = self.hands.insert(id.clone(), self.hire(id, outlet)),
            }
        }
        if let Err(error) = self.forget_disabled(set).await {
            report("what is known of removed sinks stays", &error);
        }
    }

    /// Stops everybody.
    pub(super) async fn dismiss(self) {
        dismiss(self.hands.into_values().collect()).await;
    }

    /// Gives up what is addressed to sinks that are not configured. May be dropped at any time.
    pub(super) async fn give_up_orphans(&self, sinks: &watch::Receiver<Arc<SinkSet>>) {
        if let Err(error) = self.try_give_up_orphans(sinks).await {
            report("deliveries of removed sinks stay", &error);
        }
    }

    async fn try_give_up_orphans(&self, sinks: &watch::Receiver<Arc<SinkSet>>) -> Result<(), StoreError> {
        let store = &self.deliverer.store;
        let pending = store.sinks_with_pending().await?;
        // Read after them: a sink is published before anything can be addressed to it.
        let set = Arc::clone(&sinks.borrow());
        for sink in pending.into_iter().filter(|sink| !set.contains_key(sink)) {
            let now = self.deliverer.clock.now().wall;
            let alerts = store.give_up_sink(&sink, "sink removed from the configuration", now).await?;
            warn!(%sink, alerts, "the sink is not configured any more: its alerts are given up");
        }
        Ok(())
    }

    async fn forget_disabled(&self, set: &SinkSet) -> Result<(), StoreError> {
        let store = &self.deliverer.store;
        for disabled in store.disabled_sinks().await? {
            if !set.contains_key(&disabled.sink) {
                store.enable_sink(&disabled.sink).await?;
            }
        }
        store.forget_sinks_but(set.keys().cloned().collect()).await
    }

    fn hire(&self, id: &SinkId, outlet: &Outlet) -> Hand {
        let (stop, stopped) = shutdown::channel();
        let ask = Arc::new(Notify::new());
        let worker =
            Worker::new(id.clone(), outlet.clone(), self.deliverer.clone(), ask.clone(), stopped.clone());
        Hand { outlet: outlet.clone(), stop, ask, task: tokio::spawn(keep_working(worker, stopped)) }
    }
}

async fn dismiss(hands: Vec<Hand>) {
    for hand in &hands {
        hand.stop.shut_down();
    }
    for hand in hands {
        if let Err(error) = hand.task.await {
            error!("a delivery worker ended badly: {error}");
        }
    }
}

/// Runs the worker, and again should it panic: no fault may silence a sink for good.
async fn keep_working(mut worker: Worker, mut stopped: Shutdown) {
    for panics in 1.. {
        let Err(fault) = tokio::spawn(worker.clone().run()).await else { return };
        worker.note_panic();
        error!("a delivery worker failed and is started again: {fault}");
        tokio::select! {
            () = stopped.requested() => return,
            () = tokio::time::sleep(Backoff::DELIVERY.delay(panics, 0)) => {}
        }
    }
}

/// Logs a store's error with its causes.
pub(super) fn report(what: &str, error: &StoreError) {
    let error: &dyn Error = error;
    error!(error, "{what}");
}
