//! The `process` check: whether a program is running, how often, and what it uses. docs/checks/process.md describes the
//! settings.

pub mod check;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, export_check, processes, state};

/// The `process` check.
#[derive(Debug)]
pub struct Process;

impl Check for Process {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let found =
            processes::find(&check::query(settings)).map_err(|error| Failure::Other(error.to_string()))?;
        let before = state::before("used", run, check::kept(&found)).map_err(Failure::Other)?;
        Ok(check::judge(settings, &found, before.as_deref()))
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Process);
