//! Tells that the database cannot be written, and when it can again. This is an alert that the outbox cannot
//! carry, so it goes past it: as a notice to every sink, in plain words, lost at a restart. So do the alerts that are
//! decided meanwhile ([`held`]).

pub mod held;

use std::sync::Arc;
use std::time::Duration;

use pihook_core::maintenance::Maintenance;
use pihook_core::plain::plain_message;
use pihook_core::{Alert, AlertKind, Backoff, IncidentId, Moment, Reason, Service, Severity, Status};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{info, warn};

use super::deliver::{SinkSet, send_now};
use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::sinks::{Sink, Verdict};
use crate::store::Lost;

/// How long it may last before anybody is told: a backup that holds the database for a moment is none of their
/// business.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look whether maintenance still mutes.
const LOOK: Duration = Duration::from_secs(10);

/// Tells of a database that cannot be written.
pub struct TroubleTeller {
    /// Why it cannot, while it cannot.
    pub trouble: watch::Receiver<Option<String>>,
    /// What was lost, once it can be written again.
    pub lost: watch::Receiver<Lost>,
    /// Who is told.
    pub sinks: watch::Receiver<Arc<SinkSet>>,
    /// What may mute it.
    pub maintenance: watch::Receiver<Maintenance>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The database as a service: its name, and what maintenance has to cover.
    pub database: Service,
}

impl TroubleTeller {
    /// Tells until shutdown.
    pub async fn run(self, mut shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.requested() => {}
            // Without a store there is nothing to tell.
            _gone = self.work() => {}
        }
    }

    async fn work(&self) -> Result<(), watch::error::RecvError> {
        let mut trouble = self.trouble.clone();
        loop {
            let why = trouble.wait_for(Option::is_some).await?.clone().unwrap_or_default();
            let why = format!("It cannot be written, so alerts may come late or never: {why}");
            let since = self.clock.now();
            let lasting = async {
                sleep(PATIENCE).await;
                self.audible().await;
            };
            tokio::select! {
                biased;
                over = trouble.wait_for(Option::is_none) => { over?; continue }
                () = lasting => {}
            }
            warn!("the sinks are told that the database cannot be written");
            tokio::select! {
                over = trouble.wait_for(Option::is_none) => { over?; }
                () = self.tell(AlertKind::Opened, since, &why) => {}
            }
            trouble.wait_for(Option::is_none).await?;
            let over = async {
                self.audible().await;
                let lost = *self.lost.borrow();
                self.tell(AlertKind::Recovered, since, &recovered(lost)).await;
            };
            tokio::select! {
                // Then that is the news.
                again = trouble.wait_for(Option::is_some) => { again?; }
                () = over => info!("the sinks were told that the database can be written again"),
            }
        }
    }

    /// Returns once no maintenance mutes this.
    async fn audible(&self) {
        let muted = || {
            let now = self.clock.now().wall;
            self.maintenance.borrow().covers(&self.database, now)
        };
        while muted() {
            sleep(LOOK).await;
        }
    }

    /// Tells every sink, for as long as it takes.
    async fn tell(&self, kind: AlertKind, since: Moment, why: &str) {
        let alert = Arc::new(self.alert(kind, since, why));
        let mut telling = JoinSet::new();
        for outlet in self.sinks.borrow().values() {
            telling.spawn(tell_one(outlet.sink.clone(), alert.clone()));
        }
        while telling.join_next().await.is_some() {}
    }

    fn alert(&self, kind: AlertKind, since: Moment, why: &str) -> Alert {
        let now = self.clock.now();
        let over = kind == AlertKind::Recovered;
        Alert {
            kind,
            reason: if over { Reason::Recovered } else { Reason::Elapsed },
            incident: IncidentId::NONE,
            service: self.database.id.clone(),
            name: self.database.name.clone(),
            zone: self.database.zone.clone(),
            status: if over { Status::Up } else { Status::Down },
            severity: Severity::Critical,
            level: 0,
            mention: None,
            formatter: None,
            at: now.wall,
            since: since.wall,
            lasted: now.uptime.saturating_sub(since.uptime),
            failures: 1,
            summary: why.to_owned(),
            response_time: None,
            sinks: Vec::new(),
        }
    }
}

fn recovered(lost: Lost) -> String {
    let again = "Results are written again.".to_owned();
    if lost.is_nothing() {
        again
    } else {
        format!("{again} Memory could not hold all of them; lost: {lost}.")
    }
}

async fn tell_one(sink: Arc<dyn Sink>, alert: Arc<Alert>) {
    let message = plain_message(&alert);
    for failures in 1.. {
        let pause = match send_now(sink.as_ref(), &message, &alert).await {
            Verdict::Sent => return,
            Verdict::Wait(wait) => wait,
            Verdict::Retry(_) => Backoff::DELIVERY.delay(failures, 0),
            Verdict::Refused(why) | Verdict::Disabled(why) => {
                return warn!("a sink was not told that the database is in trouble: {why}");
            }
        };
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests;
