//! Compiled plugins on disk. A compiled file is mapped into the daemon and executed, so it lives in a private folder,
//! is written under another name and renamed, and is checked against its digest before each load.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::digest::Digest;
use super::engine::engine_config;

/// How old an unfinished file must be to be nobody's any more. Compiling takes minutes at the most.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder of compiled plugins, all for one set of engine settings.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    /// Has a folder for each set of settings.
    root: PathBuf,
    folder: PathBuf,
}

impl Cache {
    /// A cache below `root`, which is created, readable by its owner alone.
    ///
    /// # Errors
    /// Also if somebody else could write there: they could have PiHook execute what they like.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let folder = root.join(settings_key());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let me = rustix::process::geteuid().as_raw();
        for folder in [root, &folder] {
            let metadata = fs::metadata(folder)?;
            if let Some(text) = exposed(metadata.uid(), metadata.mode(), me) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
        }
        Ok(Self { root: root.to_owned(), folder })
    }

    /// Removes what nobody has needed for long: other settings' folders, other plugins' files, unfinished ones. What is
    /// mapped stays so. A failure is none: the next sweep tries again.
    pub(super) fn sweep(&self, used: &BTreeSet<String>) {
        for (path, name) in entries(&self.root) {
            let is_ours = name.len() == SETTINGS_KEY && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_ours && path != self.folder {
                let _ = fs::remove_dir_all(path);
            }
        }
        for (path, name) in entries(&self.folder) {
            let digest = name.split('.').next().unwrap_or_default();
            // Another process may have compiled it just now, for a check on the command line.
            if (name.ends_with(".tmp") || !used.contains(digest)) && is_abandoned(&path) {
                let _ = fs::remove_file(path);
            }
        }
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

/// Why a folder of that owner and mode is not safe to execute from, if it is not.
fn exposed(owner: u32, mode: u32, me: u32) -> Option<String> {
    if owner != me {
        return Some(format!(
            "it belongs to user {owner}, and pihook runs as user {me}: compiled plugins are only taken from a folder of one's own"
        ));
    }
    (mode & 0o022 != 0)
        .then(|| format!("others may write there (mode {:o}): `chmod go-w` closes it", mode & 0o777))
}

fn entries(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?))).collect()
}

fn is_abandoned(file: &Path) -> bool {
    let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > ABANDONED))
}

/// Names the settings that a compiled file depends on, beside the plugin's own bytes.
fn settings_key() -> String {
    let settings = format!("{:?} {} {}", engine_config(), env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    Digest::of(settings.as_bytes()).short()
}

/// The length of a settings' name.
const SETTINGS_KEY: usize = 12;

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

    #[test]
    fn a_sweep_leaves_what_is_used_and_what_is_being_written() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::open(root.path()).unwrap();
        let [used, unused] = [b"a", b"b"].map(|wasm| Digest::of(wasm));
        for wasm in [&used, &unused] {
            write_compiled(&cache.path(wasm), b"compiled").unwrap();
        }
        let [fresh, abandoned] = ["x.cwasm.1.tmp", "y.cwasm.2.tmp"].map(|name| cache.folder.join(name));
        fs::write(&fresh, b"half").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::write(&abandoned, b"half").unwrap();
        for old in [&abandoned, &cache.path(&unused), &cache.sum_path(&unused)] {
            fs::File::options().write(true).open(old).unwrap().set_modified(long_ago).unwrap();
        }
        let [other, foreign] = ["0123456789ab", "not-ours"].map(|name| root.path().join(name));
        for folder in [&other, &foreign] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("z.cwasm"), b"old").unwrap();
        }
        cache.sweep(&[used.to_string()].into());
        assert!(cache.has(&used) && fresh.exists() && foreign.exists());
        assert!(!cache.has(&unused) && !cache.path(&unused).exists() && !cache.sum_path(&unused).exists());
        assert!(!abandoned.exists() && !other.exists());
        assert_eq!(settings_key().len(), SETTINGS_KEY);
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o775)).unwrap();
        let error = Cache::open(root.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("mode 775"), "{error}");
        assert_eq!(exposed(1000, 0o40755, 1000), None);
        assert!(exposed(1000, 0o40700, 0).unwrap().contains("user 1000"));
    }
}
