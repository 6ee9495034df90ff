//! The `tcp` check: connects to a port and may look at what answers. docs/checks/tcp.md describes the settings.

pub mod check;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Run, export_check, tcp};

/// The `tcp` check.
#[derive(Debug)]
pub struct Tcp;

impl Check for Tcp {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        check::judge(settings, tcp::exchange(&check::request(settings, run)))
    }
}

export_check!(Tcp);
