//! Bytes that reach the disk for each check: 100 services every 10 s, so 50 checks a transaction.
//!
//! The figures are printed, not judged: `cargo test wear -- --nocapture`. On a RAM disk they are 0.

use super::*;
use crate::store::records::{self, Durability};
use crate::store::schema::{self, Layout};

const BATCH: usize = 50;

#[test]
fn bytes_written_for_each_check() {
    let checks = if std::env::var_os("PIHOOK_TEST_WEAR_LONG").is_some() { 200_000 } else { 20_000 };
    for page in [1024, 2048, 4096, 8192] {
        for checkpoint in [250, 1000, 4000] {
            let layout = Layout { page, checkpoint };
            let (written, size) = measure(layout, checks);
            println!(
                "page {page:5}, checkpoint after {checkpoint:4} pages: {written:4} B written, {size:3} B kept a check"
            );
        }
    }
}

fn measure(layout: Layout, checks: usize) -> (u64, u64) {
    let place = Place::new();
    let mut db = schema::open(&place.path, layout, schema::BUSY_TIMEOUT).unwrap();
    let services: Vec<_> = (0..100).map(|number| registered(&format!("service-{number}"))).collect();
    records::register(&mut db, &services).unwrap();
    let before = written();
    for batch in 0..checks / BATCH {
        let commits: Vec<_> = (0..BATCH).map(|number| sample(batch * BATCH + number)).collect();
        records::write(&mut db, commits.iter(), Durability::Crash).unwrap();
    }
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let written = written() - before;
    db.close().unwrap();
    let size = std::fs::metadata(&place.path).unwrap().len();
    (written / checks as u64, size / checks as u64)
}

fn sample(number: usize) -> Commit {
    let mut commit = ordinary(&format!("service-{}", number % 100), "HTTP 200");
    if let Some(logged) = &mut commit.outcome {
        logged.outcome.at = at((number / 10).try_into().unwrap());
        logged.outcome.response_time = Some(Duration::from_micros(2_000 + (number as u64 * 7919) % 90_000));
    }
    commit
}

/// Bytes that this thread has caused to be written.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
