//! What PiHook watches of itself: an invalid configuration is an incident like any other, so it is told once, reminded
//! of, and survives a restart.

use std::num::NonZeroU32;
use std::sync::Arc;

use pihook_core::{
    After, Cadence, Ladder, Level, Outcome, Service, ServiceId, Severity, Status, Timestamp, ZoneId,
};

use crate::config::{Config, Problems};

/// The identity of the configuration as a service. No slug has a colon, so that no user's service can have it.
const ID: &str = "pihook:configuration";

/// The configuration as a service. Everybody is told at the first failure.
pub(super) fn configuration(config: &Config) -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::MIN),
        severity: Severity::Warning,
        sinks: config.sinks.keys().cloned().collect(),
        mention: None,
        repeat: None,
    };
    Service {
        id: ServiceId::new(ID),
        name: Arc::from("PiHook's configuration"),
        zone: ZoneId::new("pihook"),
        cadence: Cadence::Pushed,
        recover_after: NonZeroU32::MIN,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
    }
}

/// A configuration that was accepted.
pub(super) fn valid(config: &Config, at: Timestamp) -> (ServiceId, Outcome) {
    outcome(Status::Up, format!("valid, {} services", config.services.len()), at)
}

/// A configuration that was not. The text has no secret in it: problems never do.
pub(super) fn invalid(problems: &Problems, at: Timestamp) -> (ServiceId, Outcome) {
    let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
    let more = match problems.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more: `pihook validate` lists them)", count - 1),
    };
    let summary = format!("the changed file is not used, the one before goes on: {first}{more}");
    outcome(Status::Down, summary, at)
}

fn outcome(status: Status, summary: String, at: Timestamp) -> (ServiceId, Outcome) {
    let outcome = Outcome { status, summary, response_time: None, attempts: 1, metrics: Vec::new(), at };
    (ServiceId::new(ID), outcome)
}
