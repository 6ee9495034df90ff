//! Commands that the administrator has fixed: no shell, next to no environment, no input, and an end.
//!
//! Each runs in a process group of its own. When it is over, takes too long, writes too much or nobody waits for it any
//! more, whatever is left of the group is killed.

mod group;
mod output;
mod program;

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::net::spelled;
pub use program::CommandError;

/// Commands that run at once, over all services.
const AT_ONCE: usize = 4;

/// Runs commands.
pub struct CommandProbe {
    places: Semaphore,
}

impl Default for CommandProbe {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE) }
    }
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// Its exit code; none if a signal ended it, or PiHook did because it wrote too much.
    pub exit_code: Option<i32>,
    /// What it wrote to its output, at most 256 KiB.
    pub stdout: Vec<u8>,
    /// What it wrote to its error output, at most 16 KiB.
    pub stderr: Vec<u8>,
    /// Whether it wrote more.
    pub truncated: bool,
    /// How long it took.
    pub took: Duration,
}

impl CommandProbe {
    /// Runs a program with its arguments, the program first, to its end. May be dropped at any time: the command is then
    /// killed.
    ///
    /// # Errors
    /// [`CommandError::NotRunnable`] if there is no such program, [`CommandError::Timeout`] if it did not end in time.
    pub async fn run(&self, command: &[String], within: Duration) -> Result<CommandOutput, CommandError> {
        let name = command.first().map(String::as_str).unwrap_or_default().to_owned();
        let Ok(Ok(_place)) = timeout(within, self.places.acquire()).await else {
            let text = format!(
                "`{name}` was not started within {}: PiHook runs {AT_ONCE} commands at once, and others took that long",
                spelled(within)
            );
            return Err(CommandError::Other(text));
        };
        let start = Instant::now();
        let whole = async {
            let group = group::start(command.to_vec()).await?;
            group::run_to_end(group).await.map_err(|error| {
                CommandError::Other(format!("what became of `{name}` cannot be told: {error}"))
            })
        };
        match timeout(within, whole).await {
            Ok(Ok(ended)) => Ok(CommandOutput {
                exit_code: ended.status.code(),
                truncated: ended.stdout.more || ended.stderr.more,
                stdout: ended.stdout.bytes,
                stderr: ended.stderr.bytes,
                took: start.elapsed(),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(CommandError::Timeout(format!(
                "`{name}` did not end within {} (read timeout) and was killed",
                spelled(within)
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
