//! A command with all that it starts: one process group.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::output::{Kept, Output};
use super::program::{CommandError, FOLDERS, find, not_started};

const MOST_STDOUT: usize = 256 << 10;
const MOST_STDERR: usize = 16 << 10;

/// How long the last words of a killed group are waited for. Only who has left the group can make it that long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A command that runs. Dropping it kills the whole group; the runtime then reaps the command.
pub(super) struct Group {
    // Killed before the command itself is, and before it is reaped.
    members: Members,
    child: Child,
}

/// The processes of a group, killed when this is dropped.
struct Members(Option<Pid>);

impl Members {
    fn kill(&self) {
        if let Some(group) = self.0 {
            // That nobody is left is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How a command ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Kept,
    pub(super) stderr: Kept,
}

impl Group {
    /// Starts a program with its arguments. On a thread that may block: its file may be on a disk that does not answer.
    pub(super) async fn start(command: Vec<String>) -> Result<Self, CommandError> {
        let started = tokio::task::spawn_blocking(move || start(&command)).await;
        started.map_err(|_| CommandError::Other("starting a command broke off".to_owned()))?
    }

    /// Waits for the command's end and kills what it leaves running.
    pub(super) async fn run_to_end(mut self) -> io::Result<Ended> {
        let mut stdout = Output::new(self.child.stdout.take(), MOST_STDOUT);
        let mut stderr = Output::new(self.child.stderr.take(), MOST_STDERR);
        let ended = loop {
            tokio::select! {
                status = self.child.wait() => break Some(status?),
                read = stdout.read(), if stdout.is_open() => read?,
                read = stderr.read(), if stderr.is_open() => read?,
            }
            if stdout.is_flood() || stderr.is_flood() {
                break None;
            }
        };
        self.members.kill();
        let status = match ended {
            Some(status) => status,
            None => self.child.wait().await?,
        };
        // What was written before the end is still in the pipes.
        let last = async { tokio::try_join!(stdout.read_to_end(), stderr.read_to_end()) };
        if let Ok(read) = timeout(LAST_WORDS, last).await {
            read?;
        }
        // The number is free now.
        self.members.0 = None;
        Ok(Ended { status, stdout: stdout.into_kept(), stderr: stderr.into_kept() })
    }
}

fn start(command: &[String]) -> Result<Group, CommandError> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| CommandError::Other("the command is empty".to_owned()))?;
    let path = find(program)?;
    let child = Command::new(&path)
        .args(arguments)
        .env_clear()
        .env("PATH", FOLDERS)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| not_started(&path, &error))?;
    let number = child.id().and_then(|id| i32::try_from(id).ok());
    Ok(Group { members: Members(number.and_then(Pid::from_raw)), child })
}
