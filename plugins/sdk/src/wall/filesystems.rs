//! Filesystems across the wall.

use super::check_bindings::pihook::plugin::filesystems as wit;
use crate::filesystems::{Error, Mount, Usage};

pub(crate) fn measure(path: &str) -> Result<Usage, Error> {
    wit::measure(path).map(usage).map_err(error)
}

pub(crate) fn mounts() -> Result<Vec<Mount>, Error> {
    wit::mounts().map(|mounts| mounts.into_iter().map(mount).collect()).map_err(error)
}

fn mount(mount: wit::Mount) -> Mount {
    let wit::Mount { mount_point, source, kind, read_only } = mount;
    Mount { mount_point, source, kind, read_only }
}

fn usage(usage: wit::Usage) -> Usage {
    let wit::Usage { on, total_bytes, free_bytes, available_bytes, inodes, free_inodes } = usage;
    Usage { on: mount(on), total_bytes, free_bytes, available_bytes, inodes, free_inodes }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::NotFound(text) => Error::NotFound(text),
        wit::Error::Forbidden(text) => Error::Forbidden(text),
        wit::Error::Timeout(text) => Error::Timeout(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
