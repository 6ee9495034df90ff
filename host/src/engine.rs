//! The loop: one task owns the monitor, feeds it events and carries its effects out.
//!
//! ```text
//! timer · check finished · command ──▶ Monitor::handle ──▶ StartCheck ──▶ CheckRunner, a task each
//!                                                     └──▶ Commit ─────▶ Store, before anything else happens
//! ```
//! The order matters: what cannot wait is on disk before later events are looked at. Checks that have ended meanwhile are
//! one batch, so that an outage of many services waits for the disk once. A disk that does not answer stops no check.

mod lateness;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::liveness::Progress;
use pihook_core::maintenance::{Chronicle, Flag, Period};
use pihook_core::monitor::{Commit, Effect, Event, Monitor, Setup};
use pihook_core::{AlertKind, IncidentId, Outcome, ServiceId, Status};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::{debug, error, warn};

use crate::board::Board;
use crate::checks::{CheckRunner, Finished, KeptEntries};
use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::store::{Receipt, Store, StoreError};

pub use lateness::Lateness;

/// Checks that run at once. More wait for their turn; each of them ends within its timeouts.
const RUNNING: usize = 128;
/// Finished checks that are taken in before the disk is waited for.
const TOGETHER: usize = 128;
/// How long the disk is waited for. It is more than SQLite waits for a lock, so what is longer is a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long running checks may still report after a request to stop.
const DRAIN: Duration = Duration::from_secs(3);

type Joined = Result<(task::Id, Finished), JoinError>;

/// What others ask of the engine.
#[derive(Debug)]
pub enum Command {
    /// The configuration was reloaded.
    Reconfigure(Setup),
    /// The maintenance flag changed.
    Maintenance(Option<Flag>),
    /// The service's check is due now.
    CheckNow(ServiceId),
    /// Somebody sees to this incident; they are answered when it is on disk.
    Acknowledge(IncidentId, oneshot::Sender<Acknowledgement>),
    /// An outcome that no check made, for a service whose cadence is `Pushed`.
    Push(ServiceId, Outcome),
    /// The same, with what is to be kept under the service's name from then on, in one transaction.
    PushKeeping(ServiceId, Outcome, KeptEntries),
}

/// What came of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Nothing is told of the incident any more but its end.
    Noted,
    /// No such incident is open.
    NotOpen,
    /// It counts, but is not on disk yet: a restart may forget it.
    Unwritten,
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
    /// Where it is shown how the services are doing.
    board: Board,
    commands: mpsc::Receiver<Command>,
    running: JoinSet<Finished>,
    /// Whose check a task is, for when it panics.
    started: HashMap<task::Id, ServiceId>,
    slots: Arc<Semaphore>,
    /// What checks want kept, until their outcomes are settled: those of one service in their order.
    kept: BTreeMap<ServiceId, VecDeque<Option<KeptEntries>>>,
    /// Of commits that are handed over.
    receipts: Vec<Receipt>,
    /// What history knows of maintenance, and as of which look of the monitor.
    chronicle: Chronicle,
    chronicled: u64,
    /// Who waits for the disk.
    acknowledged: Vec<oneshot::Sender<Acknowledgement>>,
    /// Checks that have ended.
    checked: u64,
    progress: watch::Sender<Progress>,
    lateness: Lateness,
}

/// The store has ended before the engine: nothing that is decided could be told.
struct StoreGone;

impl Engine {
    /// An engine for this monitor, and the handle to command it.
    #[must_use]
    pub fn new(
        monitor: Monitor,
        runner: Arc<dyn CheckRunner>,
        store: Store,
        clock: Arc<dyn Clock>,
        board: Board,
    ) -> (Self, EngineHandle) {
        let (sender, commands) = mpsc::channel(64);
        let slots = Arc::new(Semaphore::new(RUNNING));
        (
            Self {
                monitor,
                runner,
                store,
                clock,
                board,
                commands,
                running: JoinSet::new(),
                started: HashMap::new(),
                slots,
                kept: BTreeMap::new(),
                receipts: Vec::new(),
                chronicle: Chronicle::default(),
                chronicled: 0,
                acknowledged: Vec::new(),
                checked: 0,
                progress: watch::Sender::new(Progress::default()),
                lateness: Lateness::default(),
            },
            EngineHandle(sender),
        )
    }

    /// Goes on from maintenance that lasts as far as history knows.
    pub fn recall_maintenance(&mut self, lasting: Vec<Period>) {
        self.chronicle = Chronicle::new(lasting);
    }

    /// How far it has come, as of the last event.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// By how much checks start later than planned.
    #[must_use]
    pub fn lateness(&self) -> Lateness {
        self.lateness.clone()
    }

    /// Runs until shutdown; then gives running checks a moment to report, so that what they found is not lost. Ends
    /// earlier only if the store has: without it nothing that is decided could be told.
    pub async fn run(mut self, shutdown: Shutdown) {
        if let Err(StoreGone) = self.watch(shutdown).await {
            error!("the database's writer has ended, so the engine ends too");
        }
    }

    async fn watch(&mut self, mut shutdown: Shutdown) -> Result<(), StoreGone> {
        self.handle(Event::Woken, None);
        self.show_all();
        loop {
            self.settle().await?;
            let (checked, next_start) = (self.checked, self.monitor.next_start());
            self.progress.send_replace(Progress { checked, next_start });
            let wake = self.monitor.next_wakeup();
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                Some(command) = self.commands.recv() => self.obey(command),
                Some(finished) = self.running.join_next_with_id() => self.finished(finished),
                () = sleep_until(wake, self.clock.as_ref()) => self.handle(Event::Woken, None),
            }
        }
        self.drain().await
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Reconfigure(setup) => {
                self.handle(Event::Reconfigured(setup), None);
                self.show_all();
            }
            Command::Maintenance(flag) => {
                self.handle(Event::MaintenanceChanged(flag), None);
                self.show_all();
            }
            Command::Acknowledge(incident, answer) => {
                if self.monitor.has_open(incident) {
                    self.handle(Event::Acknowledged(incident), None);
                    self.acknowledged.push(answer);
                } else {
                    let _ = answer.send(Acknowledgement::NotOpen);
                }
            }
            Command::CheckNow(service) => self.handle(Event::CheckDue { service }, None),
            // What is pushed keeps nothing: what is still kept under its name is done with.
            Command::Push(service, outcome) => {
                self.handle(Event::CheckFinished { service, outcome }, Some(KeptEntries::new()));
            }
            Command::PushKeeping(service, outcome, entries) => {
                self.handle(Event::CheckFinished { service, outcome }, Some(entries));
            }
        }
    }

    /// Takes this report in, and others that are there already.
    fn finished(&mut self, finished: Joined) {
        self.take_in(finished);
        for _ in 1..TOGETHER {
            let Some(finished) = self.running.try_join_next_with_id() else { break };
            self.take_in(finished);
        }
    }

    fn take_in(&mut self, finished: Joined) {
        let Finished { service, outcome, kept } = self.report(finished);
        self.checked = self.checked.saturating_add(1);
        self.handle(Event::CheckFinished { service, outcome }, kept);
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
                notice: None,
                response_time: None,
                attempts: 1,
                metrics: Vec::new(),
                at: self.clock.now().wall,
            };
            Finished { service, outcome, kept: None }
        })
    }

    /// `kept` is what the check wants kept whose outcome the event brings; it goes the way of that outcome.
    fn handle(&mut self, event: Event, kept: Option<KeptEntries>) {
        let planned = self.monitor.next_start();
        for service in self.decide(event, kept) {
            self.start(service, planned);
        }
    }

    /// Hands over what the monitor decides, and returns whose check is to be started.
    fn decide(&mut self, event: Event, kept: Option<KeptEntries>) -> Vec<ServiceId> {
        if let Event::CheckFinished { service, .. } = &event {
            self.kept.entry(service.clone()).or_default().push_back(kept);
        }
        let mut due = Vec::new();
        let effects = self.monitor.handle(event, self.clock.now());
        self.chronicle_maintenance();
        for effect in effects {
            match effect {
                Effect::StartCheck(service) => due.push(service),
                Effect::Commit(commit) => {
                    log_decision(&commit);
                    let kept = commit.outcome.as_ref().and_then(|_| self.kept.get_mut(&commit.service));
                    let kept = kept.and_then(|of_service| of_service.pop_front().flatten());
                    self.show(&commit.service, commit.outcome.as_ref().map(|logged| &logged.outcome));
                    self.receipts.push(self.store.submit(commit, kept));
                }
            }
        }
        // An outcome that is held commits later; one of a service that is gone never does.
        self.kept.retain(|service, _| self.monitor.holds(service));
        due
    }

    /// Has it written down and shown what has become of maintenance.
    fn chronicle_maintenance(&mut self) {
        let looks = self.monitor.maintenance_looks();
        if std::mem::replace(&mut self.chronicled, looks) == looks {
            return;
        }
        let now = self.clock.now().wall;
        let entries = self.chronicle.follow(self.monitor.maintenance().ongoing(now), now);
        self.board.maintain(self.chronicle.lasting().to_vec());
        self.store.note_maintenance(entries);
    }

    fn show(&self, service: &ServiceId, outcome: Option<&Outcome>) {
        let known = self.monitor.view(service).zip(self.monitor.muting(service));
        if let Some((view, muting)) = known {
            self.board.note(service, view, muting, outcome);
        }
    }

    /// Maintenance and a reload may concern every service, also those that there is nothing to commit of.
    fn show_all(&self) {
        for service in self.monitor.services() {
            self.show(&service.id, None);
        }
    }

    /// `planned` is when the first of those was to start that are started now.
    fn start(&mut self, service: ServiceId, planned: Option<Duration>) {
        let run = self.runner.run(service.clone());
        let (slots, lateness, clock) = (self.slots.clone(), self.lateness.clone(), self.clock.clone());
        let task = self.running.spawn(async move {
            let _slot = slots.acquire_owned().await;
            if let Some(planned) = planned {
                lateness.note(clock.now().uptime.saturating_sub(planned));
            }
            run.await
        });
        self.started.insert(task.id(), service);
    }

    /// Waits until what was handed over is on disk.
    async fn settle(&mut self) -> Result<(), StoreGone> {
        let deadline = Instant::now() + PATIENCE;
        let mut verdict = Acknowledgement::Noted;
        for receipt in self.receipts.drain(..) {
            let written = timeout_at(deadline, receipt.written()).await;
            if !matches!(written, Ok(Ok(()))) {
                verdict = Acknowledgement::Unwritten;
            }
            match written {
                Ok(Ok(())) => {}
                Ok(Err(StoreError::Closed)) => return Err(StoreGone),
                // The store has told why; it tries again by itself.
                Ok(Err(error)) => debug!("a commit is not on disk yet: {error}"),
                Err(_elapsed) => {
                    error!("the disk has not answered for {PATIENCE:?}; checks go on");
                    self.store.stop_waiting();
                    break;
                }
            }
        }
        for answer in self.acknowledged.drain(..) {
            let _ = answer.send(verdict);
        }
        Ok(())
    }

    /// Lets running checks end: what they found counts, but starts nothing new.
    async fn drain(&mut self) -> Result<(), StoreGone> {
        let deadline = Instant::now() + DRAIN;
        while let Ok(Some(finished)) = timeout_at(deadline, self.running.join_next_with_id()).await {
            let Finished { service, outcome, kept } = self.report(finished);
            let _not_started = self.decide(Event::CheckFinished { service, outcome }, kept);
        }
        self.running.abort_all();
        self.settle().await
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
        if alert.kind == AlertKind::Notice {
            tracing::info!(service = %commit.service, "notice: {}", alert.summary);
            continue;
        }
        tracing::info!(service = %commit.service, incident = %alert.incident, "alert {}: {}", alert.kind, alert.summary);
    }
}

#[cfg(test)]
mod tests;
