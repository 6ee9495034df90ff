//! The `heartbeat` check: judges the signs of life that a job sends by itself. docs/checks/heartbeat.md describes the
//! settings.

pub mod check;
pub mod settings;

use check::{Observed, Standing};
use pihook_plugin::{Check, Failure, Outcome, Problem, Run, export_check, heartbeat, state};

/// What is kept while a sign of life is missed, so that a restart of PiHook does not pass for one.
const MISSED: &str = "missed";

/// The `heartbeat` check.
#[derive(Debug)]
pub struct Heartbeat;

impl Check for Heartbeat {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, _run: &Run) -> Result<Outcome, Failure> {
        let before = if state::get(MISSED).is_some() { Standing::Missed } else { Standing::Heard };
        let observed = Observed {
            last: heartbeat::last(),
            waited_ms: heartbeat::waited_ms(),
            listening_ms: heartbeat::listening_ms(),
            before,
        };
        let (outcome, standing) = check::judge(settings, &observed)?;
        if standing != before {
            let kept = (standing == Standing::Missed).then_some(&b"1"[..]);
            state::set(MISSED, kept).map_err(Failure::Other)?;
        }
        Ok(outcome)
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Heartbeat);
