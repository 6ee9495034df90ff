//! Compiled plugins on disk. A compiled file is mapped into the daemon and executed, so it lives in a private folder,
//! is written under another name and renamed, and is checked against its digest before each load.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::engine::engine_config;

/// A folder of compiled plugins, all for one set of engine settings.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A cache below `folder`, which is created, readable by its owner alone.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join(settings_key());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self, wasm: &Digest) -> PathBuf {
        self.folder.join(format!("{wasm}.cwasm"))
    }

    fn sum_path(&self, wasm: &Digest) -> PathBuf {
        self.folder.join(format!("{wasm}.cwasm.sha256"))
    }

    /// Whether there is an intact compiled file for these bytes. An SD card rots, and a rotten file must not be executed.
    pub(super) fn has(&self, wasm: &Digest) -> bool {
        let (Ok(compiled), Ok(sum)) = (fs::read(self.path(wasm)), fs::read_to_string(self.sum_path(wasm)))
        else {
            return false;
        };
        sum.trim() == Digest::of(&compiled).to_string()
    }

    /// Removes the compiled file, so that it is made anew.
    pub(super) fn forget(&self, wasm: &Digest) {
        let _ = fs::remove_file(self.sum_path(wasm));
        let _ = fs::remove_file(self.path(wasm));
    }
}

/// Writes a compiled plugin and its digest, each under another name first. The digest comes last: without it the
/// file is not used.
pub(super) fn write_compiled(path: &Path, compiled: &[u8]) -> io::Result<()> {
    write_atomically(path, compiled)?;
    let mut sum = path.as_os_str().to_owned();
    sum.push(".sha256");
    write_atomically(Path::new(&sum), format!("{}\n", Digest::of(compiled)).as_bytes())
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// Names the settings that a compiled file depends on, beside the plugin's own bytes.
fn settings_key() -> String {
    let settings = format!("{:?} {} {}", engine_config(), env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    Digest::of(settings.as_bytes()).short()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_used_only_while_its_digest_holds() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let wasm = Digest::of(b"wasm");
        assert!(!cache.has(&wasm));
        write_compiled(&cache.path(&wasm), b"compiled").unwrap();
        assert!(cache.has(&wasm));
        fs::write(cache.path(&wasm), b"compileD").unwrap();
        assert!(!cache.has(&wasm), "a flipped bit must not be executed");
        cache.forget(&wasm);
        assert!(!cache.path(&wasm).exists());
    }
}
