//! The `wan-ip` check: asks echoes for the public address and tells when it has changed. docs/checks/wan-ip.md describes
//! the settings.

mod address;
pub mod check;
pub mod entry;
mod memory;
pub mod poll;
pub mod settings;

use pihook_plugin::{Check, Failure, Outcome, Problem, Run, clock, dns, export_check, http};

use entry::Lookup;
use memory::Memory;
use poll::Poll;
use settings::Settings;

/// The `wan-ip` check.
#[derive(Debug)]
pub struct WanIp;

impl Check for WanIp {
    type Settings = Settings;

    fn run(settings: &Settings, run: &Run) -> Result<Outcome, Failure> {
        let mut poll = Poll::new(settings.echoes.0.len());
        for echo in &settings.echoes.0 {
            let answer = http::send(&check::request(echo, settings, run));
            poll.note(echo.name(), check::read(answer, settings.family));
            if poll.is_certain() {
                break;
            }
        }
        let lookup = poll.winner().zip(entry::query(settings, run)).map(|(_, query)| look_up(&query));
        let memory = Memory::load(settings.family);
        let (outcome, now) = check::judge(settings, &poll, lookup, &memory, clock::now_ms())?;
        now.save_over(&memory, settings.family).map_err(Failure::Other)?;
        Ok(outcome)
    }

    fn validate(settings: &Settings) -> Vec<Problem> {
        settings.problems()
    }
}

fn look_up(query: &dns::Query) -> Lookup {
    match dns::ask(query) {
        Ok(answer) => entry::resolved(&query.kind, &answer),
        Err(error) => Lookup::Failed(error.to_string()),
    }
}

export_check!(WanIp);
