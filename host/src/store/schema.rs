//! Opening a database: pragmas, file mode, migrations.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;

/// Append-only: a released entry never changes.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_heartbeats.sql"),
    include_str!("migrations/0003_history.sql"),
    include_str!("migrations/0004_sink_memory.sql"),
    include_str!("migrations/0005_batches.sql"),
    include_str!("migrations/0006_ledger.sql"),
    include_str!("migrations/0007_days.sql"),
    include_str!("migrations/0008_acknowledgement.sql"),
];

/// How long a statement waits for another process's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// "PHOK"; set by the first migration.
const APPLICATION_ID: i64 = 0x5048_4F4B;

/// Sizes that decide how much is written to disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Bytes of a page. Fixed when the database is made.
    pub(super) page: u32,
    /// Pages in the write-ahead log after which they are copied into the database.
    pub(super) checkpoint: u32,
}

impl Layout {
    /// Chosen by measurement: see the figures in [`crate::store`].
    pub(super) const CHOSEN: Layout = Layout { page: 4096, checkpoint: 6000 };
}

/// Opens for writing; makes the folder and the file where they are missing, and brings an older format up to date.
pub(super) fn open(path: &Path, layout: Layout, busy: Duration) -> Result<Connection, StoreError> {
    create(path)?;
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(busy).map_err(failed)?;
    // Until the format is known nothing may be written, not even what a crash left in the write-ahead log.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    let found = version(&db).map_err(failed)?;
    let known = format_of(MIGRATIONS);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if !is_ours(&db, found).map_err(failed)? {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    if !configure(&db, layout).map_err(failed)? {
        return Err(StoreError::NoWal { path: path.to_owned() });
    }
    migrate(&mut db, MIGRATIONS)?;
    Ok(db)
}

/// Opens for reading, beside a running daemon or without one.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    db.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    db.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    let found = version(&db).map_err(failed)?;
    let known = format_of(MIGRATIONS);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if !is_ours(&db, found).map_err(failed)? {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    if found < known {
        return Err(StoreError::Older { path: path.to_owned(), found, known });
    }
    Ok(db)
}

/// Runs the migrations that are missing, each in a transaction of its own that also counts the format up.
pub(super) fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    for (sql, target) in migrations.iter().zip(1..) {
        let failed = |source| StoreError::Migrate { version: target, source };
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if version(&tx).map_err(failed)? >= target {
            continue;
        }
        tx.execute_batch(sql).map_err(failed)?;
        tx.pragma_update(None, "user_version", target).map_err(failed)?;
        tx.commit().map_err(failed)?;
    }
    Ok(())
}

/// The database's format: how many migrations it has seen.
pub(super) fn version(db: &Connection) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn format_of(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

fn is_ours(db: &Connection, version: i64) -> rusqlite::Result<bool> {
    if version > 0 {
        let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        return Ok(id == APPLICATION_ID);
    }
    db.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

/// Makes the folder and the file, readable by the owner alone. SQLite gives its companions the same mode.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let failed = |path: &Path, source| StoreError::Create { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Sets the pragmas; false if the file system refuses write-ahead logging.
fn configure(db: &Connection, layout: Layout) -> rusqlite::Result<bool> {
    // These two only work before anything is in the file.
    db.pragma_update(None, "page_size", layout.page)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // KiB. Appending needs a handful of pages; a Pi has better uses for the rest.
    db.pragma_update(None, "cache_size", -512)?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", layout.checkpoint, |_| Ok(()))?;
    // Somebody who reads for long makes the log grow; it shrinks back to twice its usual size.
    let limit = i64::from(layout.page) * i64::from(layout.checkpoint) * 2;
    db.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))?;
    db.set_prepared_statement_cache_capacity(32);
    Ok(mode.eq_ignore_ascii_case("wal"))
}
