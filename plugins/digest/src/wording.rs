//! The wording: how many of what in the title, and a line an alert.

use pihook_plugin::limits::Measure;
use pihook_plugin::text::{count, one_line};
use pihook_plugin::wording::{colour, headline};
use pihook_plugin::{Alert, Colour, Kind, Message, Status, Target, calendar::Civil};

/// How much of a name and of a summary stands in a line, in characters.
const NAME_CHARS: usize = 60;
const SUMMARY_CHARS: usize = 100;

/// Room for the line that says how many are left out, in UTF-16 units.
const MORE: usize = 24;

/// Words these alerts, oldest first.
#[must_use]
pub fn message(alerts: &[Alert], target: &Target, limits: Measure) -> Message {
    let title = match alerts {
        [alert] => headline(alert, NAME_CHARS),
        _ => format!("{}: {}", count(alerts.len() as u64, "alert"), tally(alerts)),
    };
    let lines = alerts.iter().map(|alert| line(alert, target)).collect();
    let room = limits.body.min(limits.total.saturating_sub(title.encode_utf16().count()));
    Message { title, body: fitting(lines, room), fields: Vec::new(), colour: worst(alerts) }
}

/// Such as `3 down, 1 up again`, worst first.
fn tally(alerts: &[Alert]) -> String {
    const GROUPS: [&str; 7] = ["cut off", "down", "degraded", "flapping", "cannot tell", "up again", "news"];
    let told: Vec<String> = GROUPS
        .into_iter()
        .filter_map(|group| {
            let number = alerts.iter().filter(|alert| self::group(alert) == group).count();
            (number > 0).then(|| format!("{number} {group}"))
        })
        .collect();
    told.join(", ")
}

fn group(alert: &Alert) -> &'static str {
    match (alert.kind, alert.status, alert.reason.as_str()) {
        (_, _, "flapping") => "flapping",
        (Kind::Notice, ..) => "news",
        (Kind::Recovered, ..) | (_, Status::Up, _) => "up again",
        _ if alert.is_about_zone() => "cut off",
        (_, Status::Down, _) => "down",
        (_, Status::Degraded, _) => "degraded",
        (_, Status::Unknown, _) => "cannot tell",
    }
}

fn line(alert: &Alert, target: &Target) -> String {
    let time = Civil::local(alert.at_ms, target.utc_offset_seconds).time();
    let head = format!("{time} {} {}", sign(alert), headline(alert, NAME_CHARS));
    match one_line(alert.summary.trim(), SUMMARY_CHARS) {
        summary if summary.is_empty() || alert.kind == Kind::Recovered => head,
        summary => format!("{head}: {summary}"),
    }
}

fn sign(alert: &Alert) -> &'static str {
    match colour(alert) {
        Colour::Good => "🟢",
        Colour::Warning => "🟠",
        Colour::Bad => "🔴",
        Colour::Neutral if alert.kind == Kind::Notice => "🔵",
        Colour::Neutral => "⚪",
    }
}

/// The newest lines that fit into so many UTF-16 units, and how many are left out.
fn fitting(lines: Vec<String>, room: usize) -> String {
    let all = lines.len();
    let size = |line: &String| line.encode_utf16().count() + 1;
    let whole: usize = lines.iter().map(size).sum();
    if whole <= room + 1 {
        return lines.join("\n");
    }
    let mut left = room.saturating_sub(MORE);
    let mut kept: Vec<String> = lines
        .into_iter()
        .rev()
        .take_while(|line| {
            let fits = size(line) <= left;
            left = left.saturating_sub(size(line));
            fits
        })
        .collect();
    kept.push(format!("… {} earlier", all - kept.len()));
    kept.reverse();
    kept.join("\n")
}

fn worst(alerts: &[Alert]) -> Colour {
    let colours: Vec<Colour> = alerts.iter().map(colour).collect();
    [Colour::Bad, Colour::Warning, Colour::Neutral, Colour::Good]
        .into_iter()
        .find(|colour| colours.contains(colour))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
