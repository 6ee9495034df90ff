//! Notices changed files by looking once a second: it works on every filesystem, over NFS and through every editor's
//! way of saving, and costs a handful of stat calls.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::maintenance::{self, FlagFile};

/// How often to look. The flag is to be seen within two seconds, a changed configuration within five.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// What tells one version of a file from another; none if there is no such file.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// The configuration and the plugin files that it names.
pub(super) struct ConfigWatch {
    files: Vec<PathBuf>,
    loaded: Vec<Stamp>,
    seen: Vec<Stamp>,
}

impl ConfigWatch {
    pub(super) fn new(config: &Config) -> Self {
        let plugins = config.plugins.values().map(|plugin| plugin.file.clone());
        let files: Vec<PathBuf> = std::iter::once(config.path.clone()).chain(plugins).collect();
        let loaded: Vec<Stamp> = files.iter().map(|file| stamp(file)).collect();
        Self { files, seen: loaded.clone(), loaded }
    }

    /// Whether something has changed and stayed so since the last look: a file that is still being written is left
    /// alone.
    pub(super) fn changed(&mut self) -> bool {
        let now: Vec<Stamp> = self.files.iter().map(|file| stamp(file)).collect();
        let settled = now == self.seen;
        self.seen = now;
        if settled && self.seen != self.loaded {
            self.loaded.clone_from(&self.seen);
            return true;
        }
        false
    }
}

/// The maintenance flag.
pub(super) struct FlagWatch {
    path: PathBuf,
    stamp: Stamp,
}

impl FlagWatch {
    /// Watches the flag and says what it says now.
    pub(super) fn new(path: &Path) -> (Self, FlagFile) {
        let stamp = stamp(path);
        (Self { path: path.to_owned(), stamp }, maintenance::read(path))
    }

    /// What the flag says, if it changed.
    pub(super) fn changed(&mut self) -> Option<FlagFile> {
        let now = stamp(&self.path);
        if now == self.stamp {
            return None;
        }
        self.stamp = now;
        Some(maintenance::read(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(file: &Path) -> ConfigWatch {
        let files = vec![file.to_owned()];
        let loaded = vec![stamp(file)];
        ConfigWatch { files, seen: loaded.clone(), loaded }
    }

    #[test]
    fn a_change_is_reported_once_and_only_when_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        fs::write(&file, "a").unwrap();
        let mut watch = watch(&file);
        assert!(!watch.changed());
        fs::write(&file, "ab").unwrap();
        assert!(!watch.changed(), "it may still be being written");
        fs::write(&file, "abc").unwrap();
        assert!(!watch.changed());
        assert!(watch.changed());
        assert!(!watch.changed());
    }

    #[test]
    fn a_file_that_goes_away_is_a_change_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        fs::write(&file, "a").unwrap();
        let mut watch = watch(&file);
        fs::remove_file(&file).unwrap();
        assert!(!watch.changed());
        assert!(watch.changed());
    }
}
