//! Files, read-only, as far as services.yaml or the plugin's own place in PiHook grants them. Paths are absolute.

use std::fmt;

use crate::Failure;

/// The most that one reading brings, in bytes.
pub const MAX_READ_BYTES: u32 = 256 * 1024;

/// Why there is nothing to read. Each text is a phrase for humans that stands by itself and has the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No grant covers the path; the text says which one is missing.
    Denied(String),
    /// There is no such file or folder.
    NotFound(String),
    /// The machine does not let PiHook's user read it; the text says what would help.
    Forbidden(String),
    /// It is something else than was asked for: a folder, a pipe, a device.
    WrongKind(String),
    /// The disk did not answer in time. It is not asked again before it has.
    Timeout(String),
    /// It is compressed in a way that PiHook does not know, or is broken.
    Unreadable(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// What a check makes of it that cannot tell without the file.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Error::Denied(text) => Failure::Denied(text),
            error => Failure::Other(error.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Denied(text)
        | Error::NotFound(text)
        | Error::Forbidden(text)
        | Error::WrongKind(text)
        | Error::Timeout(text)
        | Error::Unreadable(text)
        | Error::Other(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, those of `/proc` and `/sys` included.
    File,
    /// A folder.
    Folder,
    /// Anything else.
    Other,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes; 0 in `/proc`.
    pub size: u64,
    /// When its content changed, in milliseconds since 1970 UTC.
    pub modified_ms: i64,
}

/// What is known of the file.
///
/// # Errors
/// An [`Error`] if nothing is; in a native build there is no host.
pub fn stat(path: &str) -> Result<Info, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::files::stat(path);
    #[cfg(not(target_arch = "wasm32"))]
    Err(native(path))
}

/// The names in a folder, sorted; at most 10,000.
///
/// # Errors
/// An [`Error`] if there are none to be had; in a native build there is no host.
pub fn entries(folder: &str) -> Result<Vec<String>, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::files::entries(folder);
    #[cfg(not(target_arch = "wasm32"))]
    Err(native(folder))
}

/// The beginning of a file: at most so many bytes, and at most [`MAX_READ_BYTES`].
///
/// # Errors
/// An [`Error`] if it cannot be read; in a native build there is no host.
pub fn read(path: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::files::read(path, max_bytes);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = max_bytes;
        Err(native(path))
    }
}

/// A file that is read bit by bit. Only a few may be open at once.
#[derive(Debug)]
pub struct Reader {
    #[cfg(target_arch = "wasm32")]
    handle: crate::wall::files::Handle,
}

impl Reader {
    /// Opens a file. One that is compressed (gzip, xz, lz4, zstd; told by its first bytes) is read decompressed.
    ///
    /// # Errors
    /// An [`Error`] if it cannot be opened; in a native build there is no host.
    pub fn open(path: &str) -> Result<Reader, Error> {
        #[cfg(target_arch = "wasm32")]
        return crate::wall::files::open(path).map(|handle| Reader { handle });
        #[cfg(not(target_arch = "wasm32"))]
        Err(native(path))
    }

    /// The next bytes, at most so many and at most [`MAX_READ_BYTES`]; none at the end.
    ///
    /// # Errors
    /// An [`Error`] if it cannot be read on; in a native build there is no host.
    pub fn read(&mut self, max_bytes: u32) -> Result<Vec<u8>, Error> {
        #[cfg(target_arch = "wasm32")]
        return crate::wall::files::read_on(&self.handle, max_bytes);
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = max_bytes;
            Err(native("a file"))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn native(path: &str) -> Error {
    Error::Other(format!("no host to read {path}: this is a native build"))
}
