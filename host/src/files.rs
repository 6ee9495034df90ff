//! Reading files that others write.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The file's content, but one byte more than `limit` at most: enough to notice the excess.
///
/// # Errors
/// If the file cannot be opened or read.
pub fn read_limited(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excess_is_noticed_and_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_limited(&file, 5).unwrap(), b"12345");
        assert_eq!(read_limited(&file, 3).unwrap(), b"1234");
    }
}
