//! Mounted filesystems: what is mounted where, and how full it is.

use std::fmt;

/// Why there are no figures. Each text is a phrase for humans that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no such folder.
    NotFound(String),
    /// The machine does not let PiHook's user look.
    Forbidden(String),
    /// The disk did not answer in time. It is not asked again before it has.
    Timeout(String),
    /// Anything else, a missing grant included.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::NotFound(text) | Error::Forbidden(text) | Error::Timeout(text) | Error::Other(text)) =
            self;
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

/// One line of the machine's mount table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub mount_point: String,
    /// What is mounted, such as `/dev/sda1` or `nas:/export`.
    pub source: String,
    /// Such as `ext4`.
    pub kind: String,
    /// Whether the filesystem itself can be read only. That a mount of it is so says nothing about its disk.
    pub read_only: bool,
}

/// How full a filesystem is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The mount that the path belongs to.
    pub on: Mount,
    /// All of its bytes.
    pub total_bytes: u64,
    /// Bytes that are free, those reserved for root included.
    pub free_bytes: u64,
    /// Bytes that are free for others than root.
    pub available_bytes: u64,
    /// All of its inodes; 0 where they are made as needed.
    pub inodes: u64,
    /// Inodes that are free.
    pub free_inodes: u64,
}

/// The figures of the filesystem that the path is on.
///
/// # Errors
/// An [`Error`] if there are none; in a native build there is no host.
pub fn measure(path: &str) -> Result<Usage, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::filesystems::measure(path);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to measure {path}: this is a native build")))
}

/// The mount table, in its order.
///
/// # Errors
/// An [`Error`] if there is none; in a native build there is no host.
pub fn mounts() -> Result<Vec<Mount>, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::filesystems::mounts();
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other("no host with a mount table: this is a native build".into()))
}
