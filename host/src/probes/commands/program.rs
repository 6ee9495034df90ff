//! From a program's name to its file, and what stands between the two.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::net::reason;

use crate::process_group::FOLDERS;

/// Why a command left nothing behind. The texts are whole phrases for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The program is not there or cannot be executed.
    #[error("{0}")]
    NotRunnable(String),
    /// It was killed because it took too long.
    #[error("{0}")]
    Timeout(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The file of a program: a name is looked up in [`FOLDERS`], a path is taken as it is. Blocks.
pub(super) fn find(program: &str) -> Result<PathBuf, CommandError> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        return match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(CommandError::NotRunnable(not_there(program, &error))),
        };
    }
    let mut unusable = None;
    for path in FOLDERS.split(':').map(|folder| Path::new(folder).join(program)) {
        match fs::metadata(&path) {
            Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => return Ok(path),
            // As a shell would, which goes on looking too.
            Ok(found) if found.is_file() => unusable = unusable.or(Some(path)),
            Ok(_) | Err(_) => {}
        }
    }
    // What is there and cannot be executed says so better when it is tried.
    unusable.ok_or_else(|| {
        CommandError::NotRunnable(format!(
            "there is no program `{program}` in {}: install the package that brings it, or write its whole path in \
             services.yaml",
            FOLDERS.replace(':', ", ")
        ))
    })
}

fn not_there(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!(
                "PiHook's user may not look at `{program}`: it lacks the right to enter a folder on the way"
            )
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            format!("there is no program `{program}`: install it, or correct its path in services.yaml")
        }
        _ => format!("`{program}` cannot be looked at: {}", reason(error)),
    }
}

/// Why a program that is there did not start.
pub(super) fn not_started(path: &Path, error: &io::Error) -> CommandError {
    use rustix::io::Errno;
    let path = path.display();
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS | Errno::PERM) => CommandError::NotRunnable(format!(
            "PiHook's user may not execute {path}: it lacks the right to (see `ls -l {path}`), or is kept from it by the \
             machine, as on a disk that is mounted `noexec`"
        )),
        Some(Errno::NOEXEC) => CommandError::NotRunnable(format!(
            "{path} is no program for this machine: a script begins with a line such as `#!/bin/sh`, and a program is built \
             for this processor"
        )),
        // The file itself was there a moment ago.
        Some(Errno::NOENT) => CommandError::NotRunnable(format!(
            "{path} does not start, because what it runs on is missing: the interpreter in a script's first line, or the \
             machine's loader of programs"
        )),
        _ => CommandError::Other(format!("{path} could not be started: {}", reason(error))),
    }
}
