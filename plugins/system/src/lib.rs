//! The `system` check: processor, memory, load and temperature of the machine that PiHook runs on.
//! docs/checks/system.md describes the settings.

pub mod check;
pub mod figures;
pub mod settings;
pub mod throttle;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, export_check, files, state, system};

use check::Seen;
use figures::Sample;
use settings::Verdict;

/// The `system` check.
#[derive(Debug)]
pub struct System;

impl Check for System {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let machine = system::snapshot().map_err(|error| Failure::Other(error.0))?;
        let before = state::before("sample", run, Sample::of(&machine)).map_err(Failure::Other)?;
        let throttled = (settings.throttling == Verdict::Degraded).then(throttled).flatten();
        check::judge(settings, &Seen { machine, before, throttled })
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

/// What a Raspberry Pi says of itself; none of another machine.
fn throttled() -> Option<u32> {
    throttle::FILES.iter().find_map(|path| throttle::word(&files::read(path, 64).ok()?))
}

export_check!(System);
