//! Files across the wall.

use super::check_bindings::pihook::plugin::files as wit;
use crate::files::{Error, Info, Kind};

pub(crate) use wit::Reader as Handle;

pub(crate) fn stat(path: &str) -> Result<Info, Error> {
    wit::stat(path).map(info).map_err(error)
}

pub(crate) fn entries(folder: &str) -> Result<Vec<String>, Error> {
    wit::entries(folder).map_err(error)
}

pub(crate) fn read(path: &str, max_bytes: u32) -> Result<Vec<u8>, Error> {
    wit::read(path, max_bytes).map_err(error)
}

pub(crate) fn open(path: &str) -> Result<Handle, Error> {
    Handle::open(path).map_err(error)
}

pub(crate) fn read_on(handle: &Handle, max_bytes: u32) -> Result<Vec<u8>, Error> {
    handle.read(max_bytes).map_err(error)
}

fn info(info: wit::Info) -> Info {
    let kind = match info.kind {
        wit::Kind::File => Kind::File,
        wit::Kind::Folder => Kind::Folder,
        wit::Kind::Other => Kind::Other,
    };
    Info { kind, size: info.size, modified_ms: info.modified_ms }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::Denied(text) => Error::Denied(text),
        wit::Error::NotFound(text) => Error::NotFound(text),
        wit::Error::Forbidden(text) => Error::Forbidden(text),
        wit::Error::WrongKind(text) => Error::WrongKind(text),
        wit::Error::Timeout(text) => Error::Timeout(text),
        wit::Error::Unreadable(text) => Error::Unreadable(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
