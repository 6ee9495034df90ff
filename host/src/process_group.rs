//! A program with all that it starts: one process group, which is killed as a whole.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Where programs look for others. Nothing else of PiHook's own environment is passed on: there may be secrets in it.
pub const FOLDERS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long the last words of a killed group are waited for. Only who has left the group can make it that long.
pub const LAST_WORDS: Duration = Duration::from_millis(200);

/// A program that runs. Dropping it kills the whole group; the runtime then reaps the program.
pub struct Group {
    // Killed before the program itself is, and before it is reaped.
    members: Members,
    /// The program itself. Once it has been waited for, the group is to be [released](Group::release).
    pub child: Child,
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

impl Group {
    /// Starts a program in a group of its own, with pipes for what it writes and an environment of [`FOLDERS`] and
    /// `variables` alone. May wait for the disk that the program is on.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        program: &str,
        arguments: &[String],
        variables: impl IntoIterator<Item = (&'static str, String)>,
        stdin: Stdio,
    ) -> io::Result<Self> {
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", FOLDERS)
            .envs(variables)
            .current_dir("/")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self { members: Members(number.and_then(Pid::from_raw)), child })
    }

    /// Kills whoever is left of it.
    pub fn kill(&self) {
        self.members.kill();
    }

    /// The program was waited for and the others were killed: the group's number is free for somebody else.
    pub fn release(&mut self) {
        self.members.0 = None;
    }
}
