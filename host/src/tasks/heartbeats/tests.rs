//! On paused time, so that pauses pass while the disk is waited for.

use std::sync::Mutex;
use std::time::Duration;

use pihook_core::Secret;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::SystemClock;
use crate::heartbeats::Record;
use crate::shutdown::{self, ShutdownSender};
use crate::store::StoreReader;

/// A clock whose calendar jumps.
struct Jumpy {
    clock: SystemClock,
    jumped: Mutex<Duration>,
}

impl Clock for Jumpy {
    fn now(&self) -> Moment {
        let Moment { uptime, wall } = self.clock.now();
        Moment { uptime, wall: wall.checked_add(*self.jumped.lock().unwrap()).unwrap() }
    }
}

struct Stage {
    folder: TempDir,
    heartbeats: Arc<Heartbeats>,
    clock: Arc<Jumpy>,
    arrivals: mpsc::Sender<Arrival>,
    checked: Arc<Mutex<Vec<ServiceId>>>,
    stop: ShutdownSender,
    task: JoinHandle<()>,
}

fn id() -> ServiceId {
    ServiceId::new("backup")
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("pihook.db"), Duration::from_secs(3600)).unwrap();
        let clock = Arc::new(Jumpy { clock: SystemClock::start(), jumped: Mutex::new(Duration::ZERO) });
        let heartbeats = Arc::new(Heartbeats::default());
        heartbeats.follow(vec![(id(), Secret::new("0123456789abcdef".into()))], Vec::new(), clock.now());
        let checked = Arc::new(Mutex::new(Vec::new()));
        let noted = checked.clone();
        let check_now: CheckNow = Arc::new(move |service| {
            noted.lock().unwrap().push(service);
            Box::pin(async {})
        });
        let (arrivals, receiver) = mpsc::channel(64);
        let (stop, stopping) = shutdown::channel();
        let writer =
            HeartbeatWriter { store, heartbeats: heartbeats.clone(), clock: clock.clone(), check_now };
        let task = tokio::spawn(writer.run(receiver, stopping));
        Self { folder, heartbeats, clock, arrivals, checked, stop, task }
    }

    async fn send(&self, service: ServiceId, message: &str) -> oneshot::Receiver<Result<(), Refused>> {
        let (answer, answered) = oneshot::channel();
        let sign = Sign { ok: true, message: message.to_owned(), took: None };
        let arrival = Arrival { service, at: self.clock.now(), sign, answer };
        self.arrivals.send(arrival).await.unwrap();
        answered
    }

    fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("pihook.db")
    }

    /// What the disk has.
    fn message(&self) -> Option<String> {
        let records = StoreReader::open(&self.database()).unwrap().heartbeats().unwrap();
        records.into_iter().find_map(|Record { last, .. }| Some(last?.1.message))
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_on_disk_when_it_is_answered_and_looked_at_by_a_check() {
    let stage = Stage::new();
    assert_eq!(stage.send(id(), "one").await.await, Ok(Ok(())));
    assert_eq!(stage.message().as_deref(), Some("one"));
    let known = stage.heartbeats.known(&id(), stage.clock.now()).unwrap();
    assert_eq!(known.last.unwrap().2.message, "one");
    stage.send(id(), "two").await.await.unwrap().unwrap();
    assert_eq!(stage.message().as_deref(), Some("two"));
    assert_eq!(*stage.checked.lock().unwrap().first().unwrap(), id());
    let stranger = stage.send(ServiceId::new("removed"), "x").await.await;
    assert_eq!(stranger, Ok(Err(Refused::Gone)));
}

#[tokio::test(start_paused = true)]
async fn of_many_within_a_second_the_newest_is_written_once() {
    let stage = Stage::new();
    stage.send(id(), "first").await.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for number in 1..=20 {
        answers.push(stage.send(id(), &number.to_string()).await);
    }
    let mut heard = Vec::new();
    for answer in answers {
        heard.push(answer.await.unwrap());
    }
    let refused = heard.iter().take_while(|answer| **answer == Err(Refused::TooMany)).count();
    assert!(refused == 12 && heard[12..].iter().all(Result::is_ok), "{heard:?}");
    assert_eq!(stage.message().as_deref(), Some("20"));
    stage.stop.shut_down();
    stage.task.await.unwrap();
    assert_eq!(stage.checked.lock().unwrap().len(), 2, "one write for the first, and one for all others");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_heard_and_tried_again() {
    let stage = Stage::new();
    let other = Connection::open(stage.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = stage.send(id(), "while locked").await.await.unwrap();
    assert!(matches!(&answer, Err(Refused::Unwritten(why)) if why.contains("locked")), "{answer:?}");
    assert!(stage.heartbeats.known(&id(), stage.clock.now()).unwrap().last.is_some());
    assert_eq!(stage.message(), None);
    other.execute_batch("ROLLBACK").unwrap();
    let began = Instant::now();
    while stage.message().is_none() {
        assert!(began.elapsed() < Duration::from_secs(600));
        tokio::time::sleep(RETRY).await;
    }
    stage.stop.shut_down();
    stage.task.await.unwrap();
    assert_eq!(stage.checked.lock().unwrap().len(), 1, "a check sees it before the disk does, and once");
}

#[tokio::test(start_paused = true)]
async fn what_a_wrong_clock_dated_is_put_right() {
    let stage = Stage::new();
    stage.send(id(), "early").await.await.unwrap().unwrap();
    let records = || StoreReader::open(&stage.database()).unwrap().heartbeats().unwrap();
    let before = records().remove(0);
    *stage.clock.jumped.lock().unwrap() = Duration::from_secs(1_000_000);
    let began = Instant::now();
    while records() == [before.clone()] {
        assert!(began.elapsed() < LOOK * 100);
        tokio::time::sleep(LOOK).await;
    }
    let after = records().remove(0);
    let moved = after.since.duration_since(before.since).as_secs();
    assert!((999_999..=1_000_001).contains(&moved), "{moved}");
    let moved = after.last.unwrap().0.duration_since(before.last.unwrap().0).as_secs();
    assert!((999_999..=1_000_001).contains(&moved), "{moved}");
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_what_has_come() {
    let stage = Stage::new();
    stage.send(id(), "one").await.await.unwrap().unwrap();
    let last = stage.send(id(), "last").await;
    stage.stop.shut_down();
    stage.task.await.unwrap();
    assert_eq!(last.await, Ok(Ok(())));
    let path = stage.folder.path().join("pihook.db");
    assert_eq!(
        StoreReader::open(&path).unwrap().heartbeats().unwrap()[0].last.as_ref().unwrap().1.message,
        "last"
    );
    assert!(stage.arrivals.is_closed());
}
