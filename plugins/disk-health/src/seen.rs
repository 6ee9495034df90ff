//! What is looked at. Judging it is not done here.

use pihook_plugin::commands;
use pihook_plugin::files::{self, Error};
use pihook_plugin::filesystems::{self, Mount};

use crate::ext4::{Btrfs, Ext4, parse_error_stats};
use crate::settings::Settings;
use crate::smart::{self, Answer};

/// What was seen. What is not there on this machine is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The mount table.
    pub mounts: Vec<Mount>,
    /// The content of `/etc/fstab`.
    pub fstab: Option<String>,
    /// The content of `/proc/mdstat`.
    pub mdstat: Option<String>,
    /// Each filesystem of ext4.
    pub ext4: Vec<Ext4>,
    /// Each device of btrfs.
    pub btrfs: Vec<Btrfs>,
    /// What each granted command brought.
    pub disks: Vec<Answer>,
    /// What could not be looked at, and why.
    pub gaps: Vec<String>,
}

const MOST_BYTES: u32 = 256 * 1024;

/// Looks at what the settings ask for.
#[must_use]
pub fn look(settings: &Settings) -> Seen {
    let mut seen = Seen::default();
    if settings.filesystems {
        match filesystems::mounts() {
            Ok(mounts) => seen.mounts = mounts,
            Err(error) => seen.gaps.push(error.to_string()),
        }
        seen.fstab = text(settings, "/etc/fstab", &mut seen.gaps);
    }
    if settings.arrays {
        seen.mdstat = text(settings, "/proc/mdstat", &mut seen.gaps);
    }
    if settings.ext4 {
        look_at_ext4(settings, &mut seen);
    }
    if settings.btrfs {
        look_at_btrfs(settings, &mut seen);
    }
    if settings.smart {
        let named = commands::granted().into_iter().filter(|name| name.starts_with("smart"));
        seen.disks = named.map(|name| smart::read(&name, commands::run(&name))).collect();
    }
    seen
}

fn look_at_ext4(settings: &Settings, seen: &mut Seen) {
    for device in names(settings, "/sys/fs/ext4", &mut seen.gaps) {
        let folder = format!("/sys/fs/ext4/{device}");
        // There is a folder of the kernel's own features beside the devices.
        let Some(errors) = text(settings, &format!("{folder}/errors_count"), &mut seen.gaps) else {
            continue;
        };
        let errors = errors.trim().parse().unwrap_or(0);
        let mut found = Ext4 { device, errors, ..Ext4::default() };
        if errors > 0 {
            let mut more =
                |name: &str| text(settings, &format!("{folder}/{name}"), &mut seen.gaps).unwrap_or_default();
            found.first = more("first_error_time").trim().parse().unwrap_or(0);
            found.last = more("last_error_time").trim().parse().unwrap_or(0);
            found.function = more("last_error_func").trim().to_owned();
        }
        seen.ext4.push(found);
    }
}

fn look_at_btrfs(settings: &Settings, seen: &mut Seen) {
    for filesystem in names(settings, "/sys/fs/btrfs", &mut seen.gaps) {
        // Beside the filesystems there are folders with one word as their name.
        if !filesystem.contains('-') {
            continue;
        }
        let folder = format!("/sys/fs/btrfs/{filesystem}/devinfo");
        for device in names(settings, &folder, &mut seen.gaps) {
            let mut told = |name: &str| text(settings, &format!("{folder}/{device}/{name}"), &mut seen.gaps);
            let counts = told("error_stats").map(|stats| parse_error_stats(&stats)).unwrap_or_default();
            let missing = told("missing").is_some_and(|text| text.trim() == "1");
            seen.btrfs.push(Btrfs { filesystem: filesystem.clone(), device, counts, missing });
        }
    }
}

/// The file's text; none if there is no such file. Other reasons are noted.
fn text(settings: &Settings, path: &str, gaps: &mut Vec<String>) -> Option<String> {
    present(files::read(&settings.path(path), MOST_BYTES), gaps)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The names in a folder; none if there is no such folder. Other reasons are noted.
fn names(settings: &Settings, folder: &str, gaps: &mut Vec<String>) -> Vec<String> {
    let mut names = present(files::entries(&settings.path(folder)), gaps).unwrap_or_default();
    names.truncate(100);
    names
}

fn present<T>(read: Result<T, Error>, gaps: &mut Vec<String>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(Error::NotFound(_)) => None,
        Err(error) => {
            gaps.push(error.to_string());
            None
        }
    }
}
