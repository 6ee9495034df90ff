//! Bytes that reach the disk for each check: 100 services every 10 s, so 50 checks a transaction.
//!
//! The figures are printed: `cargo test wear -- --nocapture`. On a RAM disk they are 0.

use std::num::NonZeroU32;

use pihook_core::monitor::{Effect, Event, Monitor, SavedState};
use pihook_core::{After, Cadence, Ladder, Level, Moment, Service};

use super::*;
use crate::store::pending::Pending;
use crate::store::records::{self, Durability};
use crate::store::schema::{self, Layout};

const SERVICES: usize = 100;
const BATCH: usize = 50;
/// Bytes a check that PiHook may write, with some services dead for long.
const BUDGET: u64 = 400;

#[test]
fn bytes_written_for_each_check() {
    let checks = if std::env::var_os("PIHOOK_TEST_WEAR_LONG").is_some() { 200_000 } else { 20_000 };
    for page in [1024, 2048, 4096, 8192] {
        for checkpoint in [250, 1000, 4000] {
            let layout = Layout { page, checkpoint };
            let (written, size) = measure(layout, checks, 0);
            println!(
                "page {page:5}, checkpoint after {checkpoint:4} pages: {written:4} B written, {size:3} B kept a check"
            );
        }
    }
    for dead in [0, 1, 5, 20, 100] {
        let (written, size) = measure(Layout::CHOSEN, checks, dead);
        println!("{dead:3} dead services: {written:4} B written, {size:3} B kept a check");
        assert!(dead > 20 || written < BUDGET, "{written} B a check with {dead} dead services");
    }
}

/// The first `dead` services are down all the time; what is measured begins when their incidents have.
fn measure(layout: Layout, checks: usize, dead: usize) -> (u64, u64) {
    let place = Place::new();
    let mut db = schema::open(&place.path, layout, schema::BUSY_TIMEOUT).unwrap();
    let services: Vec<_> = (0..SERVICES).map(|number| registered(&name(number))).collect();
    records::register(&mut db, &services).unwrap();
    let mut monitor = Monitor::new(
        (0..SERVICES).map(service).collect::<Vec<_>>().into(),
        None,
        SavedState::default(),
        now(0),
    );
    let mut before = 0;
    for first in (0..checks + 10 * SERVICES).step_by(BATCH) {
        if first == 10 * SERVICES {
            before = written();
        }
        let mut pending = Pending::default();
        for number in first..first + BATCH {
            let event =
                Event::CheckFinished { service: ServiceId::new(&name(number)), outcome: seen(number, dead) };
            for effect in monitor.handle(event, now(number)) {
                let Effect::Commit(commit) = effect else { panic!("{effect:?}") };
                pending.push(commit, None, None);
            }
        }
        records::write(&mut db, &pending, Durability::Crash).unwrap();
    }
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let written = written() - before;
    db.close().unwrap();
    let size = std::fs::metadata(&place.path).unwrap().len();
    (written / checks as u64, size / checks as u64)
}

fn name(number: usize) -> String {
    format!("service-{}", number % SERVICES)
}

fn now(number: usize) -> Moment {
    let uptime = Duration::from_millis(100 * number as u64);
    Moment { uptime, wall: at(uptime.as_secs().try_into().unwrap()) }
}

fn service(number: usize) -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::new(3).unwrap()),
        severity: Severity::Critical,
        sinks: vec![SinkId::new("discord")],
        mention: None,
        formatter: None,
        repeat: Some(Duration::from_secs(4 * 3600)),
    };
    Service {
        id: ServiceId::new(&name(number)),
        name: Arc::from(name(number)),
        zone: ZoneId::new("local"),
        cadence: Cadence::Pushed,
        recover_after: NonZeroU32::new(2).unwrap(),
        depends_on: Vec::new(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

fn seen(number: usize, dead: usize) -> Outcome {
    let response_time = Duration::from_micros(2_000 + (number as u64 * 7919) % 90_000);
    let up = Outcome { response_time: Some(response_time), at: now(number).wall, ..outcome("HTTP 200") };
    if number % SERVICES >= dead {
        return up;
    }
    let summary = "cannot connect to 192.168.1.20:8096: connection refused".to_owned();
    Outcome { status: Status::Down, summary, response_time: None, ..up }
}

/// Bytes that this thread has caused to be written.
pub(super) fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
