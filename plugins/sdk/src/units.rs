//! Units of systemd.

use std::fmt;

use crate::Failure;

/// A unit, in systemd's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Such as `loaded`, `not-found`, `masked`.
    pub load_state: String,
    /// Such as `active`, `failed`, `inactive`, `activating`.
    pub active_state: String,
    /// Such as `running`, `exited`, `dead`.
    pub sub_state: String,
    /// Why a service ended, such as `success`, `exit-code`, `oom-kill`; empty for other kinds of units.
    pub reason: String,
    /// How often systemd has restarted it by itself; 0 for other kinds of units.
    pub restarts: u32,
    /// When it entered its state, in milliseconds since 1970 UTC; 0 if never.
    pub since_ms: i64,
}

/// Why there is no answer. Each text is a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no bus, or no systemd on it.
    Unavailable(String),
    /// The bus does not let PiHook's user ask, or services.yaml does not let the plugin.
    Forbidden(String),
    /// The bus did not answer in time.
    Timeout(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What a check makes of it. None of them says anything about the unit.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Error::Forbidden(text) => Failure::Denied(text),
            Error::Unavailable(text) | Error::Timeout(text) | Error::Other(text) => Failure::Other(text),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unavailable(text) | Error::Forbidden(text) | Error::Timeout(text) | Error::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Error {}

/// The unit with this name, such as `nginx.service`. One that does not exist has the load state `not-found`.
///
/// # Errors
/// An [`Error`] if systemd could not be asked.
pub fn inspect(name: &str) -> Result<Unit, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::units::inspect(name);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to ask for {name}: this is a native build")))
}
