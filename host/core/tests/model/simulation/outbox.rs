//! What becomes of alerts: a queue a sink, in order, with patience, that outlives restarts.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pihook_core::{Alert, Backoff, SinkId};

use super::truth::{TICK, Truth};

#[derive(Default)]
pub(super) struct Outbox {
    queues: BTreeMap<SinkId, Queue>,
    decided: u64,
}

#[derive(Default)]
struct Queue {
    /// Numbers of alerts, with when they were decided.
    waiting: VecDeque<(u64, Duration)>,
    attempts: u32,
    not_before: Duration,
    decided: Vec<u64>,
    delivered: Vec<u64>,
    refused: u64,
}

impl Outbox {
    pub(super) fn add(&mut self, alert: &Alert, now: Duration) {
        self.decided += 1;
        for sink in &alert.sinks {
            let queue = self.queues.entry(sink.clone()).or_default();
            queue.waiting.push_back((self.decided, now));
            queue.decided.push(self.decided);
        }
    }

    /// Delivers what can be until then.
    pub(super) fn run(&mut self, truth: &Truth, until: Duration) {
        for (sink, queue) in &mut self.queues {
            while let Some((number, decided)) = queue.waiting.front().copied() {
                let at = queue.not_before.max(decided);
                if at > until {
                    break;
                }
                let tick = u64::try_from(at.as_nanos() / TICK.as_nanos()).unwrap();
                if truth.sink_works(sink, tick) {
                    queue.waiting.pop_front();
                    queue.delivered.push(number);
                    queue.attempts = 0;
                } else {
                    queue.attempts += 1;
                    queue.refused += 1;
                    queue.not_before = at + Backoff::DELIVERY.delay(queue.attempts, number);
                }
            }
        }
    }

    /// Everything that was decided has arrived, once and in order. How many messages that were, and refusals before.
    pub(super) fn settle(mut self, truth: &Truth) -> (usize, u64) {
        self.run(truth, Duration::MAX);
        for (sink, queue) in &self.queues {
            assert_eq!(queue.delivered, queue.decided, "{sink}");
        }
        let delivered = self.queues.values().map(|queue| queue.delivered.len()).sum();
        (delivered, self.queues.values().map(|queue| queue.refused).sum())
    }
}
