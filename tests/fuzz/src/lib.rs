//! What is fuzzed: each module has a `run` that takes any bytes and must neither panic nor break its promises.
//!
//! The tests of the project drive the same functions with random bytes and with what lies in `seeds/`, so these files use
//! nothing but the crates that they test.

pub mod configuration;
pub mod http_settings;
pub mod maintenance_flag;
pub mod plugin_answer;
