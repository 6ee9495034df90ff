//! A database that cannot be written, which no outbox can tell of.

use tokio::sync::watch;

use crate::store::Store;

/// Why the database cannot be written, while it cannot.
pub(super) fn of(_store: &Store) -> watch::Receiver<Option<String>> {
    watch::Sender::new(None).subscribe()
}
