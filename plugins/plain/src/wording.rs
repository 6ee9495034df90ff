//! The wording: sentences, and no sign that is read out badly or not at all.

use pihook_plugin::calendar::Civil;
use pihook_plugin::text::{count, one_line};
use pihook_plugin::wording::{adjective, colour, name};
use pihook_plugin::{Alert, Kind, Message, Severity, Status, Target};

/// How much of a name and of a summary is said, in characters.
const NAME_CHARS: usize = 100;
const SUMMARY_CHARS: usize = 500;

/// Words an alert.
#[must_use]
pub fn message(alert: &Alert, target: &Target) -> Message {
    let mut sentences = Vec::new();
    if alert.reason == "test" {
        sentences.push("This is a test and nothing is wrong.".to_owned());
    }
    let summary = one_line(alert.summary.trim(), SUMMARY_CHARS);
    if !summary.is_empty() {
        let label = match alert.kind {
            Kind::Notice => "News",
            Kind::Recovered => "Now",
            Kind::Opened | Kind::Escalated | Kind::Reminder => "Reason",
        };
        sentences.push(format!("{label}: {}", ended(&summary)));
    }
    sentences.extend(times(alert, target));
    sentences.extend(loudness(alert));
    if !alert.zone.is_empty() {
        sentences.push(format!("Zone: {}.", one_line(&alert.zone, NAME_CHARS)));
    }
    let title = if alert.reason == "test" { format!("Test: {}", headline(alert)) } else { headline(alert) };
    Message { title, body: sentences.join("\n"), fields: Vec::new(), colour: colour(alert) }
}

fn headline(alert: &Alert) -> String {
    let name = name(alert, NAME_CHARS);
    match (alert.kind, alert.status, alert.reason.as_str()) {
        (_, _, "flapping") => format!("{name} is flapping"),
        (Kind::Recovered, _, "settled") => format!("{name} has settled"),
        (_, status, "settled") => format!("{name} has settled and is {}", adjective(status)),
        (Kind::Notice, ..) => format!("News from {name}"),
        (Kind::Recovered, ..) if alert.is_about_zone() => format!("{name} is reachable again"),
        (Kind::Opened, ..) if alert.is_about_zone() => format!("{name} is cut off"),
        _ if alert.is_about_zone() => format!("{name} is still cut off"),
        (Kind::Recovered, ..) => format!("{name} is up again"),
        (Kind::Opened, Status::Unknown, _) => format!("PiHook cannot tell whether {name} is up"),
        (_, Status::Unknown, _) => format!("PiHook still cannot tell whether {name} is up"),
        (Kind::Opened, status, "after-maintenance") => {
            format!("{name} is {} after maintenance", adjective(status))
        }
        (Kind::Opened, status, _) => format!("{name} is {}", adjective(status)),
        (Kind::Escalated, status, "worse") => format!("{name} is now {}", adjective(status)),
        (_, status, _) => format!("{name} is still {}", adjective(status)),
    }
}

fn times(alert: &Alert, target: &Target) -> Option<String> {
    let since = when(alert.since_ms, target);
    let lasted = words(alert.lasted_ms);
    match alert.kind {
        Kind::Notice => Some(format!("Noticed on {since}.")),
        Kind::Recovered => Some(format!("It was not well for {lasted}, since {since}.")),
        Kind::Opened | Kind::Escalated | Kind::Reminder if alert.lasted_ms < 1_000 => {
            Some(format!("Since {since}."))
        }
        Kind::Opened | Kind::Escalated | Kind::Reminder => Some(format!("For {lasted}, since {since}.")),
    }
}

fn loudness(alert: &Alert) -> Option<String> {
    let loud = alert.severity == Severity::Critical && alert.kind != Kind::Recovered;
    loud.then(|| String::from("This is critical."))
}

/// A span of time in its two greatest units, in whole words.
fn words(ms: u64) -> String {
    let seconds = ms / 1000;
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .skip_while(|(number, _)| *number == 0)
        .take(2)
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| count(number, unit))
        .collect();
    if said.is_empty() { String::from("less than a second") } else { said.join(" and ") }
}

/// Such as `22 November 2026 at 13:05`.
fn when(ms: i64, target: &Target) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let civil = Civil::local(ms, target.utc_offset_seconds);
    let month = MONTHS.get(usize::from(civil.month).wrapping_sub(1)).unwrap_or(&"");
    format!("{} {month} {} at {}", civil.day, civil.year, civil.time())
}

/// As a sentence that another can follow.
fn ended(text: &str) -> String {
    match text.chars().last() {
        None | Some('.' | '!' | '?' | '…') => text.to_owned(),
        Some(_) => format!("{text}."),
    }
}

#[cfg(test)]
mod tests;
