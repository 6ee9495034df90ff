//! Puts the parts together: what the configuration says becomes a running daemon.

mod assemble;
mod daemon;
mod own;
mod prepare;
mod reload;
mod watch;

pub use assemble::{SinkError, plugin_sources, runner, sinks};
pub use daemon::{RunError, run};
pub use prepare::{PrepareError, Prepared, prepare};

/// The database's name within the data folder.
pub const DATABASE: &str = "pihook.db";

/// An error with its causes, in one line: a `Display` never includes its source, so the chain is put together once,
/// at the edge.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
