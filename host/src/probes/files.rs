//! Files, read-only and within grants. Whatever asks a disk blocks in a lane of its mount; nothing but regular files is
//! opened, since opening a device or a pipe may do something.

mod decode;
mod error;
mod walk;

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Dir, FileType, Mode, OFlags, Stat, fstat, open};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::grants::{Asked, FileGrant};
use super::lane::{Lanes, Stuck};
use super::mounts::{self, Mount};
use decode::Content;

pub use error::FileError;
pub(super) use walk::{Walk, Went};

/// The most that one reading brings, in bytes.
pub const MAX_READ_BYTES: u32 = 256 * 1024;

/// The most names that a folder tells.
pub const MAX_ENTRIES: usize = 10_000;

/// Looks at files.
#[derive(Default)]
pub struct FileProbe {
    pub(super) lanes: Lanes,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file, those of `/proc` and `/sys` included.
    File,
    /// A folder.
    Folder,
    /// Anything else.
    Other,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// What it is.
    pub kind: FileKind,
    /// Its length in bytes; 0 in `/proc`.
    pub size: u64,
    /// When its content changed, in milliseconds since 1970 UTC.
    pub modified_ms: i64,
}

/// An open file.
pub struct Reader {
    path: String,
    mount: String,
    /// None while a call has it, and for ever if that one hangs.
    content: Option<Content>,
}

/// Something that was found, not yet opened.
struct Found {
    handle: OwnedFd,
    path: String,
}

impl FileProbe {
    /// What is known of the file.
    ///
    /// # Errors
    /// If it is not granted, not there, or cannot be looked at.
    pub async fn stat(&self, grant: &FileGrant, path: &str, within: Duration) -> Result<FileInfo, FileError> {
        self.look(grant, path, within, |found, _| found.stat().map(|stat| info(&stat))).await
    }

    /// The names in a folder, sorted; at most [`MAX_ENTRIES`].
    ///
    /// # Errors
    /// If it is not granted, not a folder, or cannot be looked at.
    pub async fn entries(
        &self,
        grant: &FileGrant,
        folder: &str,
        within: Duration,
    ) -> Result<Vec<String>, FileError> {
        self.look(grant, folder, within, |found, _| found.entries()).await
    }

    /// The beginning of a file, at most so many bytes and at most [`MAX_READ_BYTES`], as they are on the disk.
    ///
    /// # Errors
    /// If it is not granted, not a regular file, or cannot be read.
    pub async fn read(
        &self,
        grant: &FileGrant,
        path: &str,
        max_bytes: u32,
        within: Duration,
    ) -> Result<Vec<u8>, FileError> {
        self.look(grant, path, within, move |found, _| {
            let file = found.file()?;
            some_of(file, max_bytes).map_err(|error| FileError::broken(&found.path, &error))
        })
        .await
    }

    /// Opens a file to be read bit by bit, unpacked.
    ///
    /// # Errors
    /// If it is not granted, not a regular file, or cannot be read.
    pub async fn open(&self, grant: &FileGrant, path: &str, within: Duration) -> Result<Reader, FileError> {
        self.look(grant, path, within, |found, mount| {
            let content = decode::content(found.file()?, &found.path)?;
            Ok(Reader { path: found.path, mount: mount.to_owned(), content: Some(content) })
        })
        .await
    }

    /// The next bytes of an open file, at most so many and at most [`MAX_READ_BYTES`]; none at its end.
    ///
    /// # Errors
    /// If it cannot be read on. After [`FileError::Timeout`] it never can.
    pub async fn read_on(
        &self,
        reader: &mut Reader,
        max_bytes: u32,
        within: Duration,
    ) -> Result<Vec<u8>, FileError> {
        let Some(mut content) = reader.content.take() else {
            return Err(FileError::Timeout(format!("{} was given up, since its disk hung", reader.path)));
        };
        let read = move || {
            let bytes = some_of(&mut content, max_bytes);
            (content, bytes)
        };
        let (content, bytes) = self.lanes.run(&reader.mount, &reader.path, within, read).await?;
        reader.content = Some(content);
        bytes.map_err(|error| FileError::broken(&reader.path, &error))
    }

    /// Goes to the path and does there what is to be done, all of it in lanes and within this time.
    async fn look<T, F>(
        &self,
        grant: &FileGrant,
        path: &str,
        within: Duration,
        work: F,
    ) -> Result<T, FileError>
    where
        T: Send + 'static,
        F: FnOnce(Found, &str) -> Result<T, FileError> + Send + 'static,
    {
        let asked = grant.asked(path).map_err(FileError::Denied)?;
        let walk = asked.walk();
        let then = move |(handle, walk, names): (OwnedFd, Walk, Vec<String>), asked: &Asked, mount: &str| {
            asked.allows(&walk, &names).map_err(FileError::Denied)?;
            work(Found { handle, path: asked.path.clone() }, mount)
        };
        let path = asked.path.clone();
        let arrived =
            go(&self.lanes, &path, walk, within, move |end, mount| then(end, &asked, mount)).await?;
        arrived.map_err(|errno| FileError::refused(&path, errno))?
    }
}

/// Goes a way to its end and does there what is to be done, each part in the lane of its mount.
///
/// # Errors
/// [`Stuck`] if a disk does not answer; within that the kernel's refusal.
pub(super) async fn go<T, F>(
    lanes: &Lanes,
    path: &str,
    mut walk: Walk,
    within: Duration,
    mut work: F,
) -> Result<Result<T, rustix::io::Errno>, Stuck>
where
    T: Send + 'static,
    F: FnOnce((OwnedFd, Walk, Vec<String>), &str) -> T + Send + 'static,
{
    let until = Instant::now() + within;
    // Without a table all is one mount.
    let mut mounts: Vec<Mount> = mounts::table().unwrap_or_default();
    loop {
        let mount = mounts::point_of(&mounts, &walk.ahead()).to_owned();
        let lane = mount.clone();
        let call = move || {
            let went = walk.go(&lane, &mounts);
            match went {
                Ok(Went::Here(handle, names)) => Ok(Ok(work((handle, walk, names), &lane))),
                Ok(Went::Elsewhere) => Err((walk, mounts, work)),
                Err(errno) => Ok(Err(errno)),
            }
        };
        let left = until.saturating_duration_since(Instant::now());
        match lanes.run(&mount, path, left, call).await? {
            Ok(arrived) => return Ok(arrived),
            Err(more) => (walk, mounts, work) = more,
        }
    }
}

impl Found {
    fn stat(&self) -> Result<Stat, FileError> {
        fstat(&self.handle).map_err(|errno| FileError::refused(&self.path, errno))
    }

    /// The very thing that was found, opened.
    fn reopen(&self, flags: OFlags) -> Result<OwnedFd, FileError> {
        let itself = format!("/proc/self/fd/{}", self.handle.as_raw_fd());
        open(itself, flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
            .map_err(|errno| FileError::refused(&self.path, errno))
    }

    fn file(&self) -> Result<File, FileError> {
        let what = match FileType::from_raw_mode(self.stat()?.st_mode) {
            FileType::RegularFile => return self.reopen(OFlags::NONBLOCK).map(File::from),
            FileType::Directory => "a folder",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            _ => "a device",
        };
        Err(FileError::WrongKind(format!("{} is {what} and no file", self.path)))
    }

    fn entries(&self) -> Result<Vec<String>, FileError> {
        if FileType::from_raw_mode(self.stat()?.st_mode) != FileType::Directory {
            return Err(FileError::WrongKind(format!("{} is no folder", self.path)));
        }
        let refused = |errno| FileError::refused(&self.path, errno);
        let folder = Dir::new(self.reopen(OFlags::DIRECTORY)?).map_err(refused)?;
        let mut names = Vec::new();
        for entry in folder {
            let name = entry.map_err(refused)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
            if names.len() == MAX_ENTRIES {
                break;
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

impl Drop for Reader {
    /// Closing a file asks some filesystems, and so may hang too.
    fn drop(&mut self) {
        if let (Some(content), Ok(runtime)) = (self.content.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(content));
        }
    }
}

fn some_of(content: impl Read, max_bytes: u32) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(max_bytes.min(MAX_READ_BYTES).into()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn info(stat: &Stat) -> FileInfo {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        _ => FileKind::Other,
    };
    let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    // The types of these differ between machines.
    #[allow(clippy::useless_conversion, reason = "they are 32 bits wide on some machines")]
    let seconds = i64::from(stat.st_mtime);
    FileInfo {
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ms: seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000),
    }
}

#[cfg(test)]
mod tests;
