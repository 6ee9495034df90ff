//! Wear and size over a year: 100 services every 60 s, packed each hour, pruned each week, with a clock of its own.
//!
//! `cargo run --release -p pihook-bench --bin year [DAYS [COMMIT_EVERY]]`, in a folder on a disk: on a RAM disk
//! nothing is written. Without arguments it is 365 days with the default `commit_every`, and a day with others.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock and prints"
)]

use std::time::{Duration, Instant};

use pihook::store::bare::Bare;
use pihook::store::{Cutoff, RegisteredService};
use pihook::tasks::weekly::PACKED;
use pihook_core::monitor::{Commit, Logged, Muting, Urgency};
use pihook_core::{Outcome, ServiceId, Status, Timestamp, ZoneId};

const SERVICES: u64 = 100;
const DAY: u64 = 86_400;
/// Default retention, in days.
const CHECKS_KEPT: u64 = 30;
const ROLLUPS_KEPT: u64 = 400;
/// The default of `history.commit_every`, in seconds.
const COMMIT_EVERY: u64 = 60;
/// A Wednesday, 0:00 UTC, in seconds.
const FIRST: u64 = 1_788_912_000;

/// What a simulation came to.
struct Figures {
    written: u64,
    size: u64,
    checks: u64,
    packing: Duration,
    pruning: Duration,
    committing: Duration,
    checkpoints: Duration,
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap());
    let (days, every) = (arguments.next(), arguments.next());
    if days.is_none() {
        for commit_every in [5, 15, 30] {
            print(1, commit_every);
        }
    }
    print(days.unwrap_or(365), every.unwrap_or(COMMIT_EVERY));
}

fn print(days: u64, commit_every: u64) {
    let it = simulate(days, commit_every);
    println!(
        "{days} days, commit_every {commit_every} s: {} B written a check, {} KB in the end, {} B kept a check; longest \
         turn of the writer: packing {:?}, pruning {:?}, results {:?}; longest beside it: copying the log {:?}",
        it.written / it.checks,
        it.size / 1000,
        it.size / it.checks,
        it.packing,
        it.pruning,
        it.committing,
        it.checkpoints,
    );
}

fn simulate(days: u64, commit_every: u64) -> Figures {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("pihook.db");
    let names: Vec<_> = (0..SERVICES).map(|number| ServiceId::new(&format!("service-{number}"))).collect();
    let mut db = Bare::open(&path, &names.iter().map(registered).collect::<Vec<_>>()).unwrap();
    let (before, mut pending) = (written(), Vec::new());
    let mut it = Figures {
        written: 0,
        size: 0,
        checks: 0,
        packing: Duration::ZERO,
        pruning: Duration::ZERO,
        committing: Duration::ZERO,
        checkpoints: Duration::ZERO,
    };
    for second in 0..days * DAY {
        // Each second so many of the hundred are due as come round in a minute.
        let place = second % 60;
        for (number, name) in (0..).zip(&names) {
            if (place * SERVICES / 60..(place + 1) * SERVICES / 60).contains(&number) {
                pending.push(check(name, number, second));
                it.checks += 1;
            }
        }
        if (second + 1).is_multiple_of(commit_every) {
            timed(&mut it.committing, || db.write(std::mem::take(&mut pending)).unwrap());
        }
        if second % 3600 == 60 {
            loop {
                let batch = db.packable(at(second), PACKED).unwrap();
                if batch.is_empty() {
                    break;
                }
                timed(&mut it.packing, || db.pack(batch).unwrap());
            }
            while timed(&mut it.packing, || db.add_up_day(at(second)).unwrap()) {}
        }
        if (second + 1).is_multiple_of(7 * DAY) {
            let ago = |days: u64| at(second.saturating_sub(days * DAY));
            let cutoff = Cutoff { checks: ago(CHECKS_KEPT), rollups: ago(ROLLUPS_KEPT) };
            while timed(&mut it.pruning, || db.prune_step(cutoff).unwrap()) {}
        }
        timed(&mut it.checkpoints, || db.checkpoint_if_due().unwrap());
    }
    db.close().unwrap();
    it.written = written() - before;
    it.size = std::fs::metadata(&path).unwrap().len();
    it
}

fn timed<T>(longest: &mut Duration, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = work();
    *longest = (*longest).max(began.elapsed());
    result
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second((FIRST + second).try_into().unwrap()).unwrap()
}

fn registered(id: &ServiceId) -> RegisteredService {
    RegisteredService {
        id: id.clone(),
        name: id.to_string(),
        zone: ZoneId::new("local"),
        check: "http".to_owned(),
        every: Some(Duration::from_secs(60)),
    }
}

/// Response times of a service lie around its own, now and then far off; one check in a thousand fails.
fn check(service: &ServiceId, number: u64, second: u64) -> Commit {
    let mut noise = second * SERVICES + number;
    let mut random = || {
        // SplitMix64.
        noise = noise.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (noise ^ (noise >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let usual = 2_000 + number * 700;
    // Three dice: most throws are near the middle, within half and one and a half of the usual.
    let spread: u64 = (0..3).map(|_| random() % (usual / 3)).sum();
    let tail = if random() % 50 == 0 { usual * (random() % 8) } else { 0 };
    let fails = random() % 1000 == 0;
    let jitter = Duration::from_millis(random() % 4);
    let outcome = Outcome {
        status: if fails { Status::Down } else { Status::Up },
        summary: if fails { "connection refused" } else { "HTTP 200" }.to_owned(),
        notice: None,
        response_time: (!fails).then(|| Duration::from_micros(usual / 2 + spread + tail)),
        attempts: 1,
        metrics: Vec::new(),
        at: at(second) + jitter,
    };
    Commit {
        service: service.clone(),
        urgency: Urgency::Ordinary,
        outcome: Some(Logged { outcome, maintenance: Muting::Audible }),
        transition: None,
        incident: None,
        state: None,
        alerts: Vec::new(),
    }
}

/// Bytes that this thread has caused to be written.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    bytes.unwrap().parse().unwrap()
}

#[cfg(test)]
mod tests {
    /// Two days of the year: what is written has its highest rate, and growth a day is what the year's size follows from.
    #[test]
    fn a_check_stays_within_its_budget() {
        let it = super::simulate(2, super::COMMIT_EVERY);
        assert!(it.written / it.checks < 300, "{} B written a check", it.written / it.checks);
        assert!(it.size / it.checks < 20, "{} B kept a check", it.size / it.checks);
    }
}
