//! What the outbox and the sinks' own rows are asked and told.

use pihook_core::{Message, SinkId, Timestamp};
use tokio::sync::watch;

use super::outbox::State;
use super::{DisabledSink, Store, StoreError, Turn, Waiting, disabled, outbox, sink_memory, writer};

impl Store {
    /// Changes whenever a transaction has added deliveries.
    #[must_use]
    pub fn deliveries_added(&self) -> watch::Receiver<u64> {
        self.told.added.subscribe()
    }

    /// Sinks that have something to deliver, be it due or not.
    pub async fn sinks_with_pending(&self) -> Result<Vec<SinkId>, StoreError> {
        writer::call(&self.jobs, |db| outbox::pending_sinks(db)).await
    }

    /// The turn to tell the sink what is in memory alone; none if there is nothing, or somebody has it.
    #[must_use]
    pub fn turn_to_tell(&self, sink: &SinkId) -> Option<Turn> {
        let gate = self.gates.of(sink).try_lock_owned().ok()?;
        let turn = Turn { mailbox: self.mailbox.clone(), sink: sink.clone(), _gate: gate };
        turn.next().is_some().then_some(turn)
    }

    /// What the sink is to be told next, be it due or not: the batch that was begun, or else so many of its oldest
    /// deliveries at most. While the sink is told something from memory this waits, and what was told is written first.
    pub async fn waiting(&self, sink: &SinkId, most: usize) -> Result<Waiting, StoreError> {
        let gate = self.gates.of(sink);
        let _turn = gate.lock().await;
        self.flush_told().await?;
        let sink = sink.clone();
        writer::call(&self.jobs, move |db| outbox::waiting(db, &sink, most)).await
    }

    /// Notes that these deliveries of one sink, in order, go out as one batch with this message, so that every attempt says
    /// the same of the same. False, and nothing is noted, if one of them has ended meanwhile.
    pub async fn begin(&self, deliveries: Vec<i64>, message: &Message) -> Result<bool, StoreError> {
        let message = message.clone();
        writer::call(&self.jobs, move |db| outbox::begin(db, &deliveries, &message)).await
    }

    /// Takes a batch apart again that no attempt is being made with: it may go out otherwise.
    pub async fn put_back(&self, deliveries: Vec<i64>) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| outbox::put_back(db, &deliveries)).await
    }

    /// Ends deliveries that there is no need to make.
    pub async fn spare(&self, deliveries: Vec<i64>, why: &str, at: Timestamp) -> Result<(), StoreError> {
        let why = why.to_owned();
        writer::call(&self.jobs, move |db| outbox::spare(db, &deliveries, &why, at)).await
    }

    /// Has all that is pending for a sink told by another one, and returns how many deliveries those are.
    pub async fn redirect(&self, from: &SinkId, to: &SinkId, at: Timestamp) -> Result<usize, StoreError> {
        let gate = self.gates.of(from);
        let _turn = gate.lock().await;
        self.flush_told().await?;
        let (from, to) = (from.clone(), to.clone());
        let moved = writer::call(&self.jobs, move |db| outbox::redirect(db, &from, &to, at)).await?;
        if moved > 0 {
            self.told.added.send_modify(|count| *count += 1);
        }
        Ok(moved)
    }

    /// Writes what was told from memory and is not noted yet.
    async fn flush_told(&self) -> Result<(), StoreError> {
        if self.mailbox.has_told() { self.flush().await } else { Ok(()) }
    }

    /// Notes that the sink has taken the deliveries, all in one transaction.
    pub async fn deliveries_sent(&self, deliveries: Vec<i64>, at: Timestamp) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| outbox::end(db, &deliveries, State::Sent, None, at)).await
    }

    /// Notes a failed attempt and when to try again.
    pub async fn deliveries_failed(
        &self,
        deliveries: Vec<i64>,
        error: &str,
        next_attempt: Timestamp,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        writer::call(&self.jobs, move |db| outbox::failed(db, &deliveries, &error, next_attempt)).await
    }

    /// Gives up all that is pending for a sink, with no further attempt, and returns how many deliveries that were.
    pub async fn give_up_sink(&self, sink: &SinkId, why: &str, at: Timestamp) -> Result<usize, StoreError> {
        let (sink, why) = (sink.clone(), why.to_owned());
        writer::call(&self.jobs, move |db| outbox::give_up(db, &sink, &why, at)).await
    }

    /// Gives deliveries up after a last attempt.
    pub async fn deliveries_dead(
        &self,
        deliveries: Vec<i64>,
        error: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let error = error.to_owned();
        writer::call(&self.jobs, move |db| outbox::end(db, &deliveries, State::Dead, Some(&error), at)).await
    }

    /// Notes that a sink refuses its configuration. Its deliveries stay.
    pub async fn disable_sink(
        &self,
        sink: &SinkId,
        fingerprint: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (fingerprint, reason) = (fingerprint.to_owned(), reason.to_owned());
        let disabled = DisabledSink { sink: sink.clone(), fingerprint, reason, at };
        writer::call(&self.jobs, move |db| disabled::insert(db, &disabled)).await
    }

    /// Enables a sink again; no error if it is enabled.
    pub async fn enable_sink(&self, sink: &SinkId) -> Result<(), StoreError> {
        let sink = sink.clone();
        writer::call(&self.jobs, move |db| disabled::remove(db, &sink)).await
    }

    /// What the sink has remembered of the topic under this key.
    pub async fn recall_of_sink(
        &self,
        sink: &SinkId,
        topic: &str,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        let (sink, topic, key) = (sink.clone(), topic.to_owned(), key.to_owned());
        writer::call(&self.jobs, move |db| sink_memory::get(db, &sink, &topic, &key)).await
    }

    /// Remembers something for a sink; of each topic only the newest are kept.
    pub async fn remember_of_sink(
        &self,
        sink: &SinkId,
        topic: &str,
        key: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        let (sink, topic) = (sink.clone(), topic.to_owned());
        let (key, value) = (key.to_owned(), value.to_owned());
        writer::call(&self.jobs, move |db| sink_memory::put(db, &sink, &topic, &key, &value)).await
    }

    /// Forgets what was remembered for any sink that is not among these.
    pub async fn forget_sinks_but(&self, sinks: Vec<SinkId>) -> Result<(), StoreError> {
        writer::call(&self.jobs, move |db| sink_memory::forget_others(db, &sinks)).await
    }

    /// The sinks that are disabled.
    pub async fn disabled_sinks(&self) -> Result<Vec<DisabledSink>, StoreError> {
        writer::call(&self.jobs, |db| disabled::all(db)).await
    }
}
