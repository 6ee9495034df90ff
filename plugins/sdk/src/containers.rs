//! Containers, by the API that Docker and Podman share.

use std::fmt;

use crate::Failure;

/// A container, without its environment: that may hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Such as `running`, `exited`, `paused`, `restarting`, `created`, `dead`.
    pub state: String,
    /// What its own health check says, such as `healthy`, `unhealthy`, `starting`; none without one.
    pub health: Option<String>,
    /// The last output of its own health check; empty without one. Untrusted text.
    pub health_output: String,
    /// The exit code of its last end.
    pub exit_code: i32,
    /// Whether it ended for lack of memory.
    pub out_of_memory: bool,
    /// How often it was restarted by itself.
    pub restarts: u32,
    /// When it was started, in milliseconds since 1970 UTC; 0 if never.
    pub started_ms: i64,
    /// The image's name.
    pub image: String,
}

/// Why there is no answer. Each text is a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The socket is not granted; the text says how to grant it.
    Denied(String),
    /// There is no such container.
    NotFound(String),
    /// Nobody listens on the socket.
    Unavailable(String),
    /// The machine does not let PiHook's user use the socket.
    Forbidden(String),
    /// No answer in time.
    Timeout(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What a check usually makes of it: only that there is no such container says something about it.
    ///
    /// # Errors
    /// The text of [`Error::NotFound`].
    pub fn into_failure(self) -> Result<Failure, String> {
        match self {
            Error::NotFound(text) => Err(text),
            Error::Denied(text) | Error::Forbidden(text) => Ok(Failure::Denied(text)),
            Error::Unavailable(text) | Error::Timeout(text) | Error::Other(text) => Ok(Failure::Other(text)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Denied(text)
            | Error::NotFound(text)
            | Error::Unavailable(text)
            | Error::Forbidden(text)
            | Error::Timeout(text)
            | Error::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

/// The container with this name or id, over this socket, or over the one that is granted.
///
/// # Errors
/// An [`Error`] if there is none, or if it could not be asked for.
pub fn inspect(name: &str, socket: Option<&str>) -> Result<Container, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::containers::inspect(name, socket);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = socket;
        Err(Error::Other(format!("no host to ask for {name}: this is a native build")))
    }
}
