//! What runs beside the engine, each a loop of its own that ends at shutdown.

pub mod deliver;
pub mod heartbeats;
pub mod trouble;
pub mod watchdog;
pub mod weekly;
pub mod wording;
