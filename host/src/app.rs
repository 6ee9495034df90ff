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
