//! What a formatter may ask the host for: how the service has been, and what the sink takes.

use pihook_core::{Measure, Status, Timestamp};

use super::bindings::check::pihook::plugin::types as wit_types;
use super::bindings::formatter::pihook::plugin as wit;
use super::run::RunState;

/// What one run of a formatter is told on demand. None of it is secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Briefing {
    /// The service's newest outcomes, newest first.
    pub recent: Vec<PastOutcome>,
    /// Uptime of the last 24 hours, in percent; none if it is not known.
    pub uptime_day: Option<f64>,
    /// Uptime of the last seven days, likewise.
    pub uptime_week: Option<f64>,
    /// What the sink takes.
    pub limits: Measure,
}

/// One run of the service's check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastOutcome {
    /// When it began.
    pub at: Timestamp,
    /// The verdict.
    pub status: Status,
    /// How long the service took to answer, in milliseconds.
    pub response_ms: Option<f64>,
    /// Whether maintenance covered the service.
    pub in_maintenance: bool,
}

/// The outcomes that a formatter sees at most.
const RECENT: usize = 20;

pub(super) fn status(status: Status) -> wit_types::Status {
    match status {
        Status::Up => wit_types::Status::Up,
        Status::Degraded => wit_types::Status::Degraded,
        Status::Down => wit_types::Status::Down,
        Status::Unknown => wit_types::Status::Unknown,
    }
}

impl wit::history::Host for RunState {
    fn recent(&mut self) -> wasmtime::Result<Vec<wit::history::Outcome>> {
        let outcome = |past: &PastOutcome| wit::history::Outcome {
            at_ms: past.at.as_millisecond(),
            status: status(past.status),
            response_ms: past.response_ms,
            in_maintenance: past.in_maintenance,
        };
        Ok(self.briefing.recent.iter().take(RECENT).map(outcome).collect())
    }

    fn uptime(&mut self, hours: u32) -> wasmtime::Result<Option<f64>> {
        Ok(match hours {
            24 => self.briefing.uptime_day,
            168 => self.briefing.uptime_week,
            _ => None,
        })
    }
}

impl wit::limits::Host for RunState {
    fn of_sink(&mut self) -> wasmtime::Result<wit::limits::Measure> {
        let Measure { title, body, fields, value, total } = self.briefing.limits;
        Ok(wit::limits::Measure { title, body, fields, value, total })
    }
}

impl wit::alerts::Host for RunState {}
