//! What a file that is read bit by bit holds, whichever way it is packed.

use std::fs::File;
use std::io::Read;

use super::FileError;

/// A file's content as it comes, unpacked.
pub(super) type Content = Box<dyn Read + Send>;

/// The content of an open file. Blocks, and may hang.
///
/// # Errors
/// If it cannot be read, or is packed in a way that is not known.
pub(super) fn content(file: File, _path: &str) -> Result<Content, FileError> {
    Ok(Box::new(file))
}
