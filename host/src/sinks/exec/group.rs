//! The program with all that it starts: one process group.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// Where programs look for others. Nothing else of PiHook's own environment is passed on: there may be secrets in it.
const FOLDERS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of each output is kept, in bytes.
const MOST: usize = 4 << 10;
/// How long the last words of a killed group are waited for. Only who has left the group can make it that long.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The program does not run.
#[derive(Debug, thiserror::Error)]
#[error("the program {program} cannot be run: {error}")]
pub(super) struct NotStarted {
    program: String,
    error: io::Error,
}

impl NotStarted {
    /// Whether it stays like that until somebody does something.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(
            self.error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
        )
    }
}

/// A program that runs. Dropping it kills the whole group; the runtime then reaps the program.
pub(super) struct Group {
    // Killed before the program itself is, and before it is reaped.
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

/// How a program ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The beginning of its output.
    pub(super) stdout: Vec<u8>,
    /// The beginning of its complaints.
    pub(super) stderr: Vec<u8>,
}

impl Group {
    /// Starts a program. On a thread that may block: its file may be on a disk that does not answer.
    pub(super) async fn start(
        command: Vec<String>,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, NotStarted> {
        let program = command.first().cloned().unwrap_or_default();
        let started = tokio::task::spawn_blocking(move || start(&command, variables)).await;
        let started = started.unwrap_or_else(|_| Err(io::Error::other("starting it broke off")));
        started.map_err(|error| NotStarted { program, error })
    }

    /// Gives it the input, waits for its end and kills what it leaves running. It need not read the input.
    pub(super) async fn run_to_end(mut self, input: Vec<u8>) -> io::Result<Ended> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (stdin, out, err) = (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let status = {
            let talk =
                async { tokio::join!(feed(stdin, input), keep(out, &mut stdout), keep(err, &mut stderr)) };
            tokio::pin!(talk);
            let mut silent = false;
            let status = loop {
                tokio::select! {
                    status = self.child.wait() => break status?,
                    _ = &mut talk, if !silent => silent = true,
                }
            };
            self.members.kill();
            if !silent {
                // What was written before the end is still in the pipes.
                let _ = timeout(LAST_WORDS, &mut talk).await;
            }
            status
        };
        // The number is free now.
        self.members.0 = None;
        Ok(Ended { status, stdout, stderr })
    }
}

async fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        // Who closes it early does not want to know.
        let _ = stdin.write_all(&input).await;
    }
}

/// Reads to the end and keeps the beginning.
async fn keep<R: AsyncRead + Unpin>(from: Option<R>, kept: &mut Vec<u8>) {
    let Some(mut from) = from else { return };
    let mut buffer = [0; 4 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let wanted = length.min(MOST.saturating_sub(kept.len()));
        kept.extend_from_slice(buffer.get(..wanted).unwrap_or_default());
    }
}

fn start(command: &[String], variables: Vec<(&'static str, String)>) -> io::Result<Group> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", FOLDERS)
        .env("LC_ALL", "C.UTF-8")
        .envs(variables)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let number = child.id().and_then(|id| i32::try_from(id).ok());
    Ok(Group { members: Members(number.and_then(Pid::from_raw)), child })
}
