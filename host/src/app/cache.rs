//! Where compiled plugins are kept.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

/// The folder for whoever tries a configuration out: the daemon's own, if this user is the daemon's, else one of the
/// user's. A folder that root made in passing would lock the daemon out of its own cache. None if the user has no home.
pub(super) fn of_visitor(data_dir: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if is_own(data_dir) { Some(of_daemon(data_dir)) } else { of_user(environment) }
}

/// The daemon's own folder.
pub(super) fn of_daemon(data_dir: &Path) -> PathBuf {
    data_dir.join("cache")
}

fn is_own(folder: &Path) -> bool {
    let owner = std::fs::metadata(folder).map(|found| found.uid());
    owner.is_ok_and(|owner| owner == geteuid().as_raw()) && access(folder, Access::WRITE_OK).is_ok()
}

fn of_user(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("pihook"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data_dir: &Path, variables: &[(&str, &str)], expect: Option<&Path>) {
        let environment = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(of_visitor(data_dir, &environment).as_deref(), expect);
    }

    #[test]
    fn somebody_else_s_folder_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HOME", "/home/kim");
        check(folder.path(), &[home], Some(&folder.path().join("cache")));

        let missing = folder.path().join("data");
        check(&missing, &[home], Some(Path::new("/home/kim/.cache/pihook")));
        check(&missing, &[("XDG_CACHE_HOME", "/tmp/c"), home], Some(Path::new("/tmp/c/pihook")));
        check(&missing, &[("XDG_CACHE_HOME", "relative")], None);
        assert!(!missing.exists());

        // Everybody's, or root's: never the test's, whoever runs it.
        if geteuid().as_raw() != 0 {
            check(Path::new("/"), &[home], Some(Path::new("/home/kim/.cache/pihook")));
        }
    }
}
