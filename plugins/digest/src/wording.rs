//! The wording: how many of what in the title, and a line an alert.

use pihook_plugin::limits::Measure;
use pihook_plugin::text::{count, one_line};
use pihook_plugin::wording::{colour, headline};
use pihook_plugin::{Alert, Colour, Kind, Message, Status, Target, calendar::Civil};

/// How much of a name and of a summary stands in a line, in characters.
const NAME_CHARS: usize = 60;
const SUMMARY_CHARS: usize = 100;

/// Room for what says how many are left out, in UTF-16 units.
const MORE: usize = 24;

/// What an alert can be about, worst first.
const GROUPS: [&str; 7] = ["cut off", "down", "degraded", "flapping", "cannot tell", "up again", "news"];

/// Words these alerts, oldest first.
#[must_use]
pub fn message(alerts: &[Alert], target: &Target, limits: Measure) -> Message {
    let title = match alerts {
        [alert] => headline(alert, NAME_CHARS),
        _ => format!("{}: {}", count(alerts.len() as u64, "alert"), tally(alerts)),
    };
    let room = limits.body.min(limits.total.saturating_sub(units(&title)));
    Message { title, body: body(alerts, target, room), fields: Vec::new(), colour: worst(alerts) }
}

/// Such as `3 down, 1 up again`, worst first.
fn tally(alerts: &[Alert]) -> String {
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

/// As much as fits: a line an alert, with what was seen or without; else the names alone, that none is missing.
fn body(alerts: &[Alert], target: &Target, room: usize) -> String {
    let whole: Vec<String> = alerts.iter().map(|alert| line(alert, target)).collect();
    let whole = whole.join("\n");
    if units(&whole) <= room {
        return whole;
    }
    let heads: Vec<String> = alerts.iter().map(|alert| head(alert, target)).collect();
    let heads = heads.join("\n");
    if units(&heads) <= room { heads } else { names(alerts, room) }
}

fn head(alert: &Alert, target: &Target) -> String {
    let time = Civil::local(alert.at_ms, target.utc_offset_seconds).time();
    format!("{time} {} {}", sign(alert), headline(alert, NAME_CHARS))
}

fn line(alert: &Alert, target: &Target) -> String {
    let head = head(alert, target);
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

/// Such as `🔴 down: NAS, Gitea and 37 more`: each service once, by what is newest of it. Every group has its share of
/// the room by its number of names, worst first, and what one does not need is the next one's.
fn names(alerts: &[Alert], room: usize) -> String {
    let mut newest: Vec<&Alert> = Vec::new();
    for alert in alerts {
        match newest.iter_mut().find(|known| known.service == alert.service && alert.kind != Kind::Notice) {
            Some(known) => *known = alert,
            None => newest.push(alert),
        }
    }
    let (mut text, mut later) = (String::new(), newest.len());
    for group in GROUPS {
        let members: Vec<&Alert> = newest.iter().filter(|it| self::group(it) == group).copied().collect();
        if members.is_empty() {
            continue;
        }
        let share = room.saturating_sub(units(&text) + 1) * members.len() / later;
        later -= members.len();
        let listed = listed(group, &members, share);
        let gap = if text.is_empty() { "" } else { "\n" };
        if units(&text) + units(gap) + units(&listed) <= room {
            text = format!("{text}{gap}{listed}");
        }
    }
    text
}

/// The names that fit, and how many do not.
fn listed(group: &str, members: &[&Alert], room: usize) -> String {
    let mut text = format!("{} {group}: ", members.first().map_or("", |alert| sign(alert)));
    for (index, alert) in members.iter().enumerate() {
        let name = one_line(alert.service.trim(), NAME_CHARS);
        let left = members.len() - index;
        let more = if left > 1 { MORE } else { 0 };
        if units(&text) + units(&name) + 2 + more > room {
            let joint = if index == 0 { format!("{left}") } else { format!(" and {left} more") };
            return text + &joint;
        }
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(&name);
    }
    text
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
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
