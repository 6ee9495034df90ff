//! The `tls` check: shakes hands and judges the certificates that are shown. docs/checks/tls.md describes the settings.

pub mod check;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Run, clock, export_check, tls};

/// The `tls` check.
#[derive(Debug)]
pub struct Tls;

impl Check for Tls {
    type Settings = settings::Settings;

    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure> {
        let answer = tls::handshake(&check::request(settings, run));
        check::judge(settings, answer, clock::now_ms())
    }
}

export_check!(Tls);
