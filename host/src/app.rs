//! Puts the parts together: what the configuration says becomes a running daemon.

mod assemble;
mod cache;
mod configured;
mod daemon;
mod flag;
mod grants;
mod heartbeats;
mod judge;
mod masked;
mod own;
mod prepare;
mod reload;
mod served;
mod settings;
mod shown;
mod start;
mod watch;

pub use assemble::{plugin_sources, runner};
pub use daemon::{RunError, run};
pub use flag::{Understood, services_named, understand, zone_named};
pub use prepare::{Environment, PrepareError, Prepared, Purpose, prepare};
pub use start::lock;

/// The database's name within the data folder.
pub const DATABASE: &str = "pihook.db";
