//! What a formatter may ask for, across the wall.

use super::check_bindings::pihook::plugin::types;
use super::formatter_bindings::pihook::plugin::{history, limits};
use crate::Status;
use crate::history::{History, Outcome};
use crate::limits::Measure;

pub(crate) fn get() -> History {
    History {
        recent: history::recent().into_iter().map(outcome).collect(),
        uptime_day: history::uptime(24),
        uptime_week: history::uptime(7 * 24),
    }
}

fn outcome(outcome: history::Outcome) -> Outcome {
    Outcome {
        at_ms: outcome.at_ms,
        status: status(outcome.status),
        response_ms: outcome.response_ms,
        in_maintenance: outcome.in_maintenance,
    }
}

pub(super) fn status(status: types::Status) -> Status {
    match status {
        types::Status::Up => Status::Up,
        types::Status::Degraded => Status::Degraded,
        types::Status::Down => Status::Down,
        types::Status::Unknown => Status::Unknown,
    }
}

pub(crate) fn limits() -> Measure {
    let of_sink = limits::of_sink();
    let size = |units: u32| usize::try_from(units).unwrap_or(usize::MAX);
    Measure {
        title: size(of_sink.title),
        body: size(of_sink.body),
        fields: size(of_sink.fields),
        value: size(of_sink.value),
        total: size(of_sink.total),
    }
}
