//! Why there is nothing to say about a container.

use std::io;
use std::path::Path;
use std::time::Duration;

use http::StatusCode;

/// Why there is nothing to say about a container. The texts are for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// There is no such container.
    #[error("{0}")]
    NotFound(String),
    /// Nobody listens on the socket.
    #[error("{0}")]
    Unavailable(String),
    /// This user may not use the socket.
    #[error("{0}")]
    Forbidden(String),
    /// No answer in time.
    #[error("{0}")]
    Timeout(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl ContainerError {
    pub(super) fn of_connecting(socket: &Path, error: &io::Error) -> Self {
        let socket = socket.display();
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::Unavailable(format!("there is no socket {socket}: is Docker or Podman running?"))
            }
            io::ErrorKind::ConnectionRefused => {
                Self::Unavailable(format!("nobody listens on {socket}: is Docker or Podman running?"))
            }
            io::ErrorKind::PermissionDenied => Self::Forbidden(format!(
                "this user may not use {socket}: for Docker, PiHook's user has to be in the group docker; under \
                 systemd, `SupplementaryGroups=docker` in pihook.service does that"
            )),
            _ => Self::Other(format!("{socket} cannot be used: {error}")),
        }
    }

    pub(super) fn late(socket: &Path, within: Duration) -> Self {
        let within = within.as_millis();
        Self::Timeout(format!("no whole answer over {} within {within} ms (read timeout)", socket.display()))
    }

    /// What came is not what Docker or Podman say of a container.
    pub(super) fn odd(socket: &Path) -> Self {
        Self::Other(format!("what answers on {} is neither Docker nor Podman", socket.display()))
    }

    pub(super) fn broken(socket: &Path, error: &hyper::Error) -> Self {
        match error {
            error if error.is_parse() => Self::odd(socket),
            error => Self::Other(format!("the connection to {} broke: {error}", socket.display())),
        }
    }

    /// An answer with this status instead of a container, and with this message, in one line.
    pub(super) fn refused(name: &str, socket: &Path, status: StatusCode, message: &str) -> Self {
        let shown = socket.display();
        let code = status.as_u16();
        match status {
            StatusCode::NOT_FOUND if message.to_ascii_lowercase().contains("no such container") => {
                let name = name.replace(char::is_control, " ");
                Self::NotFound(format!("there is no container {name}"))
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Self::Forbidden(format!(
                "what listens on {shown} does not let `GET /containers/` through (HTTP {code})"
            )),
            _ if message.is_empty() => {
                Self::Other(format!("what listens on {shown} answered with HTTP {code}"))
            }
            _ => Self::Other(format!("what listens on {shown} answered with HTTP {code}: {message}")),
        }
    }
}
