//! The `container` check: whether a container of Docker or Podman is running and healthy. docs/checks/container.md
//! describes the settings.

pub mod check;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, containers, export_check, state};

/// The `container` check.
#[derive(Debug)]
pub struct Container;

impl Check for Container {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let container = match containers::inspect(&settings.container.0, settings.socket.as_deref()) {
            Ok(container) => container,
            Err(error) => return error.into_failure().map_or_else(|text| Ok(Outcome::down(text)), Err),
        };
        let before = state::before("restarts", run, container.restarts).map_err(Failure::Other)?;
        Ok(check::judge(settings, &container, before, clock::now_ms()))
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Container);
