//! Checks and alerts across the wall.

use super::check_bindings::exports::pihook::plugin::check;
use super::check_bindings::pihook::plugin::types;
use super::formatter_bindings::pihook::plugin::alerts;
use crate::{Alert, Colour, Kind, Message, Metric, Outcome, Severity, Status, Target};

pub(super) fn outcome(outcome: Outcome) -> check::Outcome {
    let metric = |Metric { name, value, unit }| types::Metric { name, value, unit };
    check::Outcome {
        status: match outcome.status {
            Status::Up => types::Status::Up,
            Status::Degraded => types::Status::Degraded,
            Status::Down => types::Status::Down,
            Status::Unknown => types::Status::Unknown,
        },
        summary: outcome.summary,
        notice: outcome.notice,
        response_ms: outcome.response_ms,
        metrics: outcome.metrics.into_iter().map(metric).collect(),
        ext: Vec::new(),
    }
}

pub(super) fn alert(alert: alerts::Alert) -> Alert {
    Alert {
        kind: match alert.kind {
            alerts::Kind::Opened => Kind::Opened,
            alerts::Kind::Escalated => Kind::Escalated,
            alerts::Kind::Reminder => Kind::Reminder,
            alerts::Kind::Recovered => Kind::Recovered,
            alerts::Kind::Notice => Kind::Notice,
        },
        reason: alert.reason,
        incident: alert.incident,
        service: alert.service,
        zone: alert.zone,
        status: super::history::status(alert.status),
        severity: match alert.severity {
            types::Severity::Info => Severity::Info,
            types::Severity::Warning => Severity::Warning,
            types::Severity::Critical => Severity::Critical,
        },
        level: alert.level,
        at_ms: alert.at_ms,
        since_ms: alert.since_ms,
        lasted_ms: alert.lasted_ms,
        failures: alert.failures,
        summary: alert.summary,
        response_ms: alert.response_ms,
        ext: alert.ext,
    }
}

pub(super) fn target(target: alerts::Target) -> Target {
    Target {
        sink: target.sink,
        utc_offset_seconds: target.utc_offset_seconds,
        zone_abbreviation: target.zone_abbreviation,
        ext: target.ext,
    }
}

pub(super) fn message(message: Message) -> alerts::Message {
    alerts::Message {
        title: message.title,
        body: message.body,
        fields: message
            .fields
            .into_iter()
            .map(|field| alerts::Field { name: field.name, value: field.value, inline: field.inline })
            .collect(),
        colour: match message.colour {
            Colour::Good => alerts::Colour::Good,
            Colour::Warning => alerts::Colour::Warning,
            Colour::Bad => alerts::Colour::Bad,
            Colour::Neutral => alerts::Colour::Neutral,
        },
        ext: Vec::new(),
    }
}
