//! Notices changed files by looking once a second: it works on every filesystem, over NFS and through every editor's
//! way of saving, and costs a handful of stat calls.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pihook_core::maintenance::FlagAge;
use pihook_core::{Moment, Timestamp};

use crate::maintenance::{self, FlagFile};

/// How often to look. The flag is to be seen within two seconds, a changed configuration within five.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// What tells one version of a file from another; none if there is no such file.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// Which versions of which files were read. A stamp is taken before its file is read: one that is older than what was
/// read costs a spare reload, and one that is newer would lose an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamps(BTreeMap<PathBuf, Stamp>);

impl Stamps {
    /// Stamps a file that is about to be read.
    pub(super) fn take(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), stamp(path));
    }

    /// The same files as they are now.
    fn again(&self) -> Self {
        Self(self.0.keys().map(|path| (path.clone(), stamp(path))).collect())
    }
}

/// The configuration and the plugin files that it names.
pub(super) struct ConfigWatch {
    read: Stamps,
    seen: Stamps,
}

impl ConfigWatch {
    /// Watches the files that were read.
    pub(super) fn new(read: Stamps) -> Self {
        Self { seen: read.clone(), read }
    }

    /// Whether something has changed and stayed so since the last look: a file that is still being written is left
    /// alone. Says so once for each change.
    pub(super) fn changed(&mut self) -> bool {
        let now = self.read.again();
        let settled = now == self.seen;
        self.seen = now;
        if settled && self.seen != self.read {
            self.read.clone_from(&self.seen);
            return true;
        }
        false
    }

    /// These were read and are in use: nothing else is watched any more.
    pub(super) fn accepted(&mut self, read: Stamps) {
        *self = Self::new(read);
    }

    /// These were read and are not in use. The files in use are watched on: the repair may be in any of them.
    pub(super) fn refused(&mut self, read: Stamps) {
        self.read.0.extend(read.0);
        self.seen.clone_from(&self.read);
    }
}

/// The maintenance flag.
pub(super) struct FlagWatch {
    path: PathBuf,
    stamp: Stamp,
    /// When it was written, as its file says, and the uptime at which that was first seen.
    written: Option<(Timestamp, Duration)>,
}

impl FlagWatch {
    /// Watches the flag and says what it says now.
    pub(super) fn new(path: &Path, now: Moment) -> (Self, FlagFile) {
        let mut watch = Self { path: path.to_owned(), stamp: None, written: None };
        let file = watch.look(now);
        (watch, file)
    }

    /// What the flag says, if it changed.
    pub(super) fn changed(&mut self, now: Moment) -> Option<FlagFile> {
        (stamp(&self.path) != self.stamp).then(|| self.look(now))
    }

    /// How old the flag is; none if there is none.
    pub(super) fn age(&self, now: Moment) -> Option<FlagAge> {
        self.written.map(|(written, seen)| FlagAge { written, known_for: now.since(seen) })
    }

    fn look(&mut self, now: Moment) -> FlagFile {
        self.stamp = stamp(&self.path);
        self.written = maintenance::written(&self.path).map(|written| (written, now.uptime));
        maintenance::read(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(file: &Path) -> ConfigWatch {
        let mut stamps = Stamps::default();
        stamps.take(file);
        ConfigWatch::new(stamps)
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

    #[test]
    fn what_changes_during_a_reload_is_noticed_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let [file, plugin] = ["services.yaml", "plugin.wasm"].map(|name| folder.path().join(name));
        fs::write(&file, "a").unwrap();
        for outcome in [ConfigWatch::accepted, ConfigWatch::refused] {
            let mut watch = watch(&file);
            let mut read = Stamps::default();
            read.take(&file);
            read.take(&plugin);
            fs::write(&plugin, [0; 3]).unwrap();
            outcome(&mut watch, read);
            assert!(!watch.changed());
            assert!(watch.changed(), "the plugin came after it was looked for");
            assert!(!watch.changed());
            fs::remove_file(&plugin).unwrap();
        }
    }

    #[test]
    fn what_is_refused_is_not_tried_again_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        fs::write(&file, "a").unwrap();
        let mut watch = watch(&file);
        fs::write(&file, "ab").unwrap();
        assert!(!watch.changed());
        assert!(watch.changed());
        let mut read = Stamps::default();
        read.take(&file);
        watch.refused(read);
        assert!(!watch.changed());
        assert!(!watch.changed());
    }
}
