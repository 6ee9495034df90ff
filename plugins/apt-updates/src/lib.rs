//! The `apt-updates` check: what `apt` would upgrade, and whether a restart is due. docs/checks/apt-updates.md describes the
//! settings.

pub mod check;
pub mod release;
pub mod settings;
pub mod stanza;
pub mod survey;
pub mod updates;
pub mod version;
pub mod world;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, export_check, state};

/// The `apt-updates` check.
#[derive(Debug)]
pub struct AptUpdates;

/// Under which what was found in the lists is kept.
const KEPT: &str = "lists";

impl Check for AptUpdates {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, _run: &Run) -> Result<Outcome, Failure> {
        let world = world::Host { root: settings.root.0.clone() };
        let (survey, to_keep) = survey::survey(&world, state::get(KEPT).as_deref())?;
        if let Some(kept) = to_keep {
            // What does not fit is found again the next time.
            let _ = state::set(KEPT, Some(&kept)).or_else(|_| state::set(KEPT, None));
        }
        Ok(check::judge(settings, &survey, clock::now_ms()))
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(AptUpdates);
