//! The few things that are done with files, so that the same code runs in the sandbox and, in tests, on a folder.

use pihook_plugin::files::{Error, Info};

/// Files, by absolute paths as the machine that is looked at has them.
pub trait World {
    /// What is known of the file.
    ///
    /// # Errors
    /// If nothing is.
    fn stat(&self, path: &str) -> Result<Info, Error>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// If there are none to be had.
    fn entries(&self, folder: &str) -> Result<Vec<String>, Error>;

    /// The beginning of a file.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, Error>;

    /// A whole file, decompressed, bit by bit.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    fn stream(&self, path: &str, take: &mut dyn FnMut(&[u8])) -> Result<(), Error>;
}

/// The host's files, below a folder that is the other machine's root.
#[derive(Clone, Debug)]
pub struct Host {
    /// Without a slash at its end; empty for this machine.
    pub root: String,
}

/// As much of a small file as is looked at.
const SMALL: u32 = 64 * 1024;

impl World for Host {
    fn stat(&self, path: &str) -> Result<Info, Error> {
        pihook_plugin::files::stat(&format!("{}{path}", self.root))
    }

    fn entries(&self, folder: &str) -> Result<Vec<String>, Error> {
        pihook_plugin::files::entries(&format!("{}{folder}", self.root))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        pihook_plugin::files::read(&format!("{}{path}", self.root), SMALL)
    }

    fn stream(&self, path: &str, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let mut reader = pihook_plugin::files::Reader::open(&format!("{}{path}", self.root))?;
        loop {
            let chunk = reader.read(pihook_plugin::files::MAX_READ_BYTES)?;
            if chunk.is_empty() {
                return Ok(());
            }
            take(&chunk);
        }
    }
}
