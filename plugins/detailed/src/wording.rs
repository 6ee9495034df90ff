//! The wording. Pure: the clock and the time zone are in the alert and the target.

use pihook_plugin::history::History;
use pihook_plugin::text::{count, one_line, span, span_of};
use pihook_plugin::wording::{adjective, colour, headline, local_time};
use pihook_plugin::{Alert, Field, Kind, Message, Severity, Status, Target};

/// How much of a service's name fits in a title, in characters: the sinks' limit is 256.
const NAME_CHARS: usize = 150;

/// How much of a summary is shown, in characters: a sink's field takes 1024.
const SUMMARY_CHARS: usize = 1000;

/// Words an alert.
#[must_use]
pub fn message(alert: &Alert, target: &Target, history: &History) -> Message {
    let test = alert.reason == "test";
    let title =
        format!("{} {}{}", symbol(alert), if test { "Test: " } else { "" }, headline(alert, NAME_CHARS));
    let body = if test { test_sentence(alert) } else { sentence(alert) };
    let mut fields = fields(alert, target);
    if !test {
        fields.extend(lately(history));
    }
    Message { title, body, fields, colour: colour(alert) }
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
        (_, "flapping") => String::from("It goes up and down again and again, and is not told of each time."),
        (Kind::Recovered, "settled") => format!("It does not go up and down any more, after {lasted}."),
        (_, "settled") => String::from("It does not go up and down any more, and is not well."),
        (Kind::Notice, "after-maintenance") => {
            format!("{} This was held back during maintenance.", ended(&news(alert)))
        }
        (Kind::Notice, _) => news(alert),
        (Kind::Recovered, _) if alert.is_about_zone() => {
            format!("A canary answers again, after {lasted}. What is really down is told now.")
        }
        (Kind::Opened, _) if alert.is_about_zone() => {
            String::from("None of its canaries answers. Its services are unknown until one does.")
        }
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
    // Who was flapping was not down all the time.
    let (since, lasted) = match (recovered, alert.reason.as_str()) {
        (true, "settled") => ("Flapping since", Some("Lasted")),
        (true, _) => ("Was down since", Some("Downtime")),
        (false, _) => ("Since", None),
    };
    fields.push(Field::cell(since, local_time(alert.since_ms, target)));
    fields.extend(lasted.map(|label| Field::cell(label, span(alert.lasted_ms))));
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

/// How the service has been: its newest checks, oldest first, and its uptime.
fn lately(history: &History) -> Vec<Field> {
    let mut fields = Vec::new();
    if history.recent.len() > 1 {
        let line: String = history.recent.iter().rev().map(|outcome| mark(outcome.status)).collect();
        fields.push(Field::row(format!("Last {} checks", history.recent.len()), line));
    }
    for (label, uptime) in [("Uptime 24 h", history.uptime_day), ("Uptime 7 d", history.uptime_week)] {
        if let Some(percent) = uptime.filter(|percent| percent.is_finite()) {
            fields.push(Field::cell(label, format!("{:.2} %", (percent * 100.0).floor() / 100.0)));
        }
    }
    fields
}

fn mark(status: Status) -> char {
    match status {
        Status::Up => '▲',
        Status::Degraded => '◆',
        Status::Down => '▼',
        Status::Unknown => '?',
    }
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

#[cfg(test)]
mod tests;
