//! The `disk-health` check: signs that a disk, an array or a filesystem fails. docs/checks/disk-health.md describes it.

pub mod check;
pub mod ext4;
pub mod mdstat;
pub mod memory;
pub mod mounts;
pub mod seen;
pub mod settings;
pub mod smart;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, export_check, state};

/// The `disk-health` check.
#[derive(Debug)]
pub struct DiskHealth;

/// What is remembered is kept under this.
const MEMORY: &str = "memory";

impl Check for DiskHealth {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, _run: &Run) -> Result<Outcome, Failure> {
        let mut memory = memory::Memory::parse(&state::get(MEMORY).unwrap_or_default());
        let outcome = check::judge(settings, &seen::look(settings), &mut memory, clock::now_ms());
        state::set(MEMORY, Some(&memory.to_bytes())).map_err(Failure::Other)?;
        Ok(outcome)
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(DiskHealth);
