//! Commands across the wall.

use super::check_bindings::pihook::plugin::commands as wit;
use crate::commands::{Error, Output};

pub(crate) fn granted() -> Vec<String> {
    wit::granted()
}

pub(crate) fn run(name: &str) -> Result<Output, Error> {
    wit::run(name).map(output).map_err(error)
}

fn output(output: wit::Output) -> Output {
    let wit::Output { exit_code, stdout, stderr, truncated, took_ms } = output;
    Output { exit_code, stdout, stderr, truncated, took_ms }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::Denied(text) => Error::Denied(text),
        wit::Error::NotRunnable(text) => Error::NotRunnable(text),
        wit::Error::Timeout(text) => Error::Timeout(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
