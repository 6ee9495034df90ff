//! The windows of maintenance: at which times, for whom.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, db};
use pihook_core::Timestamp;
use pihook_core::ZoneId;
use pihook_core::maintenance::{Days, MINUTES_A_DAY, Recurrence, When, Which, Window};

use super::keys::{WINDOW, nearest};
use super::ladder::unknown;
use super::problem::{Fault, quoted};
use super::reader::{Fields, Node, Reader};
use super::services::ServiceConfig;

const MOST: usize = 100;
const LONGEST: usize = 200;
const EXAMPLE: &str = "such as `- { name: backups, weekly: \"Sun 03:00-05:00\" }`";
const KINDS: [&str; 3] = ["daily", "weekly", "monthly"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ORDINALS: [(&str, Which); 5] = [
    ("first", Which::Nth(1)),
    ("second", Which::Nth(2)),
    ("third", Which::Nth(3)),
    ("fourth", Which::Nth(4)),
    ("last", Which::Last),
];

pub(super) fn read(
    node: Option<Node<'_>>,
    zones: &BTreeSet<ZoneId>,
    services: &[ServiceConfig],
    reader: &mut Reader<'_>,
) -> Vec<Window> {
    let Some(node) = node else { return Vec::new() };
    let items = reader.items(&node, EXAMPLE).unwrap_or_default();
    if let Some(beyond) = items.get(MOST) {
        let fault = Fault::new(format!("these are more than {MOST} windows"), "fewer windows");
        reader.fault(&beyond.path, fault);
    }
    let zones: Vec<&str> = zones.iter().map(ZoneId::as_str).collect();
    let names: Vec<&str> =
        services.iter().flat_map(|service| [&*service.service.name, service.service.id.as_str()]).collect();
    let mut windows: Vec<Window> = Vec::new();
    for item in items.into_iter().take(MOST) {
        let path = item.path.clone();
        let is_mapping = item.value.is_object();
        let fields = reader.fields(Some(item), &WINDOW);
        let Some(window) = is_mapping.then(|| read_window(&fields, &zones, &names, reader)).flatten() else {
            continue;
        };
        if windows.iter().any(|other| other.name == window.name) {
            let what = format!("{} is the name of another window too", quoted(&window.name));
            reader.fault(&super::lines::below(&path, "name"), Fault::new(what, "a name of its own"));
        }
        windows.push(window);
    }
    windows
}

fn read_window(
    fields: &Fields<'_>,
    zones: &[&str],
    names: &[&str],
    reader: &mut Reader<'_>,
) -> Option<Window> {
    let name = match fields.get("name") {
        Some(node) => line(&node, reader),
        None => {
            reader.fault(&fields.path, Fault::new("`name` is missing", "`name: backups`, say"));
            None
        }
    };
    let zone = match fields.get("timezone") {
        Some(node) => read_timezone(&node, reader),
        None => Some(TimeZone::system()),
    };
    let services = read_names(fields.get("services"), "service", names, reader);
    let zones = read_names(fields.get("zones"), "zone", zones, reader);
    let reason = fields.get("reason").and_then(|node| line(&node, reader));
    let when = read_when(fields, zone, reader);
    Some(Window { name: name?, when: when?, services: services?, zones: zones?, reason })
}

/// One line of text for people.
fn line(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text(node)?.trim().to_owned();
    if text.is_empty() || text.chars().count() > LONGEST || text.contains(char::is_control) {
        let remedy = format!("1 to {LONGEST} characters on one line");
        reader.fault(&node.path, Fault::new("this cannot be shown", remedy));
        return None;
    }
    Some(text)
}

/// None if one of them is wrong: a window that has lost a name must not cover everything.
fn read_names(
    node: Option<Node<'_>>,
    what: &str,
    known: &[&str],
    reader: &mut Reader<'_>,
) -> Option<Vec<String>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let items = reader.items(&node, &format!("a list of {what}s"))?;
    if items.is_empty() {
        let remedy = format!("name a {what}, or leave the key out to cover all");
        reader.fault(&node.path, Fault::new("this list is empty", remedy));
        return None;
    }
    let mut names = Some(Vec::new());
    for item in items {
        let name = reader.text(&item);
        if let Some(name) = name.as_deref().filter(|name| !known.contains(name)) {
            reader
                .fault_by(&item.path, || unknown(what, name, known, &format!("declare it under `{what}s:`")));
        }
        let name = name.filter(|name| known.contains(&name.as_str()));
        names = names.zip(name).map(|(mut names, name)| {
            names.push(name);
            names
        });
    }
    names
}

pub(super) fn read_timezone(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<TimeZone> {
    let name = reader.text(node)?;
    let zone = db().get(&name).map_err(|_| {
        let known: Vec<String> = db().available().map(|name| name.as_str().to_owned()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let remedy = nearest(&name, &known).map_or_else(
            || "a name such as `Europe/Berlin`, as `timedatectl list-timezones` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Fault::new(format!("there is no time zone {}", quoted(&name)), remedy)
    });
    reader.keep(&node.path, zone)
}

fn read_when(fields: &Fields<'_>, zone: Option<TimeZone>, reader: &mut Reader<'_>) -> Option<When> {
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
    let once = fields.get("from").is_some() || fields.get("until").is_some();
    match (kinds.as_slice(), once) {
        ([kind], false) => {
            let node = fields.get(kind)?;
            let text = reader.text(&node)?;
            let parsed = reader.keep(&node.path, recurrence(kind, &text))?;
            let (days, from, until) = parsed;
            Recurrence::new(days, from, until, zone?).ok().map(When::Recurring)
        }
        ([], true) => read_once(fields, zone, reader),
        _ => {
            let what = if kinds.is_empty() { "nothing says when" } else { "this says twice when" };
            let remedy = "one of `daily`, `weekly` and `monthly`, or both `from` and `until`";
            reader.fault(&fields.path, Fault::new(what, remedy));
            None
        }
    }
}

fn read_once(fields: &Fields<'_>, zone: Option<TimeZone>, reader: &mut Reader<'_>) -> Option<When> {
    let mut bound = |key: &str| {
        let Some(node) = fields.get(key) else {
            let what = format!("`{key}` is missing");
            reader.fault(&fields.path, Fault::new(what, format!("`{key}: 2026-12-01T18:00`, say")));
            return None;
        };
        let text = reader.text(&node)?;
        reader.keep(&node.path, moment(&text, zone.as_ref()?))
    };
    let (from, until) = (bound("from"), bound("until"));
    let (from, until) = (from?, until?);
    if until <= from {
        let path = super::lines::below(&fields.path, "until");
        reader.fault(&path, Fault::new("this is not after `from`", "a later time"));
        return None;
    }
    Some(When::Once(from..until))
}

/// A moment with its offset, or a time on the zone's clock.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let text = text.trim();
    let local = || text.parse::<DateTime>().ok().and_then(|local| zone.to_timestamp(local).ok());
    text.parse::<Timestamp>().ok().or_else(local).ok_or_else(|| {
        let remedy = "such as `2026-12-01T18:00`, by the clock of `timezone`, or `2026-12-01T18:00:00+01:00`";
        Fault::new(format!("{} is no time", quoted(text)), remedy)
    })
}

/// Reads `Mon,Wed-Fri 22:00-06:00` and the like: the days, and minutes after midnight.
pub(super) fn recurrence(kind: &str, text: &str) -> Result<(Days, u16, u16), Fault> {
    let text = text.trim();
    let (days, times) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
    let days = days.trim();
    let days = match kind {
        "weekly" => weekdays(days)?,
        "monthly" => of_month(days)?,
        _ if days.is_empty() => Days::Daily,
        _ => return Err(Fault::new(format!("{} is no time of day", quoted(text)), "such as `03:00-03:30`")),
    };
    let (from, until) = times.split_once('-').ok_or_else(|| no_span(times))?;
    let (from, until) = minute(from).zip(minute(until)).ok_or_else(|| no_span(times))?;
    if from == MINUTES_A_DAY {
        return Err(Fault::new("a window cannot begin at 24:00", "`00:00`, on the day that then begins"));
    }
    if from == until {
        let remedy = "another end; a whole day is `00:00-24:00`";
        return Err(Fault::new(format!("{} ends when it begins", quoted(times)), remedy));
    }
    Ok((days, from, until))
}

fn no_span(text: &str) -> Fault {
    Fault::new(format!("{} is no span of times", quoted(text)), "such as `03:00-05:00`, or `22:00-06:00`")
}

/// The minute of the day of `03:05`; `24:00` is the midnight that ends it.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str| -> Option<u16> {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute).filter(|minute| *minute < 60)?);
    Some(hour * 60 + minute).filter(|minutes| *minutes <= MINUTES_A_DAY)
}

fn weekdays(text: &str) -> Result<Days, Fault> {
    if text.is_empty() {
        return Err(Fault::new("no day of the week stands here", "such as `Sun 03:00-05:00`"));
    }
    let mut days = BTreeSet::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        // `Sat-Mon` goes over the end of the week.
        days.extend((0..=(last - first).rem_euclid(7)).map(|step| (first + step).rem_euclid(7)));
    }
    Ok(Days::Weekly(days))
}

fn weekday(text: &str) -> Result<i8, Fault> {
    let wanted = text.trim().to_lowercase();
    let found = (0_i8..).zip(WEEKDAYS).find(|(_, day)| day.to_lowercase() == wanted);
    found.map(|(number, _)| number).ok_or_else(|| unknown("weekday", text.trim(), &WEEKDAYS, ""))
}

fn of_month(text: &str) -> Result<Days, Fault> {
    if let Some((which, day)) = text.split_once(char::is_whitespace) {
        let names = ORDINALS.map(|(name, _)| name);
        let found = ORDINALS.iter().find(|(name, _)| *name == which.to_lowercase());
        let (_, which) = found.ok_or_else(|| unknown("such day of a month as", which, &names, ""))?;
        return Ok(Days::WeekdayOfMonth(*which, weekday(day)?));
    }
    let day = text.parse().ok().filter(|day| (1..=31).contains(day));
    day.map(Days::OfMonth).ok_or_else(|| {
        let remedy = "such as `1 03:00-05:00`, or `first Sun 03:00-05:00`";
        Fault::new(format!("{} is no day of a month", quoted(text)), remedy)
    })
}
