//! Commands at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::{aside, millis};
use crate::probes::commands as probe;

impl wit::commands::Host for RunState {
    fn granted(&mut self) -> wasmtime::Result<Vec<String>> {
        let commands = self.outside().map(|outside| outside.grants.commands.0.keys().cloned().collect());
        Ok(commands.unwrap_or_default())
    }

    async fn run(&mut self, name: String) -> Result<wit::commands::Output, wit::commands::Error> {
        let outside = self.outside().map_err(wit::commands::Error::Denied)?;
        let command = outside.grants.commands.named(&name).map_err(wit::commands::Error::Denied)?.to_vec();
        let within = self.read_timeout;
        let ran = aside(async move { outside.probes.commands.run(&command, within).await });
        match ran.await {
            Ok(Ok(output)) => Ok(output_to_guest(output)),
            Ok(Err(error)) => Err(error_to_guest(error)),
            Err(reason) => Err(wit::commands::Error::Other(reason)),
        }
    }
}

fn output_to_guest(output: probe::CommandOutput) -> wit::commands::Output {
    wit::commands::Output {
        exit_code: output.exit_code,
        stdout: output.stdout,
        stderr: output.stderr,
        truncated: output.truncated,
        took_ms: millis(output.took),
    }
}

fn error_to_guest(error: probe::CommandError) -> wit::commands::Error {
    use probe::CommandError as Probe;
    use wit::commands::Error as Guest;
    match error {
        Probe::NotRunnable(text) => Guest::NotRunnable(text),
        Probe::Timeout(text) => Guest::Timeout(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
