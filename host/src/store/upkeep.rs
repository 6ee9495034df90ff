//! What a person does with the database by hand: look whether it is whole, copy it, make it small.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pihook_core::sketch::Sketch;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, params};

use super::archive::HOUR_MS;
use super::codec::instant;
use super::dto::{AlertDto, ServiceDto, decode};
use super::error::is_damage;
use super::{StoreError, schema};

/// Complaints that are listed at most of each kind.
const MOST: usize = 20;
/// Pages that are copied at a time: 256 KB.
const STEP: i32 = 64;

/// Everything that is wrong with the database, nothing if it is whole. Reads all of it, beside a running daemon too.
///
/// # Errors
/// If it cannot be looked at. What is damaged is no error.
pub fn check(path: &Path) -> Result<Vec<String>, StoreError> {
    let looked = schema::open_read_only(path).and_then(|db| {
        let mut found = list(&db, &format!("PRAGMA integrity_check({MOST})"), |row| row.get(0))?;
        found.retain(|line| line != "ok");
        found.extend(orphans(&db)?);
        found.extend(unreadable(&db)?);
        found.extend(forgotten(&db)?);
        found.extend(unreadable_history(&db)?);
        Ok(found)
    });
    match looked {
        Err(StoreError::Open { source, .. } | StoreError::Database(source)) if is_damage(&source) => {
            Ok(vec![source.to_string()])
        }
        looked => looked,
    }
}

/// Rows that belong to something that is not there.
fn orphans(db: &Connection) -> Result<Vec<String>, StoreError> {
    list(db, "SELECT DISTINCT \"table\", parent FROM pragma_foreign_key_check", |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("{table} has rows that belong to no row of {parent}"))
    })
}

/// States and pending alerts that a start would leave out.
fn unreadable(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let states = "SELECT s.key, t.json FROM states t JOIN services s ON s.id = t.service";
    for (service, json) in list(db, states, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
        if decode::<ServiceDto>(&json).is_err() {
            found.push(format!("the state of {service} is unreadable"));
        }
    }
    let pending =
        "SELECT d.id, a.json FROM deliveries d JOIN alerts a ON a.id = d.alert WHERE d.state = 'pending'";
    for (id, json) in list(db, pending, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))? {
        if decode::<AlertDto>(&json).is_err() {
            found.push(format!("the alert of delivery {id} is unreadable"));
        }
    }
    found.truncate(MOST);
    Ok(found)
}

/// Open incidents of services of which nothing is known any more.
fn forgotten(db: &Connection) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT id FROM incidents WHERE closed_ms IS NULL AND service NOT IN (SELECT service FROM states)";
    list(db, &format!("{sql} LIMIT {MOST}"), |row| {
        Ok(format!("incident {} is open, and its service has no state", row.get::<_, i64>(0)?))
    })
}

/// Packed hours and hourly sums that history would be without.
fn unreadable_history(db: &Connection) -> Result<Vec<String>, StoreError> {
    let named = |row: &rusqlite::Row<'_>| {
        let (service, hour): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok::<_, rusqlite::Error>(format!(
            "{service}, hour beginning {}",
            instant(hour.saturating_mul(HOUR_MS))
        ))
    };
    let packed = format!(
        "SELECT s.key, a.hour FROM archive a JOIN services s ON s.id = a.service
         WHERE NOT json_valid(a.checks) OR json_type(a.checks) <> 'array' LIMIT {MOST}"
    );
    let packed = list(db, &packed, |row| Ok(format!("checks are unreadable: {}", named(row)?)))?;
    let sums = "SELECT s.key, r.hour, r.sketch FROM rollups r JOIN services s ON s.id = r.service";
    let mut statement = db.prepare(sums)?;
    let mut rows = statement.query([])?;
    let mut found = packed;
    while let Some(row) = rows.next()? {
        if found.len() >= MOST {
            break;
        }
        let sketch: Vec<u8> = row.get(2)?;
        if Sketch::from_bytes(&sketch).is_none() {
            found.push(format!("percentiles are unreadable: {}", named(row)?));
        }
    }
    Ok(found)
}

fn list<T>(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What to do with a file that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and nothing is done.
    Refuse,
    /// It is replaced, once its successor is complete.
    Replace,
}

/// Copies the database as it is at this moment into one file, beside a running daemon too, and returns how many bytes
/// that are. Whatever happens, under the name of `to` is never half a copy.
///
/// `progress` is told of the share that is done, from 0 to 1.
pub fn backup(
    path: &Path,
    to: &Path,
    existing: Existing,
    progress: &mut dyn FnMut(f64),
) -> Result<u64, StoreError> {
    if existing == Existing::Refuse && to.exists() {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    let source = schema::open_read_only(path)?;
    let part = beside(to, ".part");
    remove(&part)?;
    let copied = copy(&source, &part, progress).and_then(|()| settle(&part, to, existing));
    if copied.is_err() {
        // What failed is what is told.
        let _left = fs::remove_file(&part);
    }
    copied
}

fn copy(source: &Connection, part: &Path, progress: &mut dyn FnMut(f64)) -> Result<(), StoreError> {
    schema::create(part)?;
    let failed = |source| StoreError::Open { path: part.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(part, flags).map_err(failed)?;
    // One read transaction around all steps: the copy is of one moment, however much is written meanwhile.
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(source, &mut copy)?;
    loop {
        match backup.step(STEP)? {
            StepResult::Done => break,
            StepResult::More => {
                let now = backup.progress();
                let done = f64::from(now.pagecount - now.remaining) / f64::from(now.pagecount.max(1));
                progress(done);
            }
            // Somebody else has a lock on the source; there is none on a new file.
            #[allow(
                clippy::disallowed_methods,
                reason = "a command's own thread, on which nothing else waits"
            )]
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    drop(backup);
    source.execute_batch("COMMIT")?;
    // One file without companions, which can be copied away as it is.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    copy.close().map_err(|(_copy, error)| error)?;
    Ok(())
}

/// Syncs the copy and gives it its name.
fn settle(part: &Path, to: &Path, existing: Existing) -> Result<u64, StoreError> {
    let failed = |source| StoreError::Create { path: to.to_owned(), source };
    let file = File::open(part).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    match existing {
        // A log that belongs to the file in the way would be taken for the new one's.
        Existing::Replace => {
            for companion in ["-wal", "-shm", "-journal"] {
                remove(&beside(to, companion))?;
            }
            fs::rename(part, to).map_err(failed)?;
        }
        // Fails if somebody was faster.
        Existing::Refuse => {
            fs::hard_link(part, to).or_else(|_unsupported| fs::rename(part, to)).map_err(failed)?;
            remove(part)?;
        }
    }
    sync_folder(to).map_err(failed)?;
    Ok(bytes)
}

/// How large the database was before and after, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Writes the database anew without its holes. Takes up to twice its size on the disk meanwhile; if that is not there,
/// or the power fails, it stays as it was. Nobody may use it: the caller holds the daemon's lock.
pub fn vacuum(path: &Path) -> Result<Sizes, StoreError> {
    if !path.exists() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        return Err(StoreError::Create { path: path.to_owned(), source });
    }
    let db = schema::open(path, schema::Layout::CHOSEN, schema::BUSY_TIMEOUT)?;
    checkpoint(&db)?;
    let before = size(path);
    // The new one is made beside the database: /tmp may be memory.
    db.pragma_update(None, "temp_store", "FILE")?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        db.pragma_update(None, "temp_store_directory", folder.to_string_lossy())?;
    }
    db.execute("VACUUM", params![])?;
    checkpoint(&db)?;
    db.close().map_err(|(_db, error)| error)?;
    Ok(Sizes { before, after: size(path) })
}

fn checkpoint(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map(|file| file.len()).unwrap_or_default()
}

/// The path with something added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file; no error if it is not there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Create { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes new names in the file's folder survive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
