//! The wording. Pure: the clock and the time zone are in the alert and the target.

use pihook_plugin::calendar::Civil;
use pihook_plugin::text::{count, one_line, span, span_of};
use pihook_plugin::{Alert, Colour, Field, Kind, Message, Severity, Status, Target};

/// How much of a service's name fits in a title, in characters: the sinks' limit is 256.
const NAME_CHARS: usize = 150;

/// How much of a summary is shown, in characters: a sink's field takes 1024.
const SUMMARY_CHARS: usize = 1000;

/// Words an alert.
#[must_use]
pub fn message(alert: &Alert, target: &Target) -> Message {
    let test = alert.reason == "test";
    let title = format!("{} {}{}", symbol(alert), if test { "Test: " } else { "" }, headline(alert));
    let body = if test { test_sentence(alert) } else { sentence(alert) };
    Message { title, body, fields: fields(alert, target), colour: colour(alert) }
}

fn symbol(alert: &Alert) -> &'static str {
    match (alert.kind, alert.status) {
        (Kind::Notice, _) => "🔵",
        (Kind::Recovered, _) | (_, Status::Up) => "🟢",
        (_, Status::Degraded) => "🟠",
        (_, Status::Down) => "🔴",
        (_, Status::Unknown) => "⚪",
    }
}

fn colour(alert: &Alert) -> Colour {
    match (alert.kind, alert.status) {
        (Kind::Notice, _) => Colour::Neutral,
        (Kind::Recovered, _) | (_, Status::Up) => Colour::Good,
        (_, Status::Degraded) => Colour::Warning,
        (_, Status::Down) => Colour::Bad,
        (_, Status::Unknown) => Colour::Neutral,
    }
}

/// The title without its symbol.
fn headline(alert: &Alert) -> String {
    let name = match one_line(alert.service.trim(), NAME_CHARS) {
        name if name.is_empty() => String::from("a service"),
        name => name,
    };
    let lasted = span(alert.lasted_ms);
    match (alert.kind, alert.status, alert.reason.as_str()) {
        (Kind::Notice, ..) => format!("news from {name}"),
        (Kind::Recovered, ..) => format!("{name} is up again"),
        (Kind::Opened, Status::Unknown, _) => format!("cannot tell whether {name} is up"),
        (_, Status::Unknown, _) => format!("still cannot tell whether {name} is up ({lasted})"),
        (Kind::Opened, status, "after-maintenance") => {
            format!("{name} is {} after maintenance", adjective(status))
        }
        (Kind::Opened, status, _) => format!("{name} is {}", adjective(status)),
        (Kind::Escalated, status, "worse") => format!("{name} is now {} ({lasted})", adjective(status)),
        (_, status, _) => format!("{name} is still {} ({lasted})", adjective(status)),
    }
}

fn adjective(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Unknown => "unknown",
    }
}

fn test_sentence(alert: &Alert) -> String {
    let what = match alert.kind {
        Kind::Opened => "the beginning of an outage",
        Kind::Escalated => "an outage that got worse or lasts long",
        Kind::Reminder => "an outage that still lasts",
        Kind::Recovered => "a recovery",
        Kind::Notice => "news that are no outage",
    };
    format!("This is a test of {what}. Nothing is wrong.")
}

/// Why this alert comes now, in a sentence. A reason of a later host is told by the kind alone.
fn sentence(alert: &Alert) -> String {
    let checks = count(alert.failures.into(), "check");
    let lasted = span(alert.lasted_ms);
    match (alert.kind, alert.reason.as_str()) {
        (Kind::Notice, "after-maintenance") => {
            format!("{} This was held back during maintenance.", ended(&news(alert)))
        }
        (Kind::Notice, _) => news(alert),
        (Kind::Recovered, _) if alert.lasted_ms == 0 => String::from("It does what it should again."),
        (Kind::Recovered, _) => format!("It does what it should again, after {lasted}."),
        (_, "failures") if alert.failures == 1 => String::from("1 check failed."),
        (_, "failures") => format!("{checks} failed in a row."),
        (_, "elapsed") => format!("It has lasted for {lasted}."),
        (_, "worse") => String::from("It got worse."),
        (_, "repeat") => format!("It still lasts, after {lasted}."),
        (_, "cannot-tell") => {
            format!(
                "PiHook has not been able to tell for {lasted}. The fault may be PiHook's own or the network's."
            )
        }
        (_, "after-maintenance") => String::from("The maintenance is over, and it is still so."),
        (Kind::Opened, _) => String::new(),
        (Kind::Escalated, _) => String::from("It got worse, or lasts long."),
        (Kind::Reminder, _) => format!("It still lasts, after {lasted}."),
    }
}

/// The news themselves. It begins as it came: a name in front may have to be in lower case.
fn news(alert: &Alert) -> String {
    one_line(alert.summary.trim(), SUMMARY_CHARS)
}

/// As a sentence that another can follow.
fn ended(text: &str) -> String {
    match text.chars().last() {
        None | Some('.' | '!' | '?' | '…') => text.to_owned(),
        Some(_) => format!("{text}."),
    }
}

fn fields(alert: &Alert, target: &Target) -> Vec<Field> {
    if alert.kind == Kind::Notice {
        return fields_of_news(alert, target);
    }
    let recovered = alert.kind == Kind::Recovered;
    let mut fields = Vec::new();
    let summary = one_line(alert.summary.trim(), SUMMARY_CHARS);
    if !summary.is_empty() {
        fields.push(Field::row(if recovered { "Now" } else { "Reason" }, summary));
    }
    if !alert.zone.is_empty() {
        fields.push(Field::cell("Zone", one_line(&alert.zone, NAME_CHARS)));
    }
    fields.push(Field::cell("Status", status(alert)));
    fields.push(Field::cell(
        if recovered { "Was down since" } else { "Since" },
        local_time(alert.since_ms, target),
    ));
    if recovered {
        fields.push(Field::cell("Downtime", span(alert.lasted_ms)));
    }
    if alert.failures > 0 {
        fields.push(Field::cell("Failed checks", alert.failures.to_string()));
    }
    if let Some(ms) = alert.response_ms.filter(|ms| ms.is_finite() && *ms >= 0.0) {
        fields.push(Field::cell("Response time", span_of(ms)));
    }
    fields
}

fn fields_of_news(alert: &Alert, target: &Target) -> Vec<Field> {
    let mut fields = Vec::new();
    if !alert.zone.is_empty() {
        fields.push(Field::cell("Zone", one_line(&alert.zone, NAME_CHARS)));
    }
    fields.push(Field::cell("Status", adjective(alert.status)));
    fields.push(Field::cell("Noticed", local_time(alert.since_ms, target)));
    fields
}

/// The status, with its severity where that says more.
fn status(alert: &Alert) -> String {
    let status = adjective(alert.status);
    match (alert.kind, alert.severity) {
        (Kind::Recovered, _) | (_, Severity::Warning) => status.to_owned(),
        (_, Severity::Info) => format!("{status} (for information)"),
        (_, Severity::Critical) => format!("{status} (critical)"),
    }
}

/// Such as `2026-11-22 14:05 CET`; without a name, the zone is told by its offset.
fn local_time(ms: i64, target: &Target) -> String {
    let time = Civil::local(ms, target.utc_offset_seconds);
    let name = one_line(target.zone_abbreviation.trim(), 20);
    // Where a zone has no abbreviation, the tz database gives its offset as one, such as +03.
    if name.is_empty() || name.starts_with(['+', '-']) {
        format!("{time} UTC{}", offset(target.utc_offset_seconds))
    } else {
        format!("{time} {name}")
    }
}

fn offset(seconds: i32) -> String {
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
    if minutes == 0 { String::new() } else { format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests;
