//! What people are shown before the first checks have ended.

use std::path::Path;
use std::time::Duration;

use pihook_core::Outcome;
use tracing::debug;

use super::assemble;
use crate::board::Board;
use crate::config::Config;
use crate::store::{ServiceRow, StoreReader};
use crate::words::chain;

/// A board with the configured services.
pub(super) fn board(config: &Config, database: &Path) -> Board {
    let board = Board::new();
    board.list(assemble::listed(config));
    recall(&board, database);
    board
}

/// Shows what history knows, until the first checks have ended. It is for show, so the start does not depend on it.
fn recall(board: &Board, database: &Path) {
    let known =
        StoreReader::open(database).and_then(|reader| Ok((reader.services()?, reader.last_recoveries()?)));
    let (services, recoveries) = match known {
        Ok(known) => known,
        Err(error) => return debug!("the board begins empty: {}", chain(&error)),
    };
    for ServiceRow { id, last, .. } in services {
        let well_since = recoveries.get(&id).copied();
        let outcome = last.map(|last| Outcome {
            status: last.status,
            summary: last.summary,
            notice: None,
            response_time: last.response_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()),
            attempts: last.attempts,
            metrics: Vec::new(),
            at: last.at,
        });
        board.recall(&id, outcome.into_iter().collect(), well_since);
    }
}
