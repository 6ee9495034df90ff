//! A real store that is locked, and a sink on paused time.

use std::sync::Mutex;

use pihook_core::monitor::{Commit, Urgency};
use pihook_core::{AlertKind, IncidentId, Reason, ServiceId, Severity, Status, ZoneId};
use rusqlite::Connection;
use tokio::time::Instant;

use super::*;
use crate::clock::SystemClock;
use crate::shutdown;
use crate::sinks::{Asking, SendContext, Sending};
use crate::tasks::deliver::Outlet;
use pihook_core::dispatch::Policy;

#[derive(Default)]
struct Recorder {
    verdicts: Mutex<Vec<Verdict>>,
    bodies: Mutex<Vec<String>>,
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
            self.bodies.lock().unwrap().push(message.body.clone());
            self.verdicts.lock().unwrap().pop().unwrap_or(Verdict::Sent)
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async { Ok(()) })
    }
}

fn opened(incident: u64) -> Commit {
    let now = SystemClock::start().now().wall;
    let alert = Alert {
        kind: AlertKind::Opened,
        reason: Reason::Failures,
        incident: IncidentId(incident),
        service: ServiceId::new("nas"),
        name: Arc::from("NAS"),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention: None,
        at: now,
        since: now,
        lasted: Duration::ZERO,
        failures: 3,
        summary: format!("refused {incident}"),
        response_time: None,
        formatter: None,
        sinks: vec![SinkId::new("chat")],
    };
    Commit {
        service: ServiceId::new("nas"),
        urgency: Urgency::AtOnce,
        outcome: None,
        transition: None,
        incident: None,
        state: None,
        alerts: vec![alert],
    }
}

#[tokio::test(start_paused = true)]
async fn alerts_that_cannot_be_written_are_told_once_after_a_grace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pihook.db");
    let store = Store::open(&path, Duration::from_secs(1)).unwrap();
    let sink = Arc::new(Recorder::default());
    sink.verdicts.lock().unwrap().push(Verdict::Retry("unreachable".to_owned()));
    let outlet = Outlet {
        sink: sink.clone(),
        formatter: String::new(),
        digest_formatter: String::new(),
        policy: Policy::EACH,
    };
    let sinks = watch::Sender::new(Arc::new(SinkSet::from([(SinkId::new("chat"), outlet)])));
    let teller =
        HeldTeller { store: store.clone(), sinks: sinks.subscribe(), clock: Arc::new(SystemClock::start()) };
    let (stop, stopped) = shutdown::channel();
    let task = tokio::spawn(teller.run(stopped));
    let lock = Connection::open(&path).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.stop_waiting();
    let began = Instant::now();
    for incident in 1..=2 {
        assert!(store.commit(opened(incident)).await.is_err());
    }
    let told = || sink.bodies.lock().unwrap().clone();
    while told().len() < 3 {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() >= GRACE, "{:?}", began.elapsed());
    assert!(told()[0].contains("refused 1") && told()[1].contains("refused 1"), "tried again: {:?}", told());
    assert!(told()[2].contains("refused 2") && told()[2].contains("from memory"), "{:?}", told());
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(told().len(), 3, "each is told once");
    drop(lock);
    store.trouble().wait_for(Option::is_none).await.unwrap();
    assert!(store.next_delivery(&SinkId::new("chat")).await.unwrap().is_none(), "it would be told twice");
    stop.shut_down();
    task.await.unwrap();
}
