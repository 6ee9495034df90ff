//! What a plugin may answer, without a plugin: for tests that make answers up. The way is the one that real ones take.

use pihook_core::{Colour, FieldLayout, Message, Metric, Status};

use super::bindings::check::exports::pihook::plugin::check as wit_check;
use super::bindings::check::pihook::plugin::types as wit_types;
use super::bindings::formatter::pihook::plugin::alerts as wit_formatter;
use super::check::{Attempt, attempt};
use super::fault::Fault;
use super::formatter::message;

/// What the host makes of a check's answer.
///
/// # Errors
/// The fault, if the answer cannot be used.
pub fn of_check(
    status: Status,
    summary: String,
    notice: Option<String>,
    response_ms: Option<f64>,
    metrics: Vec<Metric>,
) -> Result<Attempt, Fault> {
    attempt(wit_check::Outcome {
        status: match status {
            Status::Up => wit_types::Status::Up,
            Status::Degraded => wit_types::Status::Degraded,
            Status::Down => wit_types::Status::Down,
            Status::Unknown => wit_types::Status::Unknown,
        },
        summary,
        notice,
        response_ms,
        metrics: metrics
            .into_iter()
            .map(|Metric { name, value, unit }| wit_types::Metric { name, value, unit })
            .collect(),
        ext: Vec::new(),
    })
}

/// What the host makes of a formatter's answer.
///
/// # Errors
/// The fault, if the answer cannot be used.
pub fn of_formatter(raw: Message) -> Result<Message, Fault> {
    message(wit_formatter::Message {
        title: raw.title,
        body: raw.body,
        fields: raw
            .fields
            .into_iter()
            .map(|field| wit_formatter::Field {
                name: field.name,
                value: field.value,
                inline: field.layout == FieldLayout::Cell,
            })
            .collect(),
        colour: match raw.colour {
            Colour::Good => wit_formatter::Colour::Good,
            Colour::Warning => wit_formatter::Colour::Warning,
            Colour::Bad => wit_formatter::Colour::Bad,
            Colour::Neutral => wit_formatter::Colour::Neutral,
        },
        ext: Vec::new(),
    })
}
