//! How a sink is told, whatever its type: how often, when, and who instead.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::dispatch::{Fallback, Policy};
use pihook_core::maintenance::{Recurrence, When};
use pihook_core::{SinkId, Timestamp};

use super::SinkConfig;
use crate::config::keys::QUIET;
use crate::config::ladder::unknown;
use crate::config::lines::below;
use crate::config::problem::{Fault, quoted};
use crate::config::reader::{Fields, Node, Reader};
use crate::config::windows::{read_timezone, recurrence};

const GATHER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(600);
const PER_MINUTE: RangeInclusive<u32> = 1..=600;
const FALLBACK_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
const QUIET_KINDS: [&str; 2] = ["daily", "weekly"];

/// What people read is gathered; programs get each alert as it is.
const FOR_PEOPLE: Policy = Policy {
    gather: Duration::from_secs(10),
    per_minute: NonZeroU32::MIN.saturating_add(5),
    quiet: None,
    fallback: None,
};
const PATIENCE: Duration = Duration::from_secs(600);

/// What the sink says of it, and what is usual for its type where it says nothing.
pub(super) fn read(kind: &str, fields: &Fields<'_>, reader: &mut Reader<'_>) -> Policy {
    let usual = if matches!(kind, "webhook" | "exec") { Policy::EACH } else { FOR_PEOPLE };
    let gather = fields.get("gather").and_then(|node| reader.duration(&node, &GATHER));
    let per_minute = fields.get("max_per_minute").and_then(|node| reader.count(&node, &PER_MINUTE));
    Policy {
        gather: gather.unwrap_or(usual.gather),
        per_minute: per_minute.and_then(NonZeroU32::new).unwrap_or(usual.per_minute),
        quiet: fields.get("quiet_hours").and_then(|node| read_quiet(node, reader)),
        fallback: read_fallback(fields, reader),
    }
}

fn read_quiet(node: Node<'_>, reader: &mut Reader<'_>) -> Option<When> {
    let (path, is_mapping) = (node.path.clone(), node.value.is_object());
    let fields = reader.fields(is_mapping.then(|| node.clone()), &QUIET);
    if !is_mapping {
        reader.wrong_kind(&node, "a mapping", "`{ daily: \"22:00-07:00\" }`, say".to_owned());
        return None;
    }
    let zone = match fields.get("timezone") {
        Some(node) => read_timezone(&node, reader),
        None => Some(TimeZone::system()),
    };
    let said: Vec<_> = QUIET_KINDS.into_iter().filter_map(|kind| Some((kind, fields.get(kind)?))).collect();
    let [(kind, node)] = said.as_slice() else {
        let what = if said.is_empty() { "nothing says when" } else { "this says twice when" };
        reader
            .fault(&path, Fault::new(what, "`daily: \"22:00-07:00\"`, or `weekly: \"Sat-Sun 22:00-09:00\"`"));
        return None;
    };
    let text = reader.text(node)?;
    let (days, from, until) = reader.keep(&node.path, recurrence(kind, &text))?;
    let quiet = When::Recurring(Recurrence::new(days, from, until, zone?).ok()?);
    let ends = quiet.next_change(Timestamp::UNIX_EPOCH).is_some();
    let fault = || Fault::new("these quiet hours never end", "an end, such as `22:00-07:00`");
    reader.keep(&node.path, ends.then_some(quiet).ok_or_else(fault))
}

fn read_fallback(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Option<Fallback> {
    let after = fields.get("fallback_after");
    let Some(node) = fields.get("fallback") else {
        if let Some(after) = after {
            let what = "this says after how long, and nothing says who is told then";
            reader.fault(&after.path, Fault::new(what, "the name of another sink as `fallback`"));
        }
        return None;
    };
    let sink = SinkId::new(&reader.text(&node)?);
    let after = match after {
        Some(node) => reader.duration(&node, &FALLBACK_AFTER)?,
        None => PATIENCE,
    };
    Some(Fallback { sink, after })
}

/// Who is told instead must be another sink, and at the end of the line must be one that has nobody instead.
pub(super) fn judge_fallbacks(
    sinks: &BTreeMap<SinkId, Option<SinkConfig>>,
    paths: &BTreeMap<SinkId, String>,
    reader: &mut Reader<'_>,
) {
    let next = |sink: &SinkId| Some(&sinks.get(sink)?.as_ref()?.policy.fallback.as_ref()?.sink);
    let names: Vec<&str> = sinks.keys().map(SinkId::as_str).collect();
    for sink in sinks.keys() {
        let Some(fallback) = next(sink) else { continue };
        let path = below(paths.get(sink).map_or("", String::as_str), "fallback");
        if !sinks.contains_key(fallback) {
            reader
                .fault_by(&path, || unknown("sink", fallback.as_str(), &names, "declare it under `sinks:`"));
            continue;
        }
        let mut line = vec![sink];
        let mut seen = BTreeSet::from([sink]);
        while let Some(fallback) = line.last().and_then(|sink| next(sink)) {
            line.push(fallback);
            if !seen.insert(fallback) {
                break;
            }
        }
        // A circle is told once, at the first of its sinks.
        let is_circle = line.len() > 1 && line.last() == Some(&sink);
        if is_circle && seen.first() == Some(&sink) {
            let line: Vec<&str> = line.into_iter().map(SinkId::as_str).collect();
            let what = format!("{} goes round in a circle", quoted(&line.join(" → ")));
            reader.fault(&path, Fault::new(what, "a fallback that does not lead back here"));
        }
    }
}
