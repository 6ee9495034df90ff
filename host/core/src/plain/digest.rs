//! The built-in wording of several alerts at once.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{cannot, humanise, name_of, plain_message};
use crate::{Alert, AlertKind, Colour, Message, Status};

/// How much the body may hold, in UTF-16 units: with its title it fits into the least that a provider takes, the 2000
/// of Discord's bare text, and leaves room for a ping and a remark.
const BODY: usize = 1700;

/// How much of a service's summary is told beside its name, in characters.
const SUMMARY: usize = 120;

/// Words several alerts plainly as one message: how many of which kind, then each service by name, worst first. A
/// service that several of them are about has one line, which tells how it ended. What does not fit is counted.
///
/// One alert is worded as if it was alone; none at all gives a message that says so.
#[must_use]
pub fn plain_digest(alerts: &[Alert]) -> Message {
    if let [alert] = alerts {
        return plain_message(alert);
    }
    let entries = entries(alerts);
    Message {
        title: title(&entries, alerts.len()),
        body: body(&entries),
        fields: Vec::new(),
        colour: colour(&entries),
    }
}

/// What is said of one service, or one piece of news.
struct Entry<'a> {
    /// The newest alert.
    last: &'a Alert,
    /// Whether the incident that it ends began in this message.
    passed: Passed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// The reader hears of its beginning and its end at once.
    Whole,
    /// There is more to it than what is in here.
    Part,
}

/// Where an entry stands, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Down,
    Degraded,
    Unknown,
    Recovered,
    News,
}

impl Group {
    const ALL: [Group; 5] = [Group::Down, Group::Degraded, Group::Unknown, Group::Recovered, Group::News];

    fn of(entry: &Entry<'_>) -> Self {
        match (entry.last.kind, entry.last.status) {
            (AlertKind::Notice, _) => Group::News,
            (AlertKind::Recovered, _) | (_, Status::Up) => Group::Recovered,
            (_, Status::Down) => Group::Down,
            (_, Status::Degraded) => Group::Degraded,
            (_, Status::Unknown) => Group::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Group::Down => "down",
            Group::Degraded => "degraded",
            Group::Unknown => "unknown",
            Group::Recovered => "up again",
            Group::News => "news",
        }
    }
}

/// One entry a service in the order of their first alerts, and one for each notice; worst first.
fn entries(alerts: &[Alert]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for alert in alerts {
        let passed = if alert.kind == AlertKind::Opened { Passed::Whole } else { Passed::Part };
        let known = places.get(&alert.service).and_then(|place: &usize| entries.get_mut(*place));
        match known {
            _ if alert.kind == AlertKind::Notice => entries.push(Entry { last: alert, passed }),
            Some(entry) => {
                if entry.last.incident != alert.incident {
                    entry.passed = passed;
                }
                entry.last = alert;
            }
            None => {
                places.insert(&alert.service, entries.len());
                entries.push(Entry { last: alert, passed });
            }
        }
    }
    entries.sort_by_key(Group::of);
    entries
}

fn count(entries: &[Entry<'_>], group: Group) -> usize {
    entries.iter().filter(|entry| Group::of(entry) == group).count()
}

/// Such as `12 alerts: 9 down, 3 up again`.
fn title(entries: &[Entry<'_>], alerts: usize) -> String {
    let counts: Vec<_> = Group::ALL
        .into_iter()
        .map(|group| (count(entries, group), group.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match counts.as_slice() {
        [] => "No alerts".to_owned(),
        counts => format!("{alerts} alerts: {}", counts.join(", ")),
    }
}

/// A line each with what was seen, or if that is too long, the names alone.
fn body(entries: &[Entry<'_>]) -> String {
    let lines: Vec<_> = entries.iter().map(line).collect();
    let whole = lines.join("\n");
    if units(&whole) <= BODY { whole } else { names(entries) }
}

fn line(entry: &Entry<'_>) -> String {
    let alert = entry.last;
    let name = one_line(name_of(alert), usize::MAX);
    let lasted = humanise(alert.lasted);
    let state = match Group::of(entry) {
        Group::News => name,
        Group::Recovered if entry.passed == Passed::Whole => {
            format!("{name} was not well for {lasted} and is up again")
        }
        Group::Recovered => return format!("{name} is up again after {lasted}"),
        Group::Unknown => format!("PiHook {} tell how {name} is", cannot(alert.kind)),
        Group::Down | Group::Degraded if alert.kind == AlertKind::Opened => {
            format!("{name} is {}", alert.status)
        }
        Group::Down | Group::Degraded => format!("{name} is still {} after {lasted}", alert.status),
    };
    match one_line(&alert.summary, SUMMARY) {
        summary if summary.is_empty() || Group::of(entry) == Group::Recovered => state,
        summary => format!("{state}: {summary}"),
    }
}

/// Such as `Down: NAS, Gitea and 37 more`. Every group has its share of the room by its number of names, worst first,
/// and what one does not need is the next one's.
fn names(entries: &[Entry<'_>]) -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let members: Vec<_> = entries.iter().filter(|entry| Group::of(entry) == group).collect();
        if members.is_empty() {
            continue;
        }
        let later = entries.iter().filter(|entry| Group::of(entry) >= group).count();
        let room = BODY.saturating_sub(units(&text)).saturating_mul(members.len()) / later.max(1);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&listed(group, &members, room));
    }
    text
}

fn listed(group: Group, members: &[&Entry<'_>], room: usize) -> String {
    let word = group.word();
    let mut text: String =
        word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect();
    let tail = units(" and 9999 more");
    for (index, entry) in members.iter().enumerate() {
        let separator = if index == 0 { ": " } else { ", " };
        let name = one_line(name_of(entry.last), usize::MAX);
        if units(&text) + units(separator) + units(&name) + tail > room {
            let left = members.len() - index;
            let joint = if index == 0 { ":" } else { " and" };
            let more = if index == 0 { "" } else { " more" };
            // Writing to a string cannot fail.
            let _ = write!(text, "{joint} {left}{more}");
            return text;
        }
        text.push_str(separator);
        text.push_str(&name);
    }
    text
}

/// The text on one line, cut after so many characters.
fn one_line(text: &str, most: usize) -> String {
    let mut words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn colour(entries: &[Entry<'_>]) -> Colour {
    match entries.iter().map(Group::of).min() {
        Some(Group::Down) => Colour::Bad,
        Some(Group::Degraded) => Colour::Warning,
        Some(Group::Recovered) => Colour::Good,
        Some(Group::Unknown | Group::News) | None => Colour::Neutral,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{IncidentId, Reason, ServiceId, Severity, Timestamp, ZoneId};

    fn alert(name: &str, kind: AlertKind, status: Status) -> Alert {
        Alert {
            kind,
            reason: Reason::Failures,
            incident: IncidentId(7),
            service: ServiceId::new(name),
            name: Arc::from(name),
            zone: ZoneId::new("local"),
            status,
            severity: Severity::Critical,
            level: 0,
            mention: None,
            formatter: None,
            at: Timestamp::UNIX_EPOCH,
            since: Timestamp::UNIX_EPOCH,
            lasted: Duration::from_secs(250),
            failures: 3,
            summary: "connection\n refused".to_owned(),
            response_time: None,
            sinks: Vec::new(),
        }
    }

    #[test]
    fn it_counts_and_names_worst_first() {
        let message = plain_digest(&[
            alert("Wiki", AlertKind::Recovered, Status::Up),
            alert("Address", AlertKind::Notice, Status::Up),
            alert("Disk", AlertKind::Opened, Status::Degraded),
            alert("NAS", AlertKind::Opened, Status::Down),
            alert("Git", AlertKind::Reminder, Status::Down),
            alert("DNS", AlertKind::Opened, Status::Unknown),
            alert("Mail", AlertKind::Opened, Status::Down),
            alert("Mail", AlertKind::Recovered, Status::Up),
        ]);
        assert_eq!(message.title, "8 alerts: 2 down, 1 degraded, 1 unknown, 2 up again, 1 news");
        assert_eq!(
            message.body.lines().collect::<Vec<_>>(),
            [
                "NAS is down: connection refused",
                "Git is still down after 4 min 10 s: connection refused",
                "Disk is degraded: connection refused",
                "PiHook cannot tell how DNS is: connection refused",
                "Wiki is up again after 4 min 10 s",
                "Mail was not well for 4 min 10 s and is up again",
                "Address: connection refused",
            ]
        );
        assert_eq!(message.colour, Colour::Bad);
        assert_eq!(plain_digest(&[]).title, "No alerts");
    }

    #[test]
    fn one_alert_is_worded_as_if_it_was_alone() {
        let alone = alert("NAS", AlertKind::Opened, Status::Down);
        assert_eq!(plain_digest(std::slice::from_ref(&alone)), plain_message(&alone));
    }

    #[test]
    fn a_hundred_services_are_all_named() {
        let alerts: Vec<_> = (0..100)
            .map(|number| {
                let (kind, status) = if number % 2 == 0 {
                    (AlertKind::Opened, Status::Down)
                } else {
                    (AlertKind::Recovered, Status::Up)
                };
                alert(&format!("Service {number:03}"), kind, status)
            })
            .collect();
        let message = plain_digest(&alerts);
        assert_eq!(message.title, "100 alerts: 50 down, 50 up again");
        assert!(message.body.starts_with("Down: Service 000, Service 002"), "{}", message.body);
        for alert in &alerts {
            assert_eq!(message.body.matches(&*alert.name).count(), 1, "{}", alert.name);
        }
    }

    #[test]
    fn names_that_do_not_fit_are_counted() {
        let alerts: Vec<_> = (0..100)
            .map(|n| alert(&format!("{}{n:03}", "x".repeat(60)), AlertKind::Opened, Status::Down))
            .collect();
        let body = plain_digest(&alerts).body;
        let named = body.matches("xxx0").count();
        assert!(body.ends_with(&format!(" and {} more", 100 - named)), "{body}");
    }

    proptest! {
        #[test]
        fn it_has_a_bound_whatever_the_names(names in proptest::collection::vec("\\PC{0,300}", 2..100)) {
            let kinds = AlertKind::ALL.iter().cycle().zip(Status::ALL.iter().cycle());
            let alerts: Vec<_> =
                names.iter().zip(kinds).map(|(name, (kind, status))| alert(name, *kind, *status)).collect();
            let message = plain_digest(&alerts);
            prop_assert!(units(&message.body) <= BODY);
            prop_assert!(units(&message.title) < 100 && !message.title.contains('\n'));
        }
    }
}
