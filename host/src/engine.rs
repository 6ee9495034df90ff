//! The loop: one task owns the monitor, feeds it events and carries its effects out.
//!
//! ```text
//! timer · check finished · command ──▶ Monitor::handle ──▶ StartCheck ──▶ CheckRunner, a task each
//!                                                     └──▶ Commit ─────▶ Store, before anything else happens
//! ```
//! The order matters: a commit that cannot wait is on disk before the next event is looked at.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::maintenance::Flag;
use pihook_core::monitor::{Commit, Effect, Event, Monitor};
use pihook_core::{Outcome, Service, ServiceId, Status};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{self, JoinError, JoinSet};
use tracing::{error, warn};

use crate::checks::{CheckRunner, Finished};
use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::store::Store;

/// Checks that run at once. More wait for their turn; each of them ends within its timeouts.
const RUNNING: usize = 128;
/// How long running checks may still report after a request to stop.
const DRAIN: Duration = Duration::from_secs(3);

type Joined = Result<(task::Id, Finished), JoinError>;

/// What others ask of the engine.
#[derive(Debug)]
pub enum Command {
    /// The configuration was reloaded.
    Reconfigure(Vec<Service>),
    /// The maintenance flag changed.
    Maintenance(Option<Flag>),
    /// An outcome that no check made, for a service whose cadence is `Pushed`.
    Push(ServiceId, Outcome),
}

/// Asks things of a running engine.
#[derive(Clone, Debug)]
pub struct EngineHandle(mpsc::Sender<Command>);

impl EngineHandle {
    /// Sends a command; waits while the queue is full, and does nothing once the engine has stopped.
    pub async fn send(&self, command: Command) {
        let _ = self.0.send(command).await;
    }
}

/// The loop before it runs.
pub struct Engine {
    monitor: Monitor,
    runner: Arc<dyn CheckRunner>,
    store: Store,
    clock: Arc<dyn Clock>,
    commands: mpsc::Receiver<Command>,
    running: JoinSet<Finished>,
    /// Whose check a task is, for when it panics.
    started: HashMap<task::Id, ServiceId>,
    slots: Arc<Semaphore>,
}

impl Engine {
    /// An engine for this monitor, and the handle to command it.
    #[must_use]
    pub fn new(
        monitor: Monitor,
        runner: Arc<dyn CheckRunner>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> (Self, EngineHandle) {
        let (sender, commands) = mpsc::channel(64);
        let slots = Arc::new(Semaphore::new(RUNNING));
        (
            Self {
                monitor,
                runner,
                store,
                clock,
                commands,
                running: JoinSet::new(),
                started: HashMap::new(),
                slots,
            },
            EngineHandle(sender),
        )
    }

    /// Runs until shutdown; then gives running checks a moment to report, so that what they found is not lost.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        self.handle(Event::Woken).await;
        loop {
            let wake = self.monitor.next_wakeup();
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                Some(command) = self.commands.recv() => self.obey(command).await,
                Some(finished) = self.running.join_next_with_id() => self.finished(finished).await,
                () = sleep_until(wake, self.clock.as_ref()) => self.handle(Event::Woken).await,
            }
        }
        self.drain().await;
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Reconfigure(services) => self.handle(Event::Reconfigured { services }).await,
            Command::Maintenance(flag) => self.handle(Event::MaintenanceChanged(flag)).await,
            Command::Push(service, outcome) => self.handle(Event::CheckFinished { service, outcome }).await,
        }
    }

    async fn finished(&mut self, finished: Joined) {
        let finished = self.report(finished);
        if let Some(entries) = finished.kept
            && let Err(error) = self.store.save_kept(&finished.service, entries).await
        {
            warn!(service = %finished.service, "what the check wants kept is not on disk: {error}");
        }
        self.handle(Event::CheckFinished { service: finished.service, outcome: finished.outcome }).await;
    }

    /// What a task reported; a panic is a report too, or its service would wait for ever.
    fn report(&mut self, joined: Joined) -> Finished {
        let (id, reported) = match joined {
            Ok((id, finished)) => (id, Ok(finished)),
            Err(error) => (error.id(), Err(error)),
        };
        let service = self.started.remove(&id);
        reported.unwrap_or_else(|error| {
            let service = service.unwrap_or_else(|| ServiceId::new(""));
            error!(%service, "a check ended without a result: {error}");
            let outcome = Outcome {
                status: Status::Unknown,
                summary: "PiHook failed to run the check; its log says more".to_owned(),
                response_time: None,
                attempts: 1,
                metrics: Vec::new(),
                at: self.clock.now().wall,
            };
            Finished { service, outcome, kept: None }
        })
    }

    async fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        for effect in self.monitor.handle(event, now) {
            match effect {
                Effect::StartCheck(service) => self.start(service),
                Effect::Commit(commit) => self.commit(commit).await,
            }
        }
    }

    fn start(&mut self, service: ServiceId) {
        let run = self.runner.run(service.clone());
        let slots = self.slots.clone();
        let task = self.running.spawn(async move {
            let _slot = slots.acquire_owned().await;
            run.await
        });
        self.started.insert(task.id(), service);
    }

    async fn commit(&mut self, commit: Commit) {
        log_decision(&commit);
        if let Err(error) = self.store.commit(commit).await {
            error!("a commit is not on disk: {error}");
        }
    }

    async fn drain(&mut self) {
        let deadline = tokio::time::sleep(DRAIN);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                finished = self.running.join_next_with_id() => match finished {
                    Some(finished) => self.last(finished).await,
                    None => return,
                },
                () = &mut deadline => {
                    self.running.abort_all();
                    return;
                }
            }
        }
    }

    /// A result after the request to stop: it counts, but starts nothing new.
    async fn last(&mut self, finished: Joined) {
        let finished = self.report(finished);
        let event = Event::CheckFinished { service: finished.service, outcome: finished.outcome };
        for effect in self.monitor.handle(event, self.clock.now()) {
            if let Effect::Commit(commit) = effect {
                self.commit(commit).await;
            }
        }
    }
}

async fn sleep_until(wake: Option<Duration>, clock: &dyn Clock) {
    match wake {
        Some(wake) => tokio::time::sleep(wake.saturating_sub(clock.now().uptime)).await,
        None => pending().await,
    }
}

/// One line for each decision, so that the log tells an outage's story without the database.
fn log_decision(commit: &Commit) {
    if let Some(transition) = &commit.transition {
        let (from, to) = (transition.from, transition.to);
        let summary = commit.outcome.as_ref().map_or("", |logged| logged.outcome.summary.as_str());
        if to == Status::Up {
            tracing::info!(service = %commit.service, "{from} -> {to}: {summary}");
        } else {
            warn!(service = %commit.service, "{from} -> {to}: {summary}");
        }
    }
    for alert in &commit.alerts {
        tracing::info!(service = %commit.service, incident = %alert.incident, "alert {}: {}", alert.kind, alert.summary);
    }
}
