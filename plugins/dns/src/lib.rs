//! The `dns` check: asks a server for a name and judges the answer. docs/checks/dns.md describes the settings.

pub mod check;
mod record;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, dns, export_check};

/// The `dns` check.
#[derive(Debug)]
pub struct Dns;

impl Check for Dns {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        check::judge(settings, dns::ask(&check::query(settings, run)))
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Dns);
