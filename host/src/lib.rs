//! PiHook's native host.
//!
//! ARCHITECTURE.md has the map. Imports point down only; a test reads the `use` lines.
#![deny(unsafe_code)]

pub mod app;
pub mod board;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod engine;
pub mod exit_code;
pub mod files;
pub mod heartbeats;
pub mod hosts;
pub mod machine;
pub mod maintenance;
pub mod memory;
pub mod password;
pub mod paths;
pub mod plugins;
pub mod probes;
pub mod process_group;
pub mod shutdown;
pub mod sinks;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod words;
