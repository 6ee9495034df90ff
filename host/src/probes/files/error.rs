//! Why there is nothing to read.

use std::io;

use rustix::io::Errno;

use crate::probes::lane::Stuck;

/// Why there is nothing to read. The texts are whole phrases for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No grant covers the path; the text says which one is missing.
    #[error("{0}")]
    Denied(String),
    /// There is no such file or folder.
    #[error("{0}")]
    NotFound(String),
    /// The machine does not let PiHook's user read it; the text says what would help.
    #[error("{0}")]
    Forbidden(String),
    /// It is something else than was asked for: a folder, a pipe, a device.
    #[error("{0}")]
    WrongKind(String),
    /// The disk did not answer in time.
    #[error("{0}")]
    Timeout(String),
    /// It is compressed in a way that PiHook does not know, or is broken.
    #[error("{0}")]
    Unreadable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl FileError {
    /// What the kernel's refusal means for the path.
    pub(super) fn refused(path: &str, errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::NotFound(format!("there is no {path}")),
            Errno::ACCESS | Errno::PERM => Self::Forbidden(format!(
                "the user that PiHook runs as may not read {path}: put it into a group that may, or let it by \
                 `setfacl -m u:USER:rX` on the file and the folders above it"
            )),
            errno => Self::Other(format!("{path} cannot be looked at: {}", io::Error::from(errno))),
        }
    }

    /// What a failed reading means for the path.
    pub(super) fn broken(path: &str, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::refused(path, Errno::from_raw_os_error(code)),
            None => Self::Unreadable(format!("{path} cannot be read: {error}")),
        }
    }
}

impl From<Stuck> for FileError {
    fn from(stuck: Stuck) -> Self {
        match stuck {
            Stuck::Late(text) => Self::Timeout(text),
            Stuck::Broke(text) => Self::Other(text),
        }
    }
}
