//! Runs a command to its end, and keeps what it writes.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::time::timeout;

use super::output::{Kept, Output};
use super::program::{CommandError, find, not_started};
use crate::process_group::{Group, LAST_WORDS};

const MOST_STDOUT: usize = 256 << 10;
const MOST_STDERR: usize = 16 << 10;

/// How a command ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Kept,
    pub(super) stderr: Kept,
}

/// Starts a program with its arguments. On a thread that may block: its file may be on a disk that does not answer.
pub(super) async fn start(command: Vec<String>) -> Result<Group, CommandError> {
    let started = tokio::task::spawn_blocking(move || start_now(&command)).await;
    started.map_err(|_| CommandError::Other("starting a command broke off".to_owned()))?
}

/// Waits for the command's end and kills what it leaves running.
pub(super) async fn run_to_end(mut group: Group) -> io::Result<Ended> {
    let mut stdout = Output::new(group.child.stdout.take(), MOST_STDOUT);
    let mut stderr = Output::new(group.child.stderr.take(), MOST_STDERR);
    let ended = loop {
        tokio::select! {
            status = group.child.wait() => break Some(status?),
            read = stdout.read(), if stdout.is_open() => read?,
            read = stderr.read(), if stderr.is_open() => read?,
        }
        if stdout.is_flood() || stderr.is_flood() {
            break None;
        }
    };
    group.kill();
    let status = match ended {
        Some(status) => status,
        None => group.child.wait().await?,
    };
    // What was written before the end is still in the pipes.
    let last = async { tokio::try_join!(stdout.read_to_end(), stderr.read_to_end()) };
    if let Ok(read) = timeout(LAST_WORDS, last).await {
        read?;
    }
    group.release();
    Ok(Ended { status, stdout: stdout.into_kept(), stderr: stderr.into_kept() })
}

fn start_now(command: &[String]) -> Result<Group, CommandError> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| CommandError::Other("the command is empty".to_owned()))?;
    let path = find(program)?;
    // Plugins read what programs write, so it is in no language of the machine's.
    let locale = [("LC_ALL", "C".to_owned())];
    let started = Group::start(&path.to_string_lossy(), arguments, locale, Stdio::null());
    started.map_err(|error| not_started(&path, &error))
}
