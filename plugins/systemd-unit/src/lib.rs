//! The `systemd-unit` check: whether a unit of systemd is as it should be. docs/checks/systemd-unit.md describes the
//! settings.

pub mod check;
pub mod settings;

use pihook_plugin::units::{self, Error};
use pihook_plugin::{Check, Failure, Outcome, Run, clock, export_check, state};

/// The `systemd-unit` check.
#[derive(Debug)]
pub struct SystemdUnit;

impl Check for SystemdUnit {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let unit = units::inspect(&settings.unit.0).map_err(Error::into_failure)?;
        let before = state::before("restarts", run, unit.restarts).map_err(Failure::Other)?;
        Ok(check::judge(settings, &unit, before, clock::now_ms()))
    }
}

export_check!(SystemdUnit);
