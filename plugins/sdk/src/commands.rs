//! Commands that the administrator has fixed in services.yaml. A plugin names one and cannot change a letter of it.

use std::fmt;

use crate::Failure;

/// What a command left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Its exit code; none if a signal ended it, or the host did because it wrote far too much.
    pub exit_code: Option<i32>,
    /// What it wrote to its output, at most 256 KiB.
    pub stdout: Vec<u8>,
    /// What it wrote to its error output, at most 16 KiB.
    pub stderr: Vec<u8>,
    /// Whether it wrote more.
    pub truncated: bool,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// Why there is no output. Each text is a phrase for humans that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No such command is granted; the text says how to grant it.
    Denied(String),
    /// The program is not there or cannot be executed.
    NotRunnable(String),
    /// It was ended because it took too long.
    Timeout(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What a check usually makes of it: what PiHook or its machine could not do says nothing about the service.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Error::Denied(text) => Failure::Denied(text),
            Error::NotRunnable(text) | Error::Timeout(text) | Error::Other(text) => Failure::Other(text),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Denied(text) | Error::NotRunnable(text) | Error::Timeout(text) | Error::Other(text)) =
            self;
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

/// The names of the granted commands, sorted. None in a native build.
#[must_use]
pub fn granted() -> Vec<String> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::commands::granted();
    #[cfg(not(target_arch = "wasm32"))]
    Vec::new()
}

/// Runs the command with this name. It has the service's read timeout to end in.
///
/// # Errors
/// An [`Error`] if it did not run to its end. An exit code other than 0 is none.
pub fn run(name: &str) -> Result<Output, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::commands::run(name);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to run {name}: this is a native build")))
}
