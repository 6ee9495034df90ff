//! The write-ahead log on its way into the database.
//!
//! To copy it takes as long as a disk takes for 24 MB, which is seconds on a slow card. So it is done beside the writer, on a
//! thread and over a connection of its own: a passive checkpoint keeps neither the writer nor anybody who reads waiting.
//! The writer begins the log anew by itself once all of it is copied. What it has written meanwhile, a handful of pages, it
//! copies after its next transaction, or a stream of commits would keep the log from ever being complete. When the log is
//! twice as long as usual and nobody else holds it, the writer copies whatever is left.
//!
//! Somebody who reads without end keeps the log from being begun anew, so it grows by what is written. Nobody can be made to
//! stop reading; beyond 96 MB it is said aloud, and the log shrinks back when they have gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::StoreError;
use super::schema::Layout;
use super::upkeep::beside;

/// Pages that the log grows by until copying it is tried again. Somebody may have read, or written, meanwhile.
const AGAIN: u32 = 1000;
/// Pages that the writer copies by itself at most, as long as the log is not twice as long as usual.
const REST: u32 = 256;
/// How much longer than usual the log has to be to be worth a word.
const LONG: u32 = 4;

/// Bytes before each page in the log.
const FRAME_HEADER: u64 = 24;

/// Copies the log whenever it is long enough.
#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: SyncSender<()>,
    /// Held while the log is copied.
    at_work: Arc<Mutex<()>>,
    copied: Arc<Mutex<Copied>>,
    long_log: watch::Sender<Option<u64>>,
}

impl Checkpointer {
    /// Starts the thread, which ends with this.
    pub(super) fn start(path: PathBuf, long_log: watch::Sender<Option<u64>>) -> Result<Self, StoreError> {
        let (wake, woken) = sync_channel(1);
        let (at_work, copied) = (Arc::<Mutex<()>>::default(), Arc::<Mutex<Copied>>::default());
        let (lock, noted) = (at_work.clone(), copied.clone());
        thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&path, &woken, &lock, &noted))
            .map_err(StoreError::Thread)?;
        Ok(Self { wake, at_work, copied, long_log })
    }

    /// From now on this connection leaves the log to the thread.
    pub(super) fn watch(&self, db: &mut Connection) -> rusqlite::Result<()> {
        let (wake, long_log, copied) = (self.wake.clone(), self.long_log.clone(), self.copied.clone());
        let mut gauge = Gauge::default();
        locked(&copied).begin();
        long_log.send_replace(None);
        db.wal_hook(Some(move |log: &mut Wal, pages| {
            let pages = u32::try_from(pages).unwrap_or(0);
            tell(&long_log, pages);
            match gauge.judge(pages, &mut locked(&copied)) {
                Due::Nothing => Ok(()),
                Due::All => {
                    // Woken already is woken.
                    let _awake = wake.try_send(());
                    Ok(())
                }
                // The transaction is written, so whatever is wrong is none of its business.
                Due::Rest => log.checkpoint().or(Ok(())),
            }
        }))
    }

    /// Keeps the thread away from the file until the guard is dropped; waits while the log is being copied.
    pub(super) fn pause(&self) -> MutexGuard<'_, ()> {
        locked(&self.at_work)
    }
}

/// What is behind these locks is whole whatever panics.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says when the log is far too long, how much it grows, and when that is over.
fn tell(long_log: &watch::Sender<Option<u64>>, pages: u32) {
    let bytes = far_too_long(pages);
    let before = *long_log.borrow();
    if before == bytes {
        return;
    }
    long_log.send_replace(bytes);
    match (before, bytes) {
        (None, Some(bytes)) => tracing::warn!("{}", words(bytes)),
        (Some(_), None) => tracing::info!("the write-ahead log of the database is short again"),
        _ => {}
    }
}

/// Bytes of a log of so many pages, in steps of its usual length; none if it is not far too long.
fn far_too_long(pages: u32) -> Option<u64> {
    let usual = Layout::CHOSEN.checkpoint;
    let times = pages / usual;
    (times >= LONG).then(|| u64::from(times) * u64::from(usual) * u64::from(Layout::CHOSEN.page))
}

/// How long the database's log is, in bytes, if it is far too long. For other processes.
#[must_use]
pub fn long_log(database: &Path) -> Option<u64> {
    let length = fs::metadata(beside(database, "-wal")).ok()?.len();
    let pages = length / (u64::from(Layout::CHOSEN.page) + FRAME_HEADER);
    far_too_long(u32::try_from(pages).unwrap_or(u32::MAX))
}

/// Says of a log that it is too long, with what to do.
#[must_use]
pub fn words(bytes: u64) -> String {
    format!(
        "the write-ahead log of the database has grown to {} MB, since another program has been reading for long: \
         end its transaction",
        bytes / 1_000_000
    )
}

/// How many pages of the log the thread has copied, and since when they are counted.
#[derive(Clone, Copy, Debug, Default)]
struct Copied {
    /// Goes up whenever the log is begun anew.
    round: u64,
    /// Zero if that was not all there was then, since somebody reads.
    pages: u32,
}

impl Copied {
    fn begin(&mut self) {
        *self = Self { round: self.round.wrapping_add(1), pages: 0 };
    }
}

/// What is to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// By the thread.
    All,
    /// What came after the thread has copied the others: by the writer.
    Rest,
}

/// When the log is to be copied, by its pages after each transaction.
#[derive(Clone, Copy, Debug)]
struct Gauge {
    before: u32,
    due: u32,
}

impl Default for Gauge {
    fn default() -> Self {
        Self { before: 0, due: Layout::CHOSEN.checkpoint }
    }
}

impl Gauge {
    fn judge(&mut self, pages: u32, copied: &mut Copied) -> Due {
        if pages < self.before {
            self.due = Layout::CHOSEN.checkpoint;
            copied.begin();
        }
        self.before = pages;
        let short = pages.saturating_sub(copied.pages) <= REST || pages >= 2 * Layout::CHOSEN.checkpoint;
        if copied.pages > 0 && short {
            copied.pages = 0;
            return Due::Rest;
        }
        if pages < self.due {
            return Due::Nothing;
        }
        self.due = pages.saturating_add(AGAIN);
        Due::All
    }
}

fn run(path: &Path, woken: &Receiver<()>, at_work: &Mutex<()>, copied: &Mutex<Copied>) {
    while woken.recv().is_ok() {
        let _busy = locked(at_work);
        let round = locked(copied).round;
        match copy(path) {
            Ok(pages) => {
                let mut copied = locked(copied);
                if copied.round == round {
                    copied.pages = pages;
                }
            }
            // On a disk that is full, say. What was committed stays in the log, and the writer meets what is wrong by itself.
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log of the database cannot be copied; it is tried again");
            }
        }
    }
}

/// Copies as much as nobody still reads, and returns how many pages the log has, if all of them are copied by now.
fn copy(path: &Path) -> rusqlite::Result<u32> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(Duration::ZERO)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let (pages, copied): (i64, i64) =
        db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    Ok(if pages == copied { u32::try_from(pages).unwrap_or(0) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: u32 = Layout::CHOSEN.checkpoint;

    /// Of these lengths of the log, those at which something is due, with what.
    fn due(gauge: &mut Gauge, copied: &mut Copied, all: &[u32]) -> Vec<(u32, Due)> {
        let judged = all.iter().map(|pages| (*pages, gauge.judge(*pages, copied)));
        judged.filter(|(_, due)| *due != Due::Nothing).collect()
    }

    #[test]
    fn the_log_is_copied_when_it_is_long_and_again_when_it_has_grown() {
        let (mut gauge, mut copied) = (Gauge::default(), Copied::default());
        let lengths = [1, USUAL - 1, USUAL, USUAL + 1, USUAL + 999, USUAL + 1002, USUAL + 1500, USUAL + 2002];
        let long = due(&mut gauge, &mut copied, &lengths);
        assert_eq!(long, [USUAL, USUAL + 1002, USUAL + 2002].map(|pages| (pages, Due::All)));
        let anew = due(&mut gauge, &mut copied, &[3, USUAL - 1, USUAL + 3, USUAL + 4]);
        assert_eq!(anew, [(USUAL + 3, Due::All)]);
    }

    #[test]
    fn a_short_rest_is_copied_by_the_writer_once() {
        let (mut gauge, mut copied) = (Gauge::default(), Copied::default());
        assert_eq!(due(&mut gauge, &mut copied, &[USUAL]), [(USUAL, Due::All)]);
        copied.pages = USUAL;
        let rest = USUAL + REST;
        assert_eq!(due(&mut gauge, &mut copied, &[rest, rest + 1, 3]), [(rest, Due::Rest)]);
        // Too much has come meanwhile; but it does not go on like that.
        assert_eq!(due(&mut gauge, &mut copied, &[USUAL]), [(USUAL, Due::All)]);
        copied.pages = USUAL;
        let (again, twice) = (USUAL + AGAIN, 2 * USUAL);
        let grown = due(&mut gauge, &mut copied, &[USUAL + 300, again, twice - 1]);
        assert_eq!(grown, [(again, Due::All), (twice - 1, Due::All)]);
        assert_eq!(due(&mut gauge, &mut copied, &[twice, twice + 1]), [(twice, Due::Rest)]);
    }

    #[test]
    fn what_was_copied_of_an_earlier_log_counts_for_nothing() {
        let (mut gauge, mut copied) = (Gauge::default(), Copied::default());
        due(&mut gauge, &mut copied, &[USUAL]);
        let round = copied.round;
        copied.pages = USUAL;
        assert_eq!(due(&mut gauge, &mut copied, &[2, USUAL + 1]), [(USUAL + 1, Due::All)]);
        assert_ne!(copied.round, round);
    }
}
