//! The `http` check: sends one request and judges the answer. docs/checks/http.md describes the settings.

mod answer;
mod certificate;
pub mod check;
mod pointer;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, export_check, http};

/// The `http` check.
#[derive(Debug)]
pub struct Http;

impl Check for Http {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let answer = http::send(&check::request(settings, run));
        check::judge(&settings.expect, answer, clock::now_ms())
    }

    fn validate(settings: &Self::Settings) -> Vec<Problem> {
        settings.problems()
    }
}

export_check!(Http);
