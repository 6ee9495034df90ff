//! On paused time, with a sink that is out of reach until it is not.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use pihook_core::{After, Cadence, Ladder, Level, Message, ServiceId, SinkId, ZoneId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::clock::SystemClock;
use crate::shutdown::{self, ShutdownSender};
use crate::sinks::{Asking, SendContext, Sending};
use crate::tasks::deliver::Outlet;
use pihook_core::dispatch::Policy;

fn flagged() -> Maintenance {
    Maintenance { flag: Some(pihook_core::maintenance::Flag::default()), ..Maintenance::default() }
}

struct Recorder {
    titles: mpsc::Sender<String>,
    /// How many attempts fail first.
    failures: AtomicU32,
}

impl Sink for Recorder {
    fn kind(&self) -> &'static str {
        "recorder"
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    fn send<'a>(&'a self, message: &'a Message, _context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            if self.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                return Verdict::Retry("unreachable".to_owned());
            }
            self.titles.send(message.title.clone()).await.unwrap();
            Verdict::Sent
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async { Ok(()) })
    }
}

struct Stage {
    trouble: watch::Sender<Option<String>>,
    maintenance: watch::Sender<Maintenance>,
    titles: mpsc::Receiver<String>,
    _sinks: watch::Sender<Arc<SinkSet>>,
    stop: ShutdownSender,
    task: JoinHandle<()>,
}

impl Stage {
    fn new(failures: u32) -> Self {
        let (sender, titles) = mpsc::channel(10);
        let recorder = Recorder { titles: sender, failures: AtomicU32::new(failures) };
        let outlet = Outlet {
            sink: Arc::new(recorder),
            formatter: String::new(),
            digest_formatter: String::new(),
            policy: Policy::EACH,
        };
        let sinks = watch::Sender::new(Arc::new(SinkSet::from([(SinkId::new("chat"), outlet)])));
        let (trouble, maintenance) = (watch::Sender::new(None), watch::Sender::new(Maintenance::default()));
        let teller = TroubleTeller {
            trouble: trouble.subscribe(),
            lost: watch::Sender::default().subscribe(),
            sinks: sinks.subscribe(),
            maintenance: maintenance.subscribe(),
            clock: Arc::new(SystemClock::start()),
            database: database(),
        };
        let (stop, stopped) = shutdown::channel();
        let task = tokio::spawn(teller.run(stopped));
        Self { trouble, maintenance, titles, _sinks: sinks, stop, task }
    }

    fn fails(&self) {
        self.trouble.send_replace(Some("disk full".to_owned()));
    }

    fn works(&self) {
        self.trouble.send_replace(None);
    }

    async fn told(&mut self) -> String {
        self.titles.recv().await.unwrap()
    }

    async fn silent_for(&mut self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
        assert!(self.titles.try_recv().is_err());
    }
}

fn database() -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::MIN),
        severity: Severity::Critical,
        sinks: Vec::new(),
        mention: None,
        formatter: None,
        repeat: None,
    };
    Service {
        id: ServiceId::new("pihook:database"),
        name: Arc::from("PiHook's database"),
        zone: ZoneId::new("pihook"),
        cadence: Cadence::Pushed,
        recover_after: NonZeroU32::MIN,
        depends_on: Vec::new(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

const BAD: &str = "PiHook's database is down";
const GOOD: &str = "PiHook's database is up again";

#[tokio::test(start_paused = true)]
async fn trouble_is_told_after_a_minute_and_so_is_its_end() {
    let mut stage = Stage::new(0);
    let began = Instant::now();
    stage.fails();
    assert_eq!(stage.told().await, BAD);
    assert_eq!(began.elapsed().as_secs(), 60);
    stage.trouble.send_replace(Some("disk still full".to_owned()));
    stage.silent_for(7200).await;
    stage.works();
    assert_eq!(stage.told().await, GOOD);
    stage.silent_for(7200).await;
    stage.fails();
    assert_eq!(stage.told().await, BAD);
    stage.stop.shut_down();
    stage.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_moment_is_not_told() {
    let mut stage = Stage::new(0);
    for _ in 0..10 {
        stage.fails();
        sleep(Duration::from_secs(59)).await;
        stage.works();
        sleep(Duration::from_secs(1)).await;
    }
    stage.silent_for(7200).await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_out_of_reach_is_told_when_it_is_back() {
    let mut stage = Stage::new(5);
    let began = Instant::now();
    stage.fails();
    assert_eq!(stage.told().await, BAD);
    assert!(began.elapsed() > Duration::from_secs(60 + 20), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn maintenance_mutes_it() {
    let mut stage = Stage::new(0);
    stage.maintenance.send_replace(flagged());
    stage.fails();
    stage.silent_for(7200).await;
    stage.maintenance.send_replace(Maintenance::default());
    assert_eq!(stage.told().await, BAD);
    stage.maintenance.send_replace(flagged());
    stage.works();
    stage.silent_for(7200).await;
    stage.maintenance.send_replace(Maintenance::default());
    assert_eq!(stage.told().await, GOOD);
}

#[test]
fn what_was_lost_is_told_with_the_recovery() {
    let lost = Lost {
        outcomes: 12,
        alerts: 1,
        span: Some((pihook_core::Timestamp::UNIX_EPOCH, pihook_core::Timestamp::UNIX_EPOCH)),
        ..Lost::default()
    };
    assert_eq!(
        recovered(lost),
        "Results are written again. Memory could not hold all of them; lost: 12 results, 1 alert."
    );
    assert_eq!(recovered(Lost::default()), "Results are written again.");
}
