//! Log, clock and state across the wall.

use super::check_bindings::pihook::plugin::{clock, log, state};
use crate::log::Level;

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, message);
}

pub(crate) fn now_ms() -> i64 {
    clock::now_ms()
}

pub(crate) fn monotonic_ns() -> u64 {
    clock::monotonic_ns()
}

pub(crate) fn state_get(key: &str) -> Option<Vec<u8>> {
    state::get(key)
}

pub(crate) fn state_set(key: &str, value: Option<&[u8]>) -> Result<(), String> {
    state::set(key, value)
}
