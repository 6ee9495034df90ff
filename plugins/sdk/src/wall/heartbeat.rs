//! Signs of life across the wall.

use super::check_bindings::pihook::plugin::heartbeat as wit;
use crate::heartbeat::Beat;

pub(crate) fn last() -> Option<Beat> {
    let wit::Beat { at_ms, ago_ms, ok, message, took_ms } = wit::last()?;
    Some(Beat { at_ms, ago_ms, ok, message, took_ms })
}

pub(crate) fn waited_ms() -> u64 {
    wit::waited_ms()
}

pub(crate) fn listening_ms() -> Option<u64> {
    wit::listening_ms()
}
