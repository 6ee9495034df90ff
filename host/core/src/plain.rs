//! The built-in wording of alerts, for when a formatter faults: an alert is never lost to one.

mod digest;

use std::time::Duration;

pub use digest::plain_digest;

use crate::silence::zone_of;
use crate::{Alert, AlertKind, Colour, Field, FieldLayout, Message, Reason, Status, Timestamp};

/// Words the alert plainly.
#[must_use]
pub fn plain_message(alert: &Alert) -> Message {
    Message { title: title(alert), body: body(alert), fields: fields(alert), colour: colour(alert) }
}

/// A duration in its two largest units, such as `4 min 10 s`, `2 h 5 min` or `3 d 4 h`. Below a second it is in
/// milliseconds; what is smaller is cut off.
#[must_use]
pub fn humanise(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 {
        return match duration.as_millis() {
            0 => "0 s".to_owned(),
            millis => format!("{millis} ms"),
        };
    }
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => two(minutes, "min", seconds % 60, "s"),
        (0, _, _) => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

fn title(alert: &Alert) -> String {
    let name = name_of(alert);
    let zone = zone_of(alert.service.as_str());
    let line = match (alert.kind, alert.status) {
        (AlertKind::Notice, _) => format!("News from {name}"),
        (_, _) if alert.reason == Reason::Flapping => format!("{name} is flapping"),
        (kind, _) if zone.is_some() => of_zone(kind, zone.unwrap_or_default()),
        (AlertKind::Recovered, _) if alert.reason == Reason::Settled => {
            format!("{name} has settled: it is up")
        }
        (_, status) if alert.reason == Reason::Settled => format!("{name} has settled: it is {status}"),
        (AlertKind::Recovered, _) => format!("{name} is up again"),
        (kind, Status::Unknown) => format!("PiHook {} tell how {name} is", cannot(kind)),
        (AlertKind::Opened, status) => format!("{name} is {status}"),
        (AlertKind::Escalated, status) if alert.reason == Reason::Worse => {
            format!("{name} got worse: it is {status} now")
        }
        (AlertKind::Escalated | AlertKind::Reminder, status) => format!("{name} is still {status}"),
    };
    if alert.reason == Reason::Test { format!("Test: {line}") } else { line }
}

fn of_zone(kind: AlertKind, zone: &str) -> String {
    match kind {
        AlertKind::Recovered => format!("Zone {zone} is reachable again"),
        AlertKind::Opened => format!("Zone {zone} is cut off"),
        _ => format!("Zone {zone} is still cut off"),
    }
}

/// The service's name, or for want of one its id.
fn name_of(alert: &Alert) -> &str {
    if alert.name.trim().is_empty() { alert.service.as_str() } else { &alert.name }
}

fn cannot(kind: AlertKind) -> &'static str {
    if kind == AlertKind::Opened { "cannot" } else { "still cannot" }
}

fn body(alert: &Alert) -> String {
    let lasted = humanise(alert.lasted);
    let times = if alert.failures == 1 { "once".to_owned() } else { format!("{} times", alert.failures) };
    let why = match alert.reason {
        Reason::Failures => format!("The check has failed {times}."),
        Reason::Elapsed => format!("It has not been well for {lasted}."),
        Reason::Worse => format!("It has become worse after {lasted}."),
        Reason::Repeat => format!("It has lasted for {lasted}."),
        Reason::CannotTell => {
            format!("The check has not been able to tell for {lasted}. The service itself may be well.")
        }
        Reason::AfterMaintenance if alert.kind == AlertKind::Recovered => {
            format!("It was not well for {lasted}; maintenance is over.")
        }
        Reason::AfterMaintenance if alert.kind == AlertKind::Notice => {
            "This was held back during maintenance.".to_owned()
        }
        Reason::Flapping => "It goes up and down; nothing more is said until it has settled.".to_owned(),
        Reason::Settled if alert.kind == AlertKind::Recovered => {
            format!("It has settled after {lasted}.")
        }
        Reason::Settled => format!("It has stopped to go up and down after {lasted}, and is not well."),
        Reason::Event => String::new(),
        Reason::AfterMaintenance => "Maintenance is over, and it is not well.".to_owned(),
        Reason::Recovered => format!("It was not well for {lasted}."),
        Reason::Test => "This is a test alert; nothing is wrong.".to_owned(),
    };
    match (alert.summary.trim(), why.as_str()) {
        ("", _) => why,
        (summary, "") => summary.to_owned(),
        (summary, why) => format!("{summary}\n{why}"),
    }
}

fn fields(alert: &Alert) -> Vec<Field> {
    if alert.kind == AlertKind::Notice {
        return vec![
            cell("Zone", alert.zone.to_string()),
            cell("Status", alert.status.to_string()),
            cell("Noticed", to_the_second(alert.since)),
        ];
    }
    let lasted = if alert.kind == AlertKind::Recovered { "Downtime" } else { "Lasting" };
    let mut fields = vec![
        cell("Zone", alert.zone.to_string()),
        cell("Status", alert.status.to_string()),
        cell("Severity", alert.severity.to_string()),
        cell("Since", to_the_second(alert.since)),
        cell(lasted, humanise(alert.lasted)),
        cell("Failed checks", alert.failures.to_string()),
    ];
    fields.extend(alert.response_time.map(|time| cell("Response time", humanise(time))));
    fields
}

fn cell(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value, layout: FieldLayout::Cell }
}

/// In UTC, since the reader may be anywhere.
fn to_the_second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn colour(alert: &Alert) -> Colour {
    match alert.status {
        _ if alert.kind == AlertKind::Recovered => Colour::Good,
        _ if alert.kind == AlertKind::Notice => Colour::Neutral,
        Status::Up => Colour::Good,
        Status::Degraded => Colour::Warning,
        Status::Down => Colour::Bad,
        Status::Unknown => Colour::Neutral,
    }
}

#[cfg(test)]
mod tests;
