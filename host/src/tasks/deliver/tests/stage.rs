//! What the tests stand on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pihook_core::monitor::{Commit, Urgency};
use pihook_core::{
    AlertKind, Colour, IncidentId, Moment, Reason, ServiceId, Severity, Status, Timestamp, ZoneId,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::super::*;
use crate::shutdown::{self, ShutdownSender};
use crate::store::{RegisteredService, StoreReader, UndeliveredRow};

/// When alerts are decided, unless a test says otherwise.
pub(super) const DECIDED: &str = "2026-11-22T09:02:00Z";

/// A wall clock that a test sets.
pub(super) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(super) fn set(&self, wall: &str) {
        *self.0.lock().unwrap() = wall.parse().unwrap();
    }
}

impl Clock for SetClock {
    fn now(&self) -> Moment {
        Moment { uptime: Duration::ZERO, wall: *self.0.lock().unwrap() }
    }
}

/// Words alerts as `<service> <kind> #<count>`, and counts.
#[derive(Default)]
pub(super) struct CountingFormatter(AtomicUsize);

impl CountingFormatter {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Formatter for CountingFormatter {
    fn format<'a>(&'a self, formatter: &'a str, alert: &'a Alert, _sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(async move {
            let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            match formatter {
                "hangs" => std::future::pending().await,
                "panics" if count < 3 => panic!("a formatter's bug"),
                _ => Message {
                    title: format!("{} {} #{count}", alert.service, alert.kind),
                    body: String::new(),
                    fields: Vec::new(),
                    colour: Colour::Bad,
                },
            }
        })
    }

    fn digest<'a>(&'a self, formatter: &'a str, alerts: &'a [Alert], _sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(async move {
            let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            match formatter {
                "hangs" => std::future::pending().await,
                "panics" if count < 3 => panic!("a formatter's bug"),
                _ => {
                    let names: Vec<_> = alerts.iter().map(|alert| alert.service.as_str()).collect();
                    Message {
                        title: format!("{} #{count}", names.join("+")),
                        body: String::new(),
                        fields: Vec::new(),
                        colour: Colour::Bad,
                    }
                }
            }
        })
    }
}

/// A database, a formatter, a clock; and the deliverer while it runs.
pub(super) struct Stage {
    pub(super) store: Store,
    pub(super) formatter: Arc<CountingFormatter>,
    pub(super) clock: Arc<SetClock>,
    pub(super) standings: watch::Sender<Standings>,
    dir: TempDir,
    running: Option<Running>,
}

struct Running {
    sinks: watch::Sender<Arc<SinkSet>>,
    stop: ShutdownSender,
    task: JoinHandle<()>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("pihook.db"), Duration::ZERO).unwrap();
        let clock = Arc::new(SetClock(Mutex::new(DECIDED.parse().unwrap())));
        let standings = watch::Sender::new(Standings::new());
        Self { store, formatter: Arc::default(), clock, standings, dir, running: None }
    }

    pub(super) fn deliverer(&self) -> Deliverer {
        Deliverer {
            store: self.store.clone(),
            formatter: Arc::clone(&self.formatter) as Arc<dyn Formatter>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            zone: TimeZone::UTC,
            standings: self.standings.clone(),
        }
    }

    /// Starts delivering to these.
    pub(super) fn run(&mut self, sinks: SinkSet) {
        let deliverer = self.deliverer();
        let (sinks, receiver) = watch::channel(Arc::new(sinks));
        let (stop, stopped) = shutdown::channel();
        self.running = Some(Running { sinks, stop, task: tokio::spawn(deliverer.run(receiver, stopped)) });
    }

    /// Replaces the sinks of the running deliverer.
    pub(super) fn reload(&self, sinks: SinkSet) {
        self.running.as_ref().unwrap().sinks.send_replace(Arc::new(sinks));
    }

    /// Stops delivering, as the daemon does.
    pub(super) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.shut_down();
        running.task.await.unwrap();
    }

    /// Decides an alert about this service for these sinks.
    pub(super) async fn decide(&self, service: &str, sinks: &[&str]) {
        self.decide_all(service, vec![alert(service, sinks)]).await;
    }

    /// Decides these alerts about this service.
    pub(super) async fn decide_all(&self, service: &str, alerts: Vec<Alert>) {
        let row = RegisteredService {
            id: ServiceId::new(service),
            name: service.to_owned(),
            zone: ZoneId::new("local"),
            check: "http".to_owned(),
            every: None,
        };
        self.store.register(vec![row]).await.unwrap();
        let commit = Commit {
            service: ServiceId::new(service),
            urgency: Urgency::AtOnce,
            outcome: None,
            transition: None,
            incident: None,
            state: None,
            alerts,
        };
        self.store.commit(commit).await.unwrap();
    }

    /// What is pending or dead.
    pub(super) fn undelivered(&self) -> Vec<UndeliveredRow> {
        StoreReader::open(&self.dir.path().join("pihook.db")).unwrap().undelivered().unwrap()
    }

    /// Waits for a state of the database.
    pub(super) async fn until(&self, what: &str, state: impl Fn(&[UndeliveredRow]) -> bool) {
        for _ in 0..1000 {
            if state(&self.undelivered()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not reached: {what}; {:#?}", self.undelivered());
    }

    /// Lets the workers hear the database's answers. It answers one after the other, so a few questions of our own do.
    pub(super) async fn settle(&self) {
        for _ in 0..10 {
            self.store.sinks_with_pending().await.unwrap();
        }
    }

    /// Waits until a sink is doing like this.
    pub(super) async fn until_standing(&self, sink: &str, standing: impl Fn(&Standing) -> bool) {
        let mut standings = self.standings.subscribe();
        let sink = SinkId::new(sink);
        let reached = standings.wait_for(|standings| standings.get(&sink).is_some_and(&standing));
        tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
    }

    /// Waits until the database has this many disabled sinks.
    pub(super) async fn until_disabled(&self, count: usize) {
        for _ in 0..1000 {
            if self.store.disabled_sinks().await.unwrap().len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {count} disabled sinks: {:#?}", self.store.disabled_sinks().await);
    }
}

pub(super) fn alert(service: &str, sinks: &[&str]) -> Alert {
    Alert {
        kind: AlertKind::Opened,
        reason: Reason::Failures,
        incident: IncidentId(1),
        service: ServiceId::new(service),
        name: Arc::from(service),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention: None,
        formatter: None,
        at: DECIDED.parse().unwrap(),
        since: DECIDED.parse().unwrap(),
        lasted: Duration::from_secs(60),
        failures: 3,
        summary: "connection refused".to_owned(),
        response_time: None,
        sinks: sinks.iter().map(|sink| SinkId::new(sink)).collect(),
    }
}

/// A set of sinks, each worded by the formatter of this id.
pub(super) fn set<const N: usize>(formatter: &str, sinks: [(&str, Arc<dyn Sink>); N]) -> SinkSet {
    set_with(formatter, &Policy::EACH, sinks)
}

/// The same, all told in this way.
pub(super) fn set_with<const N: usize>(
    formatter: &str,
    policy: &Policy,
    sinks: [(&str, Arc<dyn Sink>); N],
) -> SinkSet {
    let outlet = |sink| Outlet {
        sink,
        formatter: formatter.to_owned(),
        digest_formatter: formatter.to_owned(),
        policy: policy.clone(),
    };
    sinks.into_iter().map(|(id, sink)| (SinkId::new(id), outlet(sink))).collect()
}
