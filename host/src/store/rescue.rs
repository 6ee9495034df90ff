//! A damaged database: it is moved aside, and what can be read of it goes into a fresh one.
//!
//! What decides about alerts comes first: services, states, incidents, the outbox. Then whatever else there is, and last
//! the log of checks, newest first and for a bounded time, since nothing is watched meanwhile. Indexes are made anew.
//!
//! In order, so that a power cut at any moment loses nothing: the copy is made beside the damaged file and synced, then
//! named as complete; then the damaged file is moved aside; then the copy takes its name. [`finish`] does at the next
//! start what was left undone.

mod salvage;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pihook_core::{ServiceId, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use tokio::time::Instant;

use super::codec::integer;
use super::error::is_damage;
use super::records::service_row;
use super::upkeep::{beside, remove, sync_folder};
use super::{StoreError, schema};
use salvage::Found;

/// How long the log of checks may be copied: on a Raspberry Pi 4 some ten million rows.
const TIME: Duration = Duration::from_secs(120);
/// Damaged files that are kept, the newest; each is as large as the database was.
const KEPT: usize = 2;
/// Bytes of an SQLite header.
const HEADER: usize = 100;
/// What the file is looked through for to see that it is ours.
const OURS: [&[u8]; 3] = [b"CREATE VIEW check_log", b"CREATE TABLE states", b"CREATE TABLE deliveries"];
/// How far.
const LOOKED_THROUGH: u64 = 1 << 20;

/// The service under whose name it waits to be told, among what checks keep: told and forgotten in one transaction.
const SERVICE: &str = "pihook:database";
/// The key of it there.
const KEY: &str = "damage";

/// Opens the database; one that is damaged is replaced first.
pub(super) fn open(path: &Path, layout: schema::Layout, busy: Duration) -> Result<Connection, StoreError> {
    finish(path)?;
    let opened = schema::open(path, layout, busy).and_then(|db| {
        if let Err(error) = probe(&db, path) {
            // Closing must not copy the log into the damaged file.
            let _kept = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            return Err(error.into());
        }
        Ok(db)
    });
    let Err(error) = opened else { return opened };
    match error.damage() {
        Some(damage) if is_ours(path) => {
            replace(path, &damage, layout)?;
            schema::open(path, layout, busy)
        }
        _ => Err(error),
    }
}

/// What is still to be told of a damage, in words for people.
pub(super) fn news(db: &Connection) -> Result<Option<String>, StoreError> {
    let mut statement = db.prepare(
        "SELECT value FROM kept WHERE key = ?1 AND service = (SELECT id FROM services WHERE key = ?2)",
    )?;
    let mut rows = statement.query(params![KEY, SERVICE])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(String::from_utf8_lossy(&row.get::<_, Vec<u8>>(0)?).into_owned()))
}

/// Finishes what a power cut has interrupted: the complete copy takes the database's name.
fn finish(path: &Path) -> Result<(), StoreError> {
    let copy = beside(path, ".salvaged");
    if copy.exists() && !path.exists() {
        remove_companions(path)?;
        rename(&copy, path)?;
    }
    Ok(())
}

/// Whether the file has been a database of PiHook, whatever has become of it.
fn is_ours(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LOOKED_THROUGH).read_to_end(&mut start));
    let has = |ours: &[u8]| start.windows(ours.len()).any(|window| window == ours);
    read.is_ok() && OURS.into_iter().any(has)
}

/// Looks at what a start stands on, which takes no time: the file's length, and all tables but the log of checks. The
/// rest is looked at as it is used.
fn probe(db: &Connection, path: &Path) -> rusqlite::Result<()> {
    let log = fs::metadata(beside(path, "-wal")).map(|file| file.len()).unwrap_or_default();
    let length = fs::metadata(path).map(|file| integer(file.len())).unwrap_or_default();
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    if log == 0 && length < pages.saturating_mul(page) {
        return Err(damaged("the file is shorter than it says"));
    }
    for table in ["services", "states", "kept", "incidents", "alerts", "deliveries", "heartbeats"] {
        let said: String = db.query_row(&format!("PRAGMA quick_check('{table}')"), [], |row| row.get(0))?;
        if said != "ok" {
            return Err(damaged(&said));
        }
    }
    db.query_row("SELECT max(id) FROM checks", [], |_| Ok(()))
}

fn damaged(what: &str) -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(code, Some(what.to_owned()))
}

/// Puts a fresh database with what can be read in the place of the damaged one. Nobody may have it open for writing.
pub(super) fn replace(path: &Path, damage: &str, layout: schema::Layout) -> Result<(), StoreError> {
    let began = Instant::now();
    tracing::error!(
        damage,
        "the database is damaged; it is moved aside, and what can be read goes into a fresh one"
    );
    let beyond = |source| StoreError::Beyond {
        path: path.to_owned(),
        damage: damage.to_owned(),
        source: Box::new(source),
    };
    #[allow(
        clippy::disallowed_methods,
        reason = "the date is for a file's name, and the thread that writes has no clock"
    )]
    let aside = unused_name(path, Timestamp::now());
    let found = make_copy(path, &aside, damage, layout).map_err(beyond)?;
    move_aside(path, &aside).map_err(beyond)?;
    rename(&beside(path, ".salvaged"), path).map_err(beyond)?;
    forget_oldest(path);
    tracing::warn!(aside = %aside.display(), took = ?began.elapsed(), "a fresh database goes on: {found}");
    Ok(())
}

/// Makes the fresh database, complete with the news of it, as `….salvaged`.
fn make_copy(path: &Path, aside: &Path, damage: &str, layout: schema::Layout) -> Result<Found, StoreError> {
    let fresh = beside(path, ".salvaging");
    for suffix in ["", "-wal", "-shm"] {
        remove(&beside(&fresh, suffix))?;
    }
    let db = schema::open(&fresh, layout, schema::BUSY_TIMEOUT)?;
    let found = read(path, &fresh, &db);
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    let text = format!(
        "The database was damaged ({damage}) and is replaced by a fresh one: {found}. The damaged file is kept as {name}."
    );
    let row = service_row(&db, &ServiceId::new(SERVICE))?;
    db.execute(
        "INSERT OR REPLACE INTO kept (service, key, value) VALUES (?1, ?2, ?3)",
        params![row, KEY, text.as_bytes()],
    )?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    db.close().map_err(|(_db, error)| error)?;
    let failed = |source| StoreError::Create { path: fresh.clone(), source };
    File::open(&fresh).and_then(|file| file.sync_all()).map_err(failed)?;
    rename(&fresh, &beside(path, ".salvaged"))?;
    Ok(found)
}

/// Copies what can be read; with a borrowed header if the damaged file has none any more.
fn read(path: &Path, fresh: &Path, db: &Connection) -> Found {
    let until = Instant::now() + TIME;
    let (old, error) = match open_damaged(path) {
        Ok(old) => return salvage::copy(&old, db, until),
        Err(error) => (beside(path, ".headless"), error),
    };
    if !is_damage(&error) {
        return Found::nothing(&error.to_string());
    }
    let found = match borrow_header(path, fresh, db, &old).and_then(|()| Ok(open_damaged(&old)?)) {
        Ok(opened) => salvage::copy(&opened, db, until),
        Err(error) => Found::nothing(&error.to_string()),
    };
    for suffix in ["", "-wal", "-shm"] {
        // The next rescue removes what stays.
        let _left = fs::remove_file(beside(&old, suffix));
    }
    found
}

/// Opens a damaged file so that nothing of it or its log is changed.
fn open_damaged(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.busy_timeout(schema::BUSY_TIMEOUT)?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(db)
}

/// Copies the damaged file and its log to `to`, with the header of a fresh database: its own is beyond reading.
fn borrow_header(path: &Path, fresh: &Path, db: &Connection, to: &Path) -> Result<(), StoreError> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let page: u32 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let failed = |source| StoreError::Create { path: to.to_owned(), source };
    let made = || -> std::io::Result<()> {
        let mut header = [0; HEADER];
        File::open(fresh)?.read_exact(&mut header)?;
        let length = fs::copy(path, to)?;
        if beside(path, "-wal").exists() {
            fs::copy(beside(path, "-wal"), beside(to, "-wal"))?;
        }
        let pages = u32::try_from(length / u64::from(page)).unwrap_or(u32::MAX);
        // The size in pages, and no list of free pages.
        let [size, free, count] = [28..32, 32..36, 36..40];
        for (place, value) in [(size, pages), (free, 0), (count, 0)] {
            if let Some(bytes) = header.get_mut(place) {
                bytes.copy_from_slice(&value.to_be_bytes());
            }
        }
        let mut file = File::options().write(true).open(to)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)
    };
    made().map_err(failed)
}

/// A name for the damaged file that nothing has yet.
fn unused_name(path: &Path, now: Timestamp) -> PathBuf {
    let stamp = now.strftime("%Y-%m-%dT%H%M%SZ");
    let first = beside(path, &format!(".corrupt-{stamp}"));
    let further = (2..).map(|number| beside(path, &format!(".corrupt-{stamp}-{number}")));
    std::iter::once(first.clone()).chain(further).find(|name| !name.exists()).unwrap_or(first)
}

/// The database last: as long as it has its name, nothing has happened.
fn move_aside(path: &Path, aside: &Path) -> Result<(), StoreError> {
    for companion in ["-wal", ""] {
        let from = beside(path, companion);
        if from.exists() {
            rename(&from, &beside(aside, companion))?;
        }
    }
    remove_companions(path)
}

fn remove_companions(path: &Path) -> Result<(), StoreError> {
    ["-wal", "-shm"].iter().try_for_each(|companion| remove(&beside(path, companion)))
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    let renamed = fs::rename(from, to).and_then(|()| sync_folder(to));
    renamed.map_err(|source| StoreError::Create { path: to.to_owned(), source })
}

/// Removes all damaged files but the newest.
fn forget_oldest(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let prefix = format!("{}.corrupt-", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(&prefix) && !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    for oldest in names.iter().rev().skip(KEPT) {
        tracing::warn!("{oldest} is removed: the newest {KEPT} damaged databases are kept");
        for companion in ["", "-wal", "-shm"] {
            let _left = fs::remove_file(beside(&folder.join(oldest), companion));
        }
    }
}
