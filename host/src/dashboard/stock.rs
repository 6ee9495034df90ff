//! What only the database knows.

use pihook_core::SinkId;
use tracing::warn;

use super::Shared;
use crate::store::{StoreError, StoreReader};

/// Asks the database on a thread that may wait for the disk.
pub(super) async fn ask<T: Send + 'static>(
    dashboard: &Shared,
    question: impl FnOnce(&StoreReader) -> Result<T, StoreError> + Send + 'static,
) -> Option<T> {
    let path = dashboard.database.clone();
    let asked = tokio::task::spawn_blocking(move || question(&StoreReader::open(&path)?)).await;
    match asked {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            warn!("the dashboard cannot read the database: {}", crate::words::chain(&error));
            None
        }
        Err(fault) => {
            warn!("the dashboard failed over the database: {fault}");
            None
        }
    }
}

/// How many alerts wait for each sink that has any; nothing if the database cannot be read.
pub(super) async fn pending(dashboard: &Shared) -> Vec<(SinkId, u64)> {
    ask(dashboard, StoreReader::pending_by_sink).await.unwrap_or_default()
}
