//! The `ping` check: sends echo requests and judges what comes back. docs/checks/ping.md describes the settings.

pub mod check;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, export_check, icmp};

/// The `ping` check.
#[derive(Debug)]
pub struct Ping;

impl Check for Ping {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        check::judge(settings, icmp::ping(&check::request(settings, run)))
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Ping);
