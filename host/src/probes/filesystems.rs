//! Mounted filesystems: what is mounted where, and how full it is.

use std::io;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, StatVfs, StatxFlags, statvfs, statx};
use rustix::io::Errno;

use super::files::{FileProbe, Walk, go};
use super::lane::Stuck;
use super::mounts;
use crate::paths::{joined, names};

pub use mounts::Mount;

/// The most lines of the mount table that are told.
const MOST_MOUNTS: usize = 2_000;

/// How full a filesystem is.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Why there are no figures. The texts are whole phrases for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesystemError {
    /// There is no such folder.
    #[error("{0}")]
    NotFound(String),
    /// The machine does not let PiHook's user look.
    #[error("{0}")]
    Forbidden(String),
    /// The disk did not answer in time.
    #[error("{0}")]
    Timeout(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Looks at filesystems, in the lanes of the probe of files.
pub struct FilesystemProbe<'p>(pub(super) &'p FileProbe);

impl FilesystemProbe<'_> {
    /// The figures of the filesystem that the path is on.
    ///
    /// # Errors
    /// If there are none to be had within this time.
    pub async fn measure(&self, path: &str, within: Duration) -> Result<Usage, FilesystemError> {
        let names = names(path).map_err(|error| {
            let shown: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
            FilesystemError::NotFound(format!("{shown} is no folder to measure: {error}"))
        })?;
        let path = joined(&names);
        let figures = go(&self.0.lanes, &path, Walk::new(&names, []), within, |(handle, _, names), _| {
            // By its path and not by the handle, so that what is mounted on demand is mounted.
            let end = joined(&names);
            drop(handle);
            let space = statvfs(&end)?;
            let seen = statx(CWD, &end, AtFlags::empty(), StatxFlags::MNT_ID)?;
            let told = seen.stx_mask & StatxFlags::MNT_ID.bits() != 0;
            Ok::<_, Errno>((end, space, told.then_some(seen.stx_mnt_id)))
        });
        let arrived = figures.await.map_err(|stuck| match stuck {
            Stuck::Late(text) => FilesystemError::Timeout(text),
            Stuck::Broke(text) => FilesystemError::Other(text),
        })?;
        let (end, space, id) = arrived.and_then(|seen| seen).map_err(|errno| refused(&path, errno))?;
        Ok(usage(on(self.mounts()?, &end, id)?, &space))
    }

    /// The mount table, in its order.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn mounts(&self) -> Result<Vec<Mount>, FilesystemError> {
        let mut mounts = mounts::table().map_err(|error| {
            FilesystemError::Other(format!("the mount table /proc/self/mountinfo cannot be read: {error}"))
        })?;
        mounts.truncate(MOST_MOUNTS);
        Ok(mounts)
    }
}

/// The mount with this number, or else the one that the path tells.
fn on(mounts: Vec<Mount>, path: &str, id: Option<u64>) -> Result<Mount, FilesystemError> {
    let by_id = mounts.iter().find(|mount| Some(mount.id) == id);
    by_id
        .or_else(|| mounts::on(&mounts, path))
        .cloned()
        .ok_or_else(|| FilesystemError::Other(format!("the mount table has no place for {path}")))
}

fn usage(on: Mount, space: &StatVfs) -> Usage {
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    Usage {
        on,
        total_bytes: bytes(space.f_blocks),
        free_bytes: bytes(space.f_bfree),
        available_bytes: bytes(space.f_bavail),
        inodes: space.f_files,
        free_inodes: space.f_ffree,
    }
}

fn refused(path: &str, errno: Errno) -> FilesystemError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => FilesystemError::NotFound(format!("there is no {path}")),
        Errno::ACCESS | Errno::PERM => FilesystemError::Forbidden(format!(
            "the user that PiHook runs as may not look into {path}: let it by `setfacl -m u:USER:x` on the folders above it"
        )),
        // What is mounted there is gone or broken, and with it the folder.
        Errno::IO
        | Errno::STALE
        | Errno::NOTCONN
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::TIMEDOUT
        | Errno::NODEV
        | Errno::NXIO => {
            FilesystemError::NotFound(format!("{path} cannot be reached: {}", io::Error::from(errno)))
        }
        errno => FilesystemError::Other(format!("{path} cannot be measured: {}", io::Error::from(errno))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_path_is_measured_on_the_mount_that_it_leads_to() {
        let files = FileProbe::default();
        let probe = FilesystemProbe(&files);
        let root = probe.measure("/", WITHIN).await.unwrap();
        assert_eq!(root.on.point, "/");
        assert!(root.total_bytes >= root.free_bytes && root.free_bytes >= root.available_bytes);
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/proc/sys", &link).unwrap();
        let proc = probe.measure(link.to_str().unwrap(), WITHIN).await.unwrap();
        assert_eq!(proc.on.kind, "proc");
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_to_be_so() {
        let files = FileProbe::default();
        let probe = FilesystemProbe(&files);
        let missing = probe.measure("/no/such/folder", WITHIN).await;
        assert_eq!(missing, Err(FilesystemError::NotFound("there is no /no/such/folder".to_owned())));
        assert!(matches!(probe.measure("a/../b", WITHIN).await, Err(FilesystemError::NotFound(_))));
    }
}
