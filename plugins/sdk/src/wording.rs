//! What the bundled formatters say alike: headlines, colours, times.

use crate::calendar::Civil;
use crate::text::{one_line, span};
use crate::{Alert, Colour, Kind, Status, Target};

/// The status as a word.
#[must_use]
pub fn adjective(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Degraded => "degraded",
        Status::Down => "down",
        Status::Unknown => "unknown",
    }
}

/// The colour that an alert has by its meaning.
#[must_use]
pub fn colour(alert: &Alert) -> Colour {
    match (alert.kind, alert.status) {
        (Kind::Notice, _) => Colour::Neutral,
        (Kind::Recovered, _) | (_, Status::Up) => Colour::Good,
        (_, Status::Degraded) => Colour::Warning,
        (_, Status::Down) => Colour::Bad,
        (_, Status::Unknown) => Colour::Neutral,
    }
}

/// The service's name in one line of at most so many characters.
#[must_use]
pub fn name(alert: &Alert, chars: usize) -> String {
    match one_line(alert.service.trim(), chars) {
        name if name.is_empty() => String::from("a service"),
        name => name,
    }
}

/// What happened, such as `Gitea is still down (2 h 5 min)`. A reason of a later host is told by the kind alone.
#[must_use]
pub fn headline(alert: &Alert, name_chars: usize) -> String {
    let name = name(alert, name_chars);
    let lasted = span(alert.lasted_ms);
    match (alert.kind, alert.status, alert.reason.as_str()) {
        (_, _, "flapping") => format!("{name} is flapping"),
        (Kind::Recovered, _, "settled") => format!("{name} has settled"),
        (_, status, "settled") => format!("{name} has settled and is {}", adjective(status)),
        (Kind::Notice, ..) => format!("news from {name}"),
        (Kind::Recovered, ..) if alert.is_about_zone() => format!("{name} is reachable again"),
        (Kind::Opened, ..) if alert.is_about_zone() => format!("{name} is cut off"),
        _ if alert.is_about_zone() => format!("{name} is still cut off ({lasted})"),
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

/// Such as `2026-11-22 14:05 CET`; without a name, the zone is told by its offset.
#[must_use]
pub fn local_time(ms: i64, target: &Target) -> String {
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
