//! The `system` check: processor, memory, load and temperature of the machine that PiHook runs on.
//! docs/checks/system.md describes the settings.

pub mod check;
pub mod settings;
pub mod throttle;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, export_check, state, system};

use check::{Sample, Seen};

/// The `system` check.
#[derive(Debug)]
pub struct System;

impl Check for System {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let machine = system::snapshot().map_err(|error| Failure::Other(error.0))?;
        let before = state::before("sample", run, Sample::of(&machine)).map_err(Failure::Other)?;
        check::judge(settings, &Seen { machine, before, throttled: None })
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(System);
