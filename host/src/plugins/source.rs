//! A plugin's bytes, and what services.yaml says about them.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::compile::MAX_PLUGIN_BYTES;
use super::digest::Digest;
use super::load::LoadError;

/// The plugins that come with PiHook: id and component.
pub const BUNDLED: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Those of them that are formatters.
pub const BUNDLED_FORMATTERS: [&str; 4] = ["compact", "detailed", "digest", "plain"];

/// Bundled plugins that need more than the limits of their kind: id, bytes of memory, CPU time. Debian's list of packages has
/// 50 MB, which a Pi 3 looks through for some seconds.
const GREEDY: &[(&str, usize, Duration)] = &[("apt-updates", 32 << 20, Duration::from_secs(20))];

/// A plugin to be loaded.
#[derive(Clone, Debug)]
pub struct PluginSource {
    /// Its id in services.yaml.
    pub id: String,
    /// The component.
    pub wasm: Cow<'static, [u8]>,
    /// The most bytes of memory that a run may use; the default of its kind if none.
    pub memory: Option<usize>,
    /// The most CPU time that a run may use; likewise.
    pub cpu: Option<Duration>,
}

impl PluginSource {
    /// These bytes, with the limits of their kind.
    #[must_use]
    pub fn new(id: &str, wasm: Cow<'static, [u8]>) -> Self {
        Self { id: id.to_owned(), wasm, memory: None, cpu: None }
    }

    /// The plugin with this id that comes with PiHook.
    #[must_use]
    pub fn bundled(id: &str) -> Option<Self> {
        let (id, wasm) = BUNDLED.iter().find(|(bundled, _)| *bundled == id)?;
        let greedy = GREEDY.iter().find(|(greedy, ..)| greedy == id);
        let usual = Self::new(id, Cow::Borrowed(wasm));
        Some(Self {
            memory: greedy.map(|(_, memory, _)| *memory),
            cpu: greedy.map(|(.., cpu)| *cpu),
            ..usual
        })
    }

    /// The file's bytes, if their SHA-256 is the `wanted` one, in hexadecimal digits.
    ///
    /// # Errors
    /// [`LoadError::Read`] if it is no readable file of a plugin's size, [`LoadError::Digest`] if it is another one.
    pub fn from_file(id: &str, file: &Path, wanted: Option<&str>) -> Result<Self, LoadError> {
        let wasm = read(file).map_err(|error| LoadError::Read(file.to_owned(), error))?;
        let found = Digest::of(&wasm);
        match wanted {
            Some(wanted) if !wanted.eq_ignore_ascii_case(&found.to_string()) => {
                Err(LoadError::Digest { wanted: wanted.to_owned(), found })
            }
            _ => Ok(Self::new(id, Cow::Owned(wasm))),
        }
    }
}

/// Looks at the kind of file before it is opened: opening a pipe waits, and some devices never end.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut wasm = Vec::new();
    File::open(file)?.take(MAX_PLUGIN_BYTES + 1).read_to_end(&mut wasm)?;
    if wasm.len() as u64 > MAX_PLUGIN_BYTES {
        let text = format!("it is larger than {} MiB", MAX_PLUGIN_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(wasm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(file: &Path, wanted: Option<&str>) -> LoadError {
        PluginSource::from_file("x", file, wanted).unwrap_err()
    }

    #[test]
    fn what_is_no_file_of_a_plugins_size_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        for path in [Path::new("/dev/zero"), folder.path(), &folder.path().join("absent")] {
            assert!(matches!(refused(path, None), LoadError::Read(..)), "{}", path.display());
        }
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(MAX_PLUGIN_BYTES + 1).unwrap();
        assert!(matches!(refused(&large, None), LoadError::Read(..)));
    }

    #[test]
    fn only_the_wanted_file_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
        assert!(PluginSource::from_file("x", file.path(), Some(empty)).is_ok());
        assert!(matches!(refused(file.path(), Some("00")), LoadError::Digest { .. }));
    }
}
