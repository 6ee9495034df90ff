//! What can go wrong with the database.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// What can go wrong with the database. The cause is in `source()`, never in the text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file cannot be made.
    #[error("cannot create {}", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file system of the database cannot do write-ahead logging, as some network shares cannot.
    #[error("the database {} cannot use write-ahead logging; move data_dir to a local disk", path.display())]
    NoWal {
        /// Which.
        path: PathBuf,
    },
    /// A newer PiHook has written this database. It was not touched.
    #[error(
        "the database {} has format {found}, and this pihook knows formats up to {known}; \
         start the newer pihook again, or move the file away",
        path.display()
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// An older PiHook has written this database; the daemon brings it up to date when it starts.
    #[error(
        "the database {} has the old format {found} instead of {known}; start `pihook run` once to update it",
        path.display()
    )]
    Older {
        /// Which.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format that this program reads.
        known: i64,
    },
    /// Another program's database. It was not touched.
    #[error("{} is a database of another program; move it away or choose another data_dir", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// A migration failed; the database is as it was before it.
    #[error("cannot update the database to format {version}")]
    Migrate {
        /// The format that was to be reached.
        version: i64,
        /// Why.
        source: rusqlite::Error,
    },
    /// A file is in the way.
    #[error("{} exists already", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The database is damaged, and what can be read of it could not be brought into a new one.
    #[error("the database {} is damaged ({damage}), and a new one cannot be made", path.display())]
    Beyond {
        /// Which.
        path: PathBuf,
        /// What SQLite says of it.
        damage: String,
        /// Why not.
        source: Box<StoreError>,
    },
    /// The writer's thread cannot be started.
    #[error("cannot start the database's writer thread")]
    Thread(#[source] io::Error),
    /// A statement failed.
    #[error("the database failed")]
    Database(#[from] rusqlite::Error),
    /// Something cannot be written as JSON.
    #[error("cannot encode a record")]
    Encode(#[source] serde_json::Error),
    /// The commit is not on disk yet. It is kept and tried again; the caller need not do anything.
    #[error("the database cannot be written now; the commit is kept and tried again")]
    Deferred,
    /// The store was closed.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// What is damaged, if the file itself is what is wrong.
    pub(super) fn damage(&self) -> Option<String> {
        match self {
            StoreError::Open { source, .. }
            | StoreError::Migrate { source, .. }
            | StoreError::Database(source) => is_damage(source).then(|| source.to_string()),
            _ => None,
        }
    }
}

/// Whether SQLite says that the file is not what it was when it was written.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
