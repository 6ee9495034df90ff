//! The `disk` check: how full a filesystem is, and when it will be full. docs/checks/disk.md describes the settings.

pub mod check;
pub mod growth;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, export_check, filesystems, state};

/// The `disk` check.
#[derive(Debug)]
pub struct Disk;

/// What the growth is kept under.
const GROWTH: &str = "growth";

impl Check for Disk {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, _run: &Run) -> Result<Outcome, Failure> {
        let now = clock::now_ms();
        let seen = filesystems::measure(&settings.mount.0);
        let mut growth = growth::Growth::parse(&state::get(GROWTH).unwrap_or_default());
        if let Ok(usage) = &seen
            && check::fault_of_place(settings, usage).is_none()
            && growth.note(usage, now)
        {
            state::set(GROWTH, Some(&growth.to_bytes())).map_err(Failure::Other)?;
        }
        check::judge(settings, seen, &growth, now)
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Disk);
