//! Wear and size over months: 100 services every 60 s, packed each hour, pruned each week, with a scripted clock.
//!
//! `cargo test --release -p pihook --lib a_simulated_year -- --nocapture` prints the figures. One day is simulated
//! by default; `PIHOOK_TEST_YEAR_DAYS=365` makes it the year. On a RAM disk nothing is written.

use tokio::time::Instant;

use super::wear::written;
use super::*;
use crate::store::archive::pack;
use crate::store::pending::Pending;
use crate::store::prune::{Cutoff, step};
use crate::store::records::{self, Durability};
use crate::store::schema::{self, Layout};
use crate::tasks::weekly::PACKED;

const SERVICES: i64 = 100;
const DAY: i64 = 86_400;
/// Bytes a check that may be written.
const BUDGET: u64 = 330;

/// What a simulation came to.
struct Figures {
    written: u64,
    size: u64,
    checks: u64,
    packing: Duration,
    pruning: Duration,
}

#[test]
fn a_simulated_year() {
    let days = std::env::var("PIHOOK_TEST_YEAR_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(1);
    for commit_every in [5, 15, 30, 60] {
        let days = if commit_every == 60 { days } else { 1 };
        let Figures { written, size, checks, packing, pruning } = simulate(days, commit_every);
        println!(
            "commit_every {commit_every:2} s, {days:3} days: {:3} B written a check, {:.1} MB at the end, {:.1} B kept a \
             check, longest packing {packing:?}, longest step of pruning {pruning:?}",
            written / checks,
            size as f64 / 1e6,
            size as f64 / checks as f64,
        );
        assert!(commit_every != 60 || written / checks < BUDGET, "{} B a check", written / checks);
        assert!(size < 150_000_000, "{size} B");
    }
}

fn simulate(days: i64, commit_every: i64) -> Figures {
    let place = Place::new();
    let mut db = schema::open(&place.path, Layout::CHOSEN, schema::BUSY_TIMEOUT).unwrap();
    let names: Vec<String> = (0..SERVICES).map(|number| format!("service-{number}")).collect();
    records::register(&mut db, &names.iter().map(|name| registered(name)).collect::<Vec<_>>()).unwrap();
    let (before, mut pending, mut checks) = (written(), Pending::default(), 0);
    let (mut packing, mut pruning) = (Duration::ZERO, Duration::ZERO);
    for second in 0..days * DAY {
        // Each second so many of the hundred are due as come round in a minute.
        let due = (second % 60) * SERVICES / 60..(second % 60 + 1) * SERVICES / 60;
        for number in due {
            pending.push(check(&names[number as usize], number, second), None, None);
            checks += 1;
        }
        if second % commit_every == commit_every - 1 {
            records::write(&mut db, &std::mem::take(&mut pending), Durability::Crash).unwrap();
        }
        if second % 3600 == 60 {
            let begun = Instant::now();
            while pack(&mut db, at(second).as_millisecond(), PACKED).unwrap() == PACKED {}
            packing = packing.max(begun.elapsed());
        }
        if second % (7 * DAY) == 7 * DAY - 1 {
            let cutoff = Cutoff { checks: at(second - 30 * DAY), rollups: at(second - 400 * DAY) };
            loop {
                let begun = Instant::now();
                let more = step(&mut db, cutoff).unwrap();
                pruning = pruning.max(begun.elapsed());
                if !more {
                    break;
                }
            }
        }
    }
    let rollups = "SELECT count(*) || ' roll-ups with sketches of ' || avg(length(sketch)) || ' B, ' ||
        (SELECT sum(json_array_length(checks)) || ' packed checks of ' ||
             1.0 * sum(length(checks)) / sum(json_array_length(checks)) || ' B' FROM archive) FROM rollups";
    println!("{}", db.query_row(rollups, [], |row| row.get::<_, String>(0)).unwrap());
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let written = written() - before;
    db.close().unwrap();
    Figures { written, size: std::fs::metadata(&place.path).unwrap().len(), checks, packing, pruning }
}

/// Response times of a service lie around its own, now and then far off; one check in a thousand fails.
fn check(name: &str, number: i64, second: i64) -> Commit {
    let mut noise = (second * SERVICES + number) as u64;
    let mut random = || {
        // SplitMix64.
        noise = noise.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (noise ^ (noise >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let usual = 2_000 + number as u64 * 700;
    // Three dice: most throws are near the middle, within half and one and a half of the usual.
    let spread: u64 = (0..3).map(|_| random() % (usual / 3)).sum();
    let tail = if random() % 50 == 0 { usual * (random() % 8) } else { 0 };
    let fails = random() % 1000 == 0;
    let jitter = Duration::from_millis(random() % 4);
    let outcome = Outcome {
        status: if fails { Status::Down } else { Status::Up },
        summary: if fails { "connection refused" } else { "HTTP 200" }.to_owned(),
        response_time: (!fails).then(|| Duration::from_micros(usual / 2 + spread + tail)),
        at: at(second) + jitter,
        ..outcome("")
    };
    let commit = ordinary(name, "");
    Commit { outcome: Some(Logged { outcome, maintenance: Muting::Audible }), ..commit }
}
