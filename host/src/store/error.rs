//! What can go wrong with the database.

use std::io;
use std::path::PathBuf;

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
