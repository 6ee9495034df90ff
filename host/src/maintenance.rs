//! The maintenance flag: a file whose presence mutes alerts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use pihook_core::maintenance::{Flag, FlagAge, Overdue, Scope, Source};
use serde::{Deserialize, Serialize};

use crate::files::read_limited;
use crate::words::count;

/// Largest flag file that is read. What is longer is somebody's mistake, and mutes everything.
const LARGEST: usize = 64 << 10;

/// The file's content. All of it is optional: `touch` is enough.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    zones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What the flag file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagFile {
    /// What it means; none if there is no file.
    pub flag: Option<Flag>,
    /// Why it counts as full maintenance although it says something else.
    pub problem: Option<String>,
}

/// The flag cannot be written or removed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", .path.display())]
pub struct FlagError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Reads the flag. One that cannot be read or understood counts as full maintenance: whoever put it there wanted
/// silence.
#[must_use]
pub fn read(path: &Path) -> FlagFile {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return FlagFile { flag: None, problem: None };
        }
        Err(error) => return full(format!("it cannot be read: {error}")),
    };
    match parse(&text) {
        Ok(flag) => FlagFile { flag: Some(flag), problem: None },
        Err(problem) => full(problem),
    }
}

fn full(problem: String) -> FlagFile {
    FlagFile { flag: Some(Flag::default()), problem: Some(problem) }
}

fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_limited(path, LARGEST)?;
    if bytes.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Understands the flag's text. Never panics.
pub fn parse(text: &str) -> Result<Flag, String> {
    if text.trim().is_empty() {
        return Ok(Flag::default());
    }
    let content: Content = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let until = content
        .until
        .map(|until| {
            until
                .trim()
                .parse::<Timestamp>()
                .map_err(|_| format!("until: {until:?} is no time; write it like 2026-11-22T18:00:00+01:00"))
        })
        .transpose()?;
    Ok(Flag { until, services: content.services, zones: content.zones, reason: content.reason })
}

/// The text that [`parse`] understands as this flag.
pub fn text(flag: &Flag) -> io::Result<String> {
    let content = Content {
        until: flag.until.map(|until| until.to_string()),
        services: flag.services.clone(),
        zones: flag.zones.clone(),
        reason: flag.reason.clone(),
    };
    let text = serde_yaml::to_string(&content).map_err(io::Error::other)?;
    Ok(if text.trim() == "{}" { String::new() } else { text })
}

/// When the flag was written, by its file's time; none if there is no flag.
#[must_use]
pub fn written(path: &Path) -> Option<Timestamp> {
    let modified = fs::metadata(path).and_then(|found| found.modified()).ok()?;
    Timestamp::try_from(modified).ok()
}

/// Whether the flag is older than a day, for whoever has not watched it.
#[must_use]
pub fn overdue(path: &Path, now: Timestamp) -> Option<Overdue> {
    FlagAge { written: written(path)?, known_for: Duration::ZERO }.overdue(now)
}

/// Says of a flag that it may have been forgotten.
#[must_use]
pub fn forgotten(overdue: Overdue) -> String {
    let days = usize::try_from(overdue.days).unwrap_or(usize::MAX);
    format!(
        "the maintenance flag was set {} ago, and alerts are muted since; `pihook maintenance off` removes it",
        count(days, "day")
    )
}

/// Whom maintenance covers, by what and why: `NAS, by the window backups: new disks`.
#[must_use]
pub fn described(source: Source, name: &str, scope: Scope<'_>, reason: Option<&str>) -> String {
    let by = match source {
        Source::Flag => "the flag".to_owned(),
        Source::Window => format!("the window {name}"),
    };
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{scope}, by {by}{why}")
}

/// Writes the flag, whole or not at all.
pub fn write(path: &Path, flag: &Flag) -> Result<(), FlagError> {
    let failed = |source| FlagError { action: "write", path: path.to_owned(), source };
    let text = text(flag).map_err(failed)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let temporary = path.with_extension("flag.tmp");
    let mut file = fs::File::create(&temporary).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}

/// Removes the flag and says whether there was one.
pub fn remove(path: &Path) -> Result<bool, FlagError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(FlagError { action: "remove", path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_mutes_everything() {
        assert_eq!(parse(""), Ok(Flag::default()));
        assert_eq!(parse(" \n"), Ok(Flag::default()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maintenance.flag");
        assert_eq!(read(&path), FlagFile { flag: None, problem: None });
        let flag = Flag {
            until: Some("2026-11-22T18:00:00Z".parse().unwrap()),
            services: vec!["NAS: the big one".into()],
            zones: vec!["local".into()],
            reason: Some("disk swap".into()),
        };
        for flag in [flag, Flag::default()] {
            write(&path, &flag).unwrap();
            assert_eq!(read(&path), FlagFile { flag: Some(flag), problem: None });
        }
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
    }

    #[test]
    fn what_cannot_be_understood_mutes_everything_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maintenance.flag");
        for (text, why) in [
            ("until: tomorrow", "no time"),
            ("serivces: [a]", "unknown field"),
            ("- a", "invalid type"),
            ("\u{0}", "control"),
        ] {
            fs::write(&path, text).unwrap();
            let read = read(&path);
            assert_eq!(read.flag, Some(Flag::default()), "{text}");
            assert!(read.problem.as_ref().is_some_and(|problem| problem.contains(why)), "{text}: {read:?}");
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).problem.is_some());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(read(&path).problem.is_some(), "a folder of that name is a wish for silence too");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
