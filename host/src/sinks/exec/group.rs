//! Runs the program to its end, with its input and what it writes.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::time::timeout;

use crate::process_group::{Group, LAST_WORDS};

/// How much of each output is kept, in bytes.
const MOST: usize = 4 << 10;

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

/// How a program ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The beginning of its output.
    pub(super) stdout: Vec<u8>,
    /// The beginning of its complaints.
    pub(super) stderr: Vec<u8>,
}

/// Starts a program. On a thread that may block: its file may be on a disk that does not answer.
pub(super) async fn start(
    command: Vec<String>,
    mut variables: Vec<(&'static str, String)>,
) -> Result<Group, NotStarted> {
    let program = command.first().cloned().unwrap_or_default();
    variables.push(("LC_ALL", "C.UTF-8".to_owned()));
    let begin = move || {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::NotFound)?;
        Group::start(program, arguments, variables, Stdio::piped())
    };
    let started = tokio::task::spawn_blocking(begin).await;
    let started = started.unwrap_or_else(|_| Err(io::Error::other("starting it broke off")));
    started.map_err(|error| NotStarted { program, error })
}

/// Gives it the input, waits for its end and kills what it leaves running. It need not read the input.
pub(super) async fn run_to_end(mut group: Group, input: Vec<u8>) -> io::Result<Ended> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let child = &mut group.child;
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let status = {
        let talk = async { tokio::join!(feed(stdin, input), keep(out, &mut stdout), keep(err, &mut stderr)) };
        tokio::pin!(talk);
        let mut silent = false;
        let status = loop {
            tokio::select! {
                status = group.child.wait() => break status?,
                _ = &mut talk, if !silent => silent = true,
            }
        };
        group.kill();
        if !silent {
            // What was written before the end is still in the pipes.
            let _ = timeout(LAST_WORDS, &mut talk).await;
        }
        status
    };
    group.release();
    Ok(Ended { status, stdout, stderr })
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
