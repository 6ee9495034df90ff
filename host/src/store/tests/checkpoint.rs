//! The write-ahead log while another process reads without end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::store::upkeep;

/// Another process with a read transaction, until it is dropped.
struct Reading(Child);

impl Reading {
    fn start(place: &Place) -> Self {
        let program = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('BEGIN')
print(db.execute('SELECT count(*) FROM checks').fetchone()[0], flush=True)
sys.stdin.read()
print(db.execute('SELECT count(*) FROM checks').fetchone()[0], flush=True)
sys.stdin.close()
db.execute('COMMIT')";
        let mut python = Command::new("python3");
        python.arg("-c").arg(program).arg(&place.path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut reading = Self(python.spawn().unwrap());
        assert_eq!(reading.says(), "1\n");
        reading
    }

    fn says(&mut self) -> String {
        // A byte at a time: what is buffered and not used would be lost.
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    /// Has it end, and returns what it has read last.
    fn end(mut self) -> String {
        drop(self.0.stdin.take().map(|mut input| input.flush()));
        let said = self.says();
        assert!(self.0.wait().unwrap().success());
        said
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let _ended = self.0.kill();
    }
}

fn log_length(place: &Place) -> u64 {
    std::fs::metadata(upkeep::beside(&place.path, "-wal")).map_or(0, |log| log.len())
}

/// Writes it without waiting for the disk's platters; some pages each.
async fn write(store: &Store, number: usize) {
    let commit =
        Commit { urgency: Urgency::Soon, ..ordinary("a", &format!("{number} {}", "x".repeat(3000))) };
    store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn a_log_that_a_reader_holds_is_told_of_and_shrinks_when_they_have_gone() {
    let place = Place::new();
    let store = place.store();
    let long_log = store.long_log();
    write(&store, 0).await;
    let reading = Reading::start(&place);
    let mut written = 1;
    while long_log.borrow().is_none() {
        assert!(written < 20_000, "nobody is told: {} bytes", log_length(&place));
        write(&store, written).await;
        written += 1;
    }
    assert!(written > 2000, "after {written} commits already");
    assert!(log_length(&place) > 96_000_000, "{}", log_length(&place));
    assert_eq!(crate::store::long_log(&place.path), *long_log.borrow(), "other processes see it too");

    assert_eq!(reading.end(), "1\n", "what it saw is what there was when it began");
    while long_log.borrow().is_some() {
        assert!(written < 30_000, "the log is not begun anew: {} bytes", log_length(&place));
        write(&store, written).await;
        written += 1;
    }
    assert!(log_length(&place) <= 50_000_000, "{}", log_length(&place));
    assert_eq!(crate::store::long_log(&place.path), None);
    assert_eq!(place.summaries().len(), written);
    store.close().await.unwrap();
    assert_eq!(log_length(&place), 0);
}
