//! The wording: what matters first, since a watch cuts the end off.

use pihook_plugin::limits::Measure;
use pihook_plugin::text::{one_line, span};
use pihook_plugin::wording::{colour, name};
use pihook_plugin::{Alert, Kind, Message, Status};

/// The line's length, in characters.
const LINE_CHARS: usize = 120;

/// How much of it a service's name may take.
const NAME_CHARS: usize = 40;

/// Words an alert.
#[must_use]
pub fn message(alert: &Alert, limits: Measure) -> Message {
    let head = format!("{} {}", word(alert), name(alert, NAME_CHARS));
    let lasted = match alert.kind {
        Kind::Opened | Kind::Notice => String::new(),
        Kind::Escalated | Kind::Reminder if alert.lasted_ms > 0 => format!(" {}", span(alert.lasted_ms)),
        Kind::Recovered if alert.lasted_ms > 0 => format!(" after {}", span(alert.lasted_ms)),
        Kind::Escalated | Kind::Reminder | Kind::Recovered => String::new(),
    };
    let summary = alert.summary.trim();
    let line = match summary {
        // What is well needs no explanation.
        "" => format!("{head}{lasted}"),
        _ if alert.kind == Kind::Recovered => format!("{head}{lasted}"),
        _ => format!("{head}{lasted}: {summary}"),
    };
    // A character takes two UTF-16 units at the most.
    let chars = LINE_CHARS.min(limits.title / 2).max(1);
    Message { title: one_line(&line, chars), colour: colour(alert), ..Message::default() }
}

fn word(alert: &Alert) -> &'static str {
    match (alert.kind, alert.status, alert.reason.as_str()) {
        (_, _, "test") => "TEST",
        (_, _, "flapping") => "FLAPPING",
        (_, _, "settled") => "SETTLED",
        (Kind::Notice, ..) => "NEWS",
        (Kind::Recovered, ..) if alert.is_about_zone() => "REACHABLE",
        (Kind::Opened, ..) if alert.is_about_zone() => "CUT OFF",
        _ if alert.is_about_zone() => "STILL CUT OFF",
        (Kind::Recovered, ..) | (_, Status::Up, _) => "UP",
        (Kind::Opened, Status::Down, _) => "DOWN",
        (Kind::Opened, Status::Degraded, _) => "DEGRADED",
        (_, Status::Unknown, _) => "CANNOT TELL",
        (_, Status::Down, "worse") => "NOW DOWN",
        (_, Status::Degraded, "worse") => "NOW DEGRADED",
        (_, Status::Down, _) => "STILL DOWN",
        (_, Status::Degraded, _) => "STILL DEGRADED",
    }
}

#[cfg(test)]
mod tests;
