mod browse;
mod checkpoint;
mod commits;
mod crash;
mod damage;
mod format;
mod heartbeats;
mod history;
mod maintenance;
mod outbox;
mod reader;
mod trouble;
mod wear;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::monitor::{
    Commit, HeldNotice, Incident, Logged, Muting, SavedIncident, SavedService, Transition, Urgency,
};
use pihook_core::{
    Alert, AlertKind, IncidentId, Mention, Outcome, Reason, ServiceId, Severity, SinkId, Status, Timestamp,
    ZoneId,
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::writer::Tuning;
use super::{Delivery, RegisteredService, Store, StoreError, Waiting, archive, writer};

/// So long that only something else can have caused a write.
const NEVER: Duration = Duration::from_secs(3600);

impl Store {
    /// The sink's oldest pending delivery.
    pub(crate) async fn next_delivery(&self, sink: &SinkId) -> Result<Option<Delivery>, StoreError> {
        let (Waiting::Begun(deliveries) | Waiting::Free(deliveries)) = self.waiting(sink, 1).await?;
        Ok(deliveries.into_iter().next())
    }

    /// Notes that the sink has taken one delivery.
    pub(crate) async fn delivery_sent(&self, delivery: i64, at: Timestamp) -> Result<(), StoreError> {
        self.deliveries_sent(vec![delivery], at).await
    }

    /// Keeps the writer busy until the sender is used or dropped; it is when this returns.
    async fn block(&self) -> std::sync::mpsc::SyncSender<()> {
        let (go, until) = std::sync::mpsc::sync_channel(1);
        let (started, running) = tokio::sync::oneshot::channel();
        let wait = move |_: &mut Connection| {
            started.send(()).unwrap();
            let _dropped = until.recv();
            Ok(())
        };
        let jobs = self.jobs.clone();
        tokio::spawn(async move { writer::call(&jobs, wait).await });
        running.await.unwrap();
        go
    }
}

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("pihook.db");
        Self { _folder: folder, path }
    }

    fn store(&self) -> Store {
        Store::open(&self.path, NEVER).unwrap()
    }

    /// A second connection, as any tool would open it.
    fn peek(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    fn summaries(&self) -> Vec<String> {
        let db = self.peek();
        let mut statement = db.prepare("SELECT summary FROM checks ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

fn outcome(summary: &str) -> Outcome {
    Outcome {
        status: Status::Up,
        summary: summary.to_owned(),
        notice: None,
        response_time: Some(Duration::from_micros(12_345)),
        attempts: 1,
        metrics: Vec::new(),
        at: at(0),
    }
}

pub(super) fn ordinary(service: &str, summary: &str) -> Commit {
    Commit {
        service: ServiceId::new(service),
        urgency: Urgency::Ordinary,
        outcome: Some(Logged { outcome: outcome(summary), maintenance: Muting::Audible }),
        transition: None,
        incident: None,
        state: None,
        alerts: Vec::new(),
    }
}

fn urgent(service: &str, summary: &str) -> Commit {
    Commit { urgency: Urgency::AtOnce, ..ordinary(service, summary) }
}

pub(super) fn alert(kind: AlertKind, incident: u64, sinks: &[&str]) -> Alert {
    Alert {
        kind,
        reason: Reason::Failures,
        incident: IncidentId(incident),
        service: ServiceId::new("jellyfin"),
        name: Arc::from("Jellyfin"),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention: Some(Mention::Role("42".to_owned())),
        formatter: None,
        at: at(30),
        since: at(10),
        lasted: Duration::from_nanos(20_000_000_001),
        failures: 3,
        summary: "HTTP 500 \"teapot\" ☕".to_owned(),
        response_time: None,
        sinks: sinks.iter().map(|sink| SinkId::new(sink)).collect(),
    }
}

pub(super) fn telling(alerts: Vec<Alert>) -> Commit {
    Commit { outcome: None, alerts, ..urgent("jellyfin", "") }
}

pub(super) fn incident() -> Incident {
    Incident {
        id: IncidentId(7),
        opened: at(10),
        closed: None,
        severity: Severity::Critical,
        status: Status::Down,
        reason: "connection refused".to_owned(),
        checks_failed: 3,
        acknowledged: Some(at(20)),
    }
}

pub(super) fn state() -> SavedService {
    SavedService {
        bad_streak: 3,
        good_streak: 1,
        unknown_streak: 2,
        suspect_since: Some(at(10)),
        suspect_for: Duration::from_nanos(123_456_789),
        incident: Some(SavedIncident {
            record: incident(),
            saved_at: at(31),
            status: Status::Degraded,
            level: 1,
            lasted: Duration::from_secs(20),
            told: vec![SinkId::new("discord"), SinkId::new("phone")],
            announced: true,
            maintenance: Muting::Muted,
            since_alert: Duration::from_millis(1),
            held_recovery: Some((at(40), Duration::from_secs(30))),
            last_summary: "slow".to_owned(),
            last_response_time: Some(Duration::from_secs(3)),
            flapping: true,
        }),
        held_notice: Some(HeldNotice { text: "it restarted".to_owned(), at: at(41) }),
        outcomes: 5,
        explained_by: Some("Router is down".to_owned()),
    }
}

fn transition() -> Transition {
    Transition { from: Status::Up, to: Status::Down, at: at(30) }
}

fn registered(id: &str) -> RegisteredService {
    RegisteredService {
        id: ServiceId::new(id),
        name: id.to_uppercase(),
        zone: ZoneId::new("local"),
        check: "http".to_owned(),
        every: Some(Duration::from_secs(60)),
    }
}

/// Packs so many at most, and returns how many it were.
fn pack(db: &mut Connection, now_ms: i64, limit: usize) -> Result<usize, StoreError> {
    let batch = archive::read(db, now_ms, limit)?;
    archive::pack(db, batch)
}

/// Waits until the condition holds; the test's own time limit is the bound.
async fn eventually(mut holds: impl FnMut() -> bool) {
    tokio::time::timeout(Duration::from_secs(60), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the state was not reached");
}
