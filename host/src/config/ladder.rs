//! The escalation ladder: after what, how loudly, to whom.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{After, Ladder, Level, Mention, Severity, SinkId, ZoneId};
use serde_json::Value;

use super::keys::{LEVEL, listed, nearest};
use super::problem::{Fault, quoted};
use super::reader::{Fields, Node, Reader, is_name};
use super::values::shown_duration;

const FAILURES: RangeInclusive<u32> = 1..=1000;
const SPANS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
const THREE: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
const MOST_LEVELS: usize = 10;
const EXAMPLE: &str = "such as `- { after: 3, severity: critical, sinks: [discord] }`";

/// The names that the file declares, those with mistakes included.
pub(super) struct Known<'k> {
    pub(super) zones: &'k BTreeSet<ZoneId>,
    pub(super) sinks: &'k [SinkId],
}

/// The ladder of a node: without one, three failures, critical, to all sinks.
pub(super) fn read_ladder(node: Option<Node<'_>>, known: &Known<'_>, reader: &mut Reader<'_>) -> Arc<Ladder> {
    let levels = node.and_then(|node| read_levels(&node, known, reader)).unwrap_or_default();
    let mut levels = levels.into_iter();
    let first = levels.next().unwrap_or_else(|| Level {
        after: After::Failures(THREE),
        severity: Severity::Critical,
        sinks: known.sinks.to_vec(),
        mention: None,
        formatter: None,
        repeat: None,
    });
    Arc::new(Ladder::new(first, levels.collect()))
}

/// The ladder of what is degraded. `off` logs only, when the main ladder would have spoken first.
pub(super) fn read_degraded(
    node: &Node<'_>,
    main: &Ladder,
    known: &Known<'_>,
    reader: &mut Reader<'_>,
) -> Arc<Ladder> {
    let off = node.value.as_str() == Some("off") || node.value.as_bool() == Some(false);
    if !off {
        return read_ladder(Some(node.clone()), known, reader);
    }
    let silent = Level {
        severity: Severity::Info,
        sinks: Vec::new(),
        mention: None,
        repeat: None,
        ..main.first().clone()
    };
    Arc::new(Ladder::new(silent, Vec::new()))
}

fn read_levels(node: &Node<'_>, known: &Known<'_>, reader: &mut Reader<'_>) -> Option<Vec<Level>> {
    let items = reader.items(node, EXAMPLE)?;
    if items.is_empty() || items.len() > MOST_LEVELS {
        let what = format!("a ladder has 1 to {MOST_LEVELS} levels, and this has {}", items.len());
        reader.fault(&node.path, Fault::new(what, EXAMPLE));
    }
    let mut levels: Vec<Level> = Vec::new();
    for item in items.iter().take(MOST_LEVELS) {
        let fields = reader.fields(Some(item.clone()), &LEVEL);
        if let Some(level) = read_level(&fields, known, reader) {
            in_order(&levels, level.after, &fields, reader);
            levels.push(level);
        }
    }
    Some(levels)
}

fn read_level(fields: &Fields<'_>, known: &Known<'_>, reader: &mut Reader<'_>) -> Option<Level> {
    let after = match fields.get("after") {
        Some(node) => read_after(&node, reader),
        None => {
            let remedy = "`after: 3` for three failed checks in a row, or `after: 30m`";
            reader.fault(&fields.path, Fault::new("`after` is missing", remedy));
            None
        }
    };
    let severity = fields.get("severity").and_then(|node| read_severity(&node, reader));
    let sinks = match fields.get("sinks") {
        Some(node) => read_sinks(&node, known, reader),
        None => known.sinks.to_vec(),
    };
    let mention = fields.get("mention").and_then(|node| {
        let text = reader.text(&node)?;
        reader.keep(&node.path, mention(&text))
    });
    let formatter = fields.get("formatter").and_then(|node| read_formatter(&node, reader));
    let repeat = fields.get("repeat").and_then(|node| reader.duration(&node, &SPANS));
    let severity = severity.unwrap_or(Severity::Critical);
    Some(Level { after: after?, severity, sinks, mention, formatter, repeat })
}

/// A formatter's id; whether there is such a plugin is for those to tell who load it.
pub(super) fn read_formatter(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Arc<str>> {
    let text = reader.text(node)?;
    let fault = || Fault::new(format!("{} is no plugin's id", quoted(&text)), "such as `detailed`");
    reader.keep(&node.path, is_name(&text).then(|| Arc::from(text.as_str())).ok_or_else(fault))
}

/// The same ladder for a service with a formatter of its own: levels that name one keep it.
pub(super) fn worded_by(formatter: &Arc<str>, ladder: &Ladder) -> Ladder {
    let worded = |level: &Level| Level {
        formatter: level.formatter.clone().or_else(|| Some(formatter.clone())),
        ..level.clone()
    };
    Ladder::new(worded(ladder.first()), ladder.levels().skip(1).map(worded).collect())
}

fn read_after(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<After> {
    match node.value {
        Value::Number(_) => Some(After::Failures(NonZeroU32::new(reader.count(node, &FAILURES)?)?)),
        _ => Some(After::Elapsed(reader.duration(node, &SPANS)?)),
    }
}

fn read_severity(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Severity> {
    let text = reader.text(node)?;
    let severity = Severity::parse(&text)
        .ok_or_else(|| unknown("severity", &text, &Severity::ALL.map(Severity::as_str), ""));
    reader.keep(&node.path, severity)
}

pub(super) fn read_sinks(node: &Node<'_>, known: &Known<'_>, reader: &mut Reader<'_>) -> Vec<SinkId> {
    let mut sinks = Vec::new();
    for item in reader.items(node, "a list of sinks, such as `[discord]`").unwrap_or_default() {
        let Some(text) = reader.text(&item) else { continue };
        let sink = SinkId::new(&text);
        if !known.sinks.contains(&sink) {
            reader.fault_by(&item.path, || {
                let names: Vec<_> = known.sinks.iter().map(SinkId::as_str).collect();
                unknown("sink", &text, &names, "declare it under `sinks:`")
            });
        } else if sinks.contains(&sink) {
            reader.fault(&item.path, Fault::new(format!("{} stands here twice", quoted(&text)), "keep one"));
        } else {
            sinks.push(sink);
        }
    }
    sinks
}

/// The fault of a name that is not among the known ones.
pub(super) fn unknown(what: &str, typed: &str, known: &[&str], otherwise: &str) -> Fault {
    let what = format!("there is no {what} {}", quoted(typed));
    let remedy = match (nearest(typed, known), known, otherwise) {
        (Some(near), _, _) => format!("did you mean `{near}`?"),
        (None, [], otherwise) => otherwise.to_owned(),
        (None, known, "") => format!("one of {}", listed(known)),
        (None, known, otherwise) => format!("one of {}, or {otherwise}", listed(known)),
    };
    Fault::new(what, remedy)
}

fn mention(text: &str) -> Result<Mention, Fault> {
    let is_id = |id: &str| (1..=20).contains(&id.len()) && id.chars().all(|c| c.is_ascii_digit());
    match text.split_once(':') {
        None if text == "here" => Ok(Mention::Here),
        None if text == "everyone" => Ok(Mention::Everyone),
        Some(("role", id)) if is_id(id) => Ok(Mention::Role(id.to_owned())),
        Some(("user", id)) if is_id(id) => Ok(Mention::User(id.to_owned())),
        _ => {
            let what = format!("{} is nobody to mention", quoted(text));
            Err(Fault::new(
                what,
                "`here`, `everyone`, `role:ID` or `user:ID`, with the number that Discord shows as ID",
            ))
        }
    }
}

/// Each level has to come after the ones before it; counts and durations cannot be compared with each other.
fn in_order(before: &[Level], after: After, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let earlier = before.iter().rev().find_map(|level| match (level.after, after) {
        (After::Failures(earlier), After::Failures(later)) => {
            Some((later <= earlier, format!("more than {earlier} failures")))
        }
        (After::Elapsed(earlier), After::Elapsed(later)) => {
            Some((later <= earlier, format!("more than {}", shown_duration(&earlier))))
        }
        _ => None,
    });
    if let Some((true, remedy)) = earlier {
        let path = super::lines::below(&fields.path, "after");
        reader.fault(&path, Fault::new("this level is not later than one before it", remedy));
    }
}
