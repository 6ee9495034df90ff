use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Mutex;

use pihook_core::monitor::SavedState;
use pihook_core::{After, Cadence, Ladder, Level, Moment, Service, Severity, SinkId, Timestamp, ZoneId};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

use super::*;
use crate::clock::SystemClock;
use crate::shutdown;

/// Gives each run what is next in its script; when that is empty the run hangs.
#[derive(Default)]
struct Script {
    runs: Mutex<VecDeque<(Status, Option<KeptEntries>)>>,
    /// What each of them has for news.
    notice: Option<String>,
    /// Runs wait for this many others, so that they end together.
    gate: Option<tokio::sync::Barrier>,
    began: Notify,
    /// How many runs have ended.
    ended: watch::Sender<usize>,
}

struct Scripted(Arc<Script>);

impl CheckRunner for Scripted {
    fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        let script = self.0.clone();
        Box::pin(async move {
            let next = script.runs.lock().unwrap().pop_front();
            script.began.notify_one();
            let Some((status, kept)) = next else { return pending().await };
            if let Some(gate) = &script.gate {
                gate.wait().await;
            }
            script.ended.send_modify(|ended| *ended += 1);
            let outcome = Outcome { notice: script.notice.clone(), ..outcome(status) };
            Finished { service, outcome, kept }
        })
    }
}

fn outcome(status: Status) -> Outcome {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    Outcome {
        status,
        summary: status.to_string(),
        notice: None,
        response_time: None,
        attempts: 1,
        metrics: Vec::new(),
        at,
    }
}

fn service(id: &str, cadence: Cadence) -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::MIN),
        severity: Severity::Critical,
        sinks: vec![SinkId::new("discord")],
        mention: None,
        formatter: None,
        repeat: None,
    };
    Service {
        id: ServiceId::new(id),
        name: Arc::from(id),
        zone: ZoneId::new("local"),
        cadence,
        recover_after: NonZeroU32::MIN,
        depends_on: Vec::new(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

struct Stage {
    _folder: TempDir,
    path: PathBuf,
    store: Store,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pihook.db");
        let store = Store::open(&path, Duration::from_secs(3600)).unwrap();
        Self { _folder: folder, path, store }
    }

    fn engine(&self, services: Vec<Service>, script: &Arc<Script>) -> (Engine, EngineHandle) {
        let clock = Arc::new(SystemClock::start());
        let now: Moment = clock.now();
        let monitor = Monitor::new(services.into(), None, SavedState::default(), now);
        let runner = Arc::new(Scripted(script.clone()));
        Engine::new(monitor, runner, self.store.clone(), clock, Board::new())
    }

    fn count(&self, what: &str) -> i64 {
        let db = Connection::open(&self.path).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it takes for ever")
}

#[tokio::test]
async fn an_outage_of_many_services_waits_for_the_disk_a_few_times_only() {
    let stage = Stage::new();
    let services: Vec<_> = (0..100).map(|number| service(&format!("s{number}"), Cadence::Pushed)).collect();
    let script = Arc::new(Script {
        runs: Mutex::new(vec![(Status::Down, None); 100].into()),
        gate: Some(tokio::sync::Barrier::new(100)),
        ..Script::default()
    });
    let mut transactions = stage.store.deliveries_added();
    let (mut engine, _handle) = stage.engine(services.clone(), &script);
    for service in services {
        engine.start(service.id, None);
    }
    // The disk answers when all checks have ended, so that it does not matter how fast it is.
    let disk = Connection::open(&stage.path).unwrap();
    disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    let mut ended = script.ended.subscribe();
    soon(ended.wait_for(|ended| *ended == 100)).await.unwrap();
    disk.execute_batch("COMMIT").unwrap();
    while stage.count("deliveries") < 100 {
        soon(transactions.changed()).await.unwrap();
    }
    let transactions = *transactions.borrow();
    // What had ended when the engine began to wait, and the rest in a few takes: the runtime interrupts a task that has
    // done much. One each would be a hundred.
    assert!(transactions <= 10, "{transactions} transactions");
    stop.shut_down();
    soon(running).await.unwrap();
}

#[tokio::test]
async fn what_a_check_keeps_goes_with_its_outcome_in_the_last_moment_too() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    let kept: KeptEntries = [("key".to_owned(), vec![7])].into();
    script.runs.lock().unwrap().push_back((Status::Up, Some(kept.clone())));
    let (engine, _handle) =
        stage.engine(vec![service("a", Cadence::Every(Duration::from_secs(3600)))], &script);
    let (stop, stopping) = shutdown::channel();
    // Before it begins: the first event starts the check, and its report comes while the engine ends.
    stop.shut_down();
    soon(engine.run(stopping)).await;
    soon(stage.store.close()).await.unwrap();
    assert_eq!(stage.count("checks"), 1);
    let store = Store::open(&stage.path, Duration::from_secs(3600)).unwrap();
    assert_eq!(store.load_kept().await.unwrap(), [(ServiceId::new("a"), kept)].into());
}

#[tokio::test]
async fn news_and_what_the_check_keeps_of_them_are_on_disk_together_or_not_at_all() {
    let stage = Stage::new();
    let kept: KeptEntries = [("address".to_owned(), b"192.0.2.9".to_vec())].into();
    let script = Arc::new(Script {
        runs: Mutex::new([(Status::Up, Some(kept.clone()))].into()),
        notice: Some("it changed".to_owned()),
        ..Script::default()
    });
    let (engine, _handle) =
        stage.engine(vec![service("a", Cadence::Every(Duration::from_millis(5)))], &script);
    let lock = Connection::open(&stage.path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    // The run is decided, and the store has tried to write it.
    soon(stage.store.trouble().wait_for(Option::is_some)).await.unwrap();
    // Whoever dies here leaves neither: the next run finds the old address and has the same news.
    let facts = ["checks", "kept", "alerts", "deliveries"];
    assert_eq!(facts.map(|table| stage.count(table)), [0; 4]);
    lock.execute_batch("COMMIT").unwrap();
    soon(stage.store.trouble().wait_for(Option::is_none)).await.unwrap();
    assert_eq!(facts.map(|table| stage.count(table)), [1; 4]);
    stop.shut_down();
    soon(running).await.unwrap();
    let alert = stage.store.next_delivery(&SinkId::new("discord")).await.unwrap().unwrap().alert;
    assert_eq!((alert.kind, alert.summary.as_str()), (AlertKind::Notice, "it changed"));
    assert_eq!(stage.store.load_kept().await.unwrap(), [(ServiceId::new("a"), kept)].into());
    assert_eq!(stage.count("incidents"), 0);
}

#[tokio::test]
async fn what_a_check_keeps_waits_with_its_outcome_and_is_nobody_elses() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    let kept = |value: u8| KeptEntries::from([("key".to_owned(), vec![value])]);
    // The first failure is held until the other has answered, which keeps something else.
    let runs = [(Status::Down, Some(kept(1))), (Status::Up, Some(kept(2)))];
    script.runs.lock().unwrap().extend(runs);
    let hourly = Cadence::Every(Duration::from_secs(3600));
    let dependent = Service { depends_on: vec![ServiceId::new("b")], ..service("a", hourly) };
    let (engine, _handle) = stage.engine(vec![dependent, service("b", hourly)], &script);
    let (stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    while stage.count("incidents") == 0 {
        tokio::task::yield_now().await;
    }
    stop.shut_down();
    soon(running).await.unwrap();
    soon(stage.store.close()).await.unwrap();
    let store = Store::open(&stage.path, Duration::from_secs(3600)).unwrap();
    let each = [("a", 1), ("b", 2)].map(|(id, value)| (ServiceId::new(id), kept(value)));
    assert_eq!(store.load_kept().await.unwrap(), each.into());
}

#[tokio::test]
async fn the_engine_ends_with_the_store() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    let (engine, handle) = stage.engine(vec![service("own", Cadence::Pushed)], &script);
    let (_stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    handle.send(Command::Push(ServiceId::new("own"), outcome(Status::Down))).await;
    stage.store.close().await.unwrap();
    handle.send(Command::Push(ServiceId::new("own"), outcome(Status::Up))).await;
    soon(running).await.unwrap();
}

#[tokio::test]
async fn a_locked_database_stops_no_check() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    let down_and_up = (0..60).map(|number| if number % 2 == 0 { Status::Down } else { Status::Up });
    script.runs.lock().unwrap().extend(down_and_up.map(|status| (status, None)));
    let (engine, _handle) =
        stage.engine(vec![service("a", Cadence::Every(Duration::from_millis(5)))], &script);
    let lock = Connection::open(&stage.path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    while !script.runs.lock().unwrap().is_empty() {
        soon(script.began.notified()).await;
    }
    assert!(stage.store.trouble().borrow().is_some());
    lock.execute_batch("COMMIT").unwrap();
    let mut trouble = stage.store.trouble();
    soon(trouble.wait_for(Option::is_none)).await.unwrap();
    stop.shut_down();
    soon(running).await.unwrap();
    soon(stage.store.close()).await.unwrap();
    assert_eq!((stage.count("checks"), stage.count("incidents")), (60, 30));
}

#[tokio::test]
async fn a_check_that_is_asked_for_starts_at_once() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    script.runs.lock().unwrap().extend([(Status::Up, None), (Status::Down, None)]);
    let hourly = service("a", Cadence::Every(Duration::from_secs(3600)));
    let (engine, handle) = stage.engine(vec![hourly], &script);
    let (stop, stopping) = shutdown::channel();
    let running = tokio::spawn(engine.run(stopping));
    soon(script.began.notified()).await;
    handle.send(Command::CheckNow(ServiceId::new("stranger"))).await;
    handle.send(Command::CheckNow(ServiceId::new("a"))).await;
    while stage.count("incidents") == 0 {
        tokio::task::yield_now().await;
    }
    stop.shut_down();
    soon(running).await.unwrap();
}

/// Time as the paused runtime has it.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Moment {
        let uptime = self.0.elapsed();
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        Moment { uptime, wall: start + jiff::SignedDuration::try_from(uptime).unwrap() }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_waits_for_others_starts_late_and_that_is_known() {
    let stage = Stage::new();
    let every = Cadence::Every(Duration::from_secs(3600));
    let services: Vec<_> = (0..=RUNNING).map(|number| service(&format!("s{number}"), every)).collect();
    let script = Arc::new(Script::default());
    let clock = Arc::new(Paused(Instant::now()));
    let monitor = Monitor::new(services.into(), None, SavedState::default(), clock.now());
    let runner = Arc::new(Scripted(script.clone()));
    let (engine, _handle) = Engine::new(monitor, runner, stage.store.clone(), clock, Board::new());
    let (lateness, slots) = (engine.lateness(), engine.slots.clone());
    let (stop, shutdown) = shutdown::channel();
    let running = tokio::spawn(engine.run(shutdown));
    // All hang, and one too many is to start within the hour.
    while slots.available_permits() > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::sleep(Duration::from_secs(3700)).await;
    assert!(lateness.take() < Duration::from_secs(2), "they start on their beats");
    slots.add_permits(1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let late = lateness.take();
    assert!(late > Duration::from_secs(60), "{late:?}");
    assert_eq!(lateness.take(), Duration::ZERO);
    stop.shut_down();
    running.await.unwrap();
}

#[tokio::test]
async fn maintenance_is_written_down_and_shown_when_it_begins_and_ends() {
    let stage = Stage::new();
    let script = Arc::new(Script::default());
    let (engine, handle) = stage.engine(vec![service("a", Cadence::Pushed)], &script);
    let board = engine.board.clone();
    let (stop, shutdown) = shutdown::channel();
    let running = tokio::spawn(engine.run(shutdown));
    let flag = Flag { reason: Some("dust".to_owned()), ..Flag::default() };
    handle.send(Command::Maintenance(Some(flag))).await;
    soon(async {
        while board.picture().maintenance.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(board.picture().maintenance[0].reason.as_deref(), Some("dust"));
    handle.send(Command::Maintenance(None)).await;
    soon(async {
        while !board.picture().maintenance.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    stop.shut_down();
    soon(running).await.unwrap();
    stage.store.flush().await.unwrap();
    assert_eq!(stage.count("maintenance_log WHERE reason = 'dust' AND ended_ms >= began_ms"), 1);
    assert_eq!(stage.count("maintenance_log"), 1);
}
