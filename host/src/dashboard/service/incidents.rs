//! Incidents as stories: what happened when, and who was told of it.

use pihook_core::plain::humanise;
use pihook_core::{AlertKind, Timestamp};

use super::super::page::local;
use crate::store::{Fate, Story, Telling};
use crate::words::count;

/// An incident in words.
pub(super) struct Told {
    pub(super) status: &'static str,
    pub(super) severity: &'static str,
    pub(super) began: Instant,
    pub(super) lasted: String,
    pub(super) reason: String,
    pub(super) checks: String,
    pub(super) events: Vec<Event>,
}

/// An instant as people and programs read it.
pub(super) struct Instant {
    pub(super) local: String,
    pub(super) utc: String,
}

/// Something that happened in it.
pub(super) struct Event {
    pub(super) at: Instant,
    pub(super) what: String,
    pub(super) whom: Vec<String>,
}

impl Instant {
    pub(super) fn of(at: Timestamp) -> Self {
        Self { local: local(at), utc: at.to_string() }
    }
}

/// The story as it is told now.
pub(super) fn tell(story: &Story, now: Timestamp) -> Told {
    let lasted = |until: Timestamp| humanise(until.duration_since(story.opened).unsigned_abs());
    let mut events = vec![Event {
        at: Instant::of(story.opened),
        what: "the first failed check".to_owned(),
        whom: Vec::new(),
    }];
    // What was decided at once is one event, whomever it was told.
    for alert in story.told.chunk_by(|a, b| (a.kind, a.at) == (b.kind, b.at)) {
        let Some(first) = alert.first() else { continue };
        events.push(Event {
            at: Instant::of(first.at),
            what: what(first.kind).to_owned(),
            whom: alert.iter().map(fate).collect(),
        });
    }
    if let Some(closed) = story.closed {
        events.push(Event { at: Instant::of(closed), what: "up again".to_owned(), whom: Vec::new() });
        let order = |event: &Event| event.at.utc.parse::<Timestamp>().ok();
        events.sort_by_key(order);
    }
    Told {
        status: story.status.as_str(),
        severity: story.severity.as_str(),
        began: Instant::of(story.opened),
        lasted: match story.closed {
            Some(closed) => format!("lasted {}", lasted(closed)),
            None => format!("lasts for {} now", lasted(now)),
        },
        reason: story.reason.clone(),
        checks: count(usize::try_from(story.checks_failed).unwrap_or(usize::MAX), "failed check"),
        events,
    }
}

fn what(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Opened => "alert: it began",
        AlertKind::Escalated => "alert: it is more urgent",
        AlertKind::Reminder => "alert: it still lasts",
        AlertKind::Recovered => "alert: it is over",
        AlertKind::Notice => "a notice",
    }
}

fn fate(telling: &Telling) -> String {
    let Telling { sink, attempts, error, .. } = telling;
    let tries = count(usize::try_from(*attempts).unwrap_or(usize::MAX), "attempt");
    let why = error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    match telling.fate {
        Fate::Sent(at) => format!("{sink}: told at {}", local(at)),
        Fate::Pending if *attempts == 0 => format!("{sink}: waits"),
        Fate::Pending => format!("{sink}: waits, after {tries}{why}"),
        Fate::Dead => format!("{sink}: given up after {tries}{why}"),
    }
}
