//! Units of systemd across the wall.

use super::check_bindings::pihook::plugin::units as wit;
use crate::units::{Error, Unit};

pub(crate) fn inspect(name: &str) -> Result<Unit, Error> {
    wit::inspect(name).map(unit).map_err(error)
}

fn unit(unit: wit::Unit) -> Unit {
    Unit {
        load_state: unit.load_state,
        active_state: unit.active_state,
        sub_state: unit.sub_state,
        reason: unit.reason,
        restarts: unit.restarts,
        since_ms: unit.since_ms,
    }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::Unavailable(text) => Error::Unavailable(text),
        wit::Error::Forbidden(text) => Error::Forbidden(text),
        wit::Error::Timeout(text) => Error::Timeout(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
