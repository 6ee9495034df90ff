//! What a worker does next.

use std::time::Duration;

use pihook_core::dispatch::{Fate, Night, Rhythm, Told, Turn, Waiting as Alerted};
use pihook_core::{Alert, Message};
use tokio::time::timeout;
use tracing::{debug, error};

use super::{FORMATTING, Going, Stopped, Worker};
use crate::store::{Delivery, Waiting};
use crate::tasks::deliver::batch::Batch;
use crate::tasks::deliver::crew::report;

/// Alerts that one message stands for at most.
pub(super) const MOST_IN_ONE: usize = 200;
/// Deliveries that quiet hours are held against: all that can be pending.
const MOST_PENDING: usize = 1000;
/// How often quiet hours are looked at, since the wall clock may be set.
const LOOK: Duration = Duration::from_secs(60);

/// What a worker does next.
pub(super) enum Next {
    /// It delivers this.
    Deliver(Batch),
    /// It looks again: something has changed meanwhile.
    Look,
    /// It waits for so long while more may come.
    Gather(Duration),
    /// It waits for so long, or until something comes.
    Hold(Duration),
    /// It waits until something comes.
    Rest,
}

impl Worker {
    pub(super) async fn next(&self, going: &mut Going) -> Result<Next, Stopped> {
        let most = match (&self.outlet.policy.quiet, going.rhythm.gathers()) {
            (Some(_), _) => MOST_PENDING,
            (None, true) => MOST_IN_ONE,
            (None, false) => 1,
        };
        let waiting = self.persist(|| self.deliverer.store.waiting(&self.id, most)).await?;
        let deliveries = match waiting {
            Waiting::Begun(deliveries) if self.fates(&deliveries).contains(&Fate::Held) => {
                self.put_back(&deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>()).await?;
                return Ok(Next::Look);
            }
            Waiting::Begun(deliveries) => return self.begin(deliveries).await,
            Waiting::Free(deliveries) => deliveries,
        };
        let (due, held) = self.sort(deliveries).await?;
        if due.is_empty() {
            return Ok(if held { hold(&mut going.rhythm, self.night_lasts()) } else { Next::Rest });
        }
        match going.rhythm.turn(self.born.elapsed()) {
            Turn::Gather(wait) => Ok(Next::Gather(wait)),
            Turn::One => self.begin(due.into_iter().take(1).collect()).await,
            Turn::All => self.begin(due.into_iter().take(MOST_IN_ONE).collect()).await,
        }
    }

    /// Ends what need not be told. Gives back what may go out, and whether more waits for the end of quiet hours.
    async fn sort(&self, deliveries: Vec<Delivery>) -> Result<(Vec<Delivery>, bool), Stopped> {
        let fates = self.fates(&deliveries);
        let (mut due, mut held, mut spared) = (Vec::new(), false, Vec::new());
        for (delivery, fate) in deliveries.into_iter().zip(fates) {
            match fate {
                Fate::Due => due.push(delivery),
                Fate::Held => held = true,
                Fate::Spared => spared.push(delivery.id),
            }
        }
        if !spared.is_empty() {
            debug!(sink = %self.id, alerts = spared.len(), "incidents are over before the quiet hours are, and not told");
            let (now, why) = (self.now(), "it was over before the quiet hours were");
            self.persist(|| self.deliverer.store.spare(spared.clone(), why, now)).await?;
        }
        Ok((due, held))
    }

    /// What quiet hours do with each.
    fn fates(&self, deliveries: &[Delivery]) -> Vec<Fate> {
        self.fates_of(deliveries.iter().map(|delivery| alerted(&delivery.alert, delivery.told)).collect())
    }

    fn fates_of(&self, alerts: Vec<Alerted>) -> Vec<Fate> {
        match &self.outlet.policy.quiet {
            Some(quiet) => Night::new(quiet, self.now()).fates(&alerts),
            None => vec![Fate::Due; alerts.len()],
        }
    }

    /// Whether quiet hours have begun that hold something of the batch.
    pub(super) fn is_held(&self, batch: &Batch) -> bool {
        let alerts = batch.alerts().iter().map(|alert| alerted(alert, Told::Before));
        self.fates_of(alerts.collect()).contains(&Fate::Held)
    }

    /// How long to wait for the end of the quiet hours.
    fn night_lasts(&self) -> Duration {
        let now = self.now();
        let quiet = self.outlet.policy.quiet.as_ref();
        let ends = quiet.and_then(|quiet| Night::new(quiet, now).ends());
        let left = ends.and_then(|ends| Duration::try_from(ends.duration_since(now)).ok());
        left.map_or(LOOK, |left| left.min(LOOK))
    }

    pub(super) async fn put_back(&self, ids: &[i64]) -> Result<(), Stopped> {
        self.persist(|| self.deliverer.store.put_back(ids.to_vec())).await
    }

    /// Words the deliveries as one message and notes that they go out as such.
    async fn begin(&self, deliveries: Vec<Delivery>) -> Result<Next, Stopped> {
        let Some(mut batch) = Batch::of(deliveries) else { return Ok(Next::Look) };
        if self.meets(&batch).is_trusted() && batch.saved.is_none() {
            let message = self.worded(&batch).await?;
            match self.deliverer.store.begin(batch.ids(), &message).await {
                Ok(true) => {}
                Ok(false) => return Ok(Next::Look),
                // Being told matters more than being told the same after a restart.
                Err(error) => report("a message is not saved, and sent all the same", &error),
            }
            batch.saved = Some(message);
        }
        Ok(Next::Deliver(batch))
    }

    async fn worded(&self, batch: &Batch) -> Result<Message, Stopped> {
        let (outlet, formatter) = (&self.outlet, &self.deliverer.formatter);
        let (id, formatting) = match batch.alerts() {
            [alert] => (&outlet.formatter, formatter.format(&outlet.formatter, alert, outlet.sink.kind())),
            alerts => {
                let id = &outlet.digest_formatter;
                (id, formatter.digest(id, alerts, outlet.sink.kind()))
            }
        };
        let worded = self.until_stop(timeout(FORMATTING, formatting)).await?;
        Ok(worded.map(|message| batch.noted(message)).unwrap_or_else(|_elapsed| {
            error!(formatter = id, "the formatter does not end, so the built-in wording is used");
            batch.plain()
        }))
    }
}

fn alerted(alert: &Alert, told: Told) -> Alerted {
    Alerted { incident: alert.incident, kind: alert.kind, severity: alert.severity, at: alert.at, told }
}

fn hold(rhythm: &mut Rhythm, wait: Duration) -> Next {
    rhythm.hold();
    Next::Hold(wait)
}
