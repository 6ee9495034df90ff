//! What people are shown before the first checks have ended.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Outcome, Timestamp};
use tracing::debug;

use super::assemble;
use crate::board::{Board, Reading};
use crate::config::{Config, Problems};
use crate::store::{ServiceRow, StoreReader};
use crate::words::chain;

/// A board with the configured services.
pub(super) fn board(config: &Config, database: &Path) -> Board {
    let board = Board::new();
    board.list(assemble::listed(config));
    recall(&board, database);
    board
}

/// Problems of a refused configuration that are shown.
const PROBLEMS: usize = 20;

/// services.yaml was read and is in use.
pub(super) fn accepted(at: Timestamp) -> Reading {
    Reading { at, problems: Arc::default() }
}

/// services.yaml was read and is not in use. The text has no secret in it: problems never do.
pub(super) fn refused(problems: &Problems, at: Timestamp) -> Reading {
    let more = problems.len().saturating_sub(PROBLEMS);
    let more = (more > 0).then(|| format!("and {more} more: `pihook validate` lists them"));
    let shown = problems.iter().take(PROBLEMS).map(ToString::to_string);
    Reading { at, problems: shown.chain(more).collect() }
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
