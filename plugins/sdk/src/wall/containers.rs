//! Containers across the wall.

use super::check_bindings::pihook::plugin::containers as wit;
use crate::containers::{Container, Error};

pub(crate) fn inspect(name: &str, socket: Option<&str>) -> Result<Container, Error> {
    wit::inspect(name, socket).map(container).map_err(error)
}

fn container(container: wit::Container) -> Container {
    Container {
        state: container.state,
        health: container.health,
        health_output: container.health_output,
        exit_code: container.exit_code,
        out_of_memory: container.out_of_memory,
        restarts: container.restarts,
        started_ms: container.started_ms,
        image: container.image,
    }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::Denied(text) => Error::Denied(text),
        wit::Error::NotFound(text) => Error::NotFound(text),
        wit::Error::Unavailable(text) => Error::Unavailable(text),
        wit::Error::Forbidden(text) => Error::Forbidden(text),
        wit::Error::Timeout(text) => Error::Timeout(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
