//! The escalation ladder: after what, how loudly, to whom, how often again.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::SinkId;

/// How loud an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at some time.
    Warning,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// All of them, quietest first.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];

    /// The lower-case name used in services.yaml and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }

    /// The reverse of [`Severity::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| severity.as_str() == text)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a level waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// So many consecutive bad outcomes.
    Failures(NonZeroU32),
    /// So long since the first bad outcome of the streak, by uptime, without the time spent muted.
    Elapsed(Duration),
}

/// Who is to be pinged by a level's alerts, in the sink's own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// Whoever is online in the channel (Discord's `@here`).
    Here,
    /// Everybody (`@everyone`).
    Everyone,
    /// A role by its id.
    Role(String),
    /// A user by its id.
    User(String),
}

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// When it is reached.
    pub after: After,
    /// How loud its alerts are.
    pub severity: Severity,
    /// Who is told. May be empty: then the incident is only logged.
    pub sinks: Vec<SinkId>,
    /// Who is pinged.
    pub mention: Option<Mention>,
    /// The formatter that words its alerts, instead of the sinks' own.
    pub formatter: Option<Arc<str>>,
    /// How often to remind while the incident stays on this level; never if none.
    pub repeat: Option<Duration>,
}

/// The rungs in order. The first opens the incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    first: Level,
    rest: Vec<Level>,
}

impl Ladder {
    /// A ladder of at least one level.
    #[must_use]
    pub fn new(first: Level, rest: Vec<Level>) -> Self {
        Self { first, rest }
    }

    /// The level that opens an incident.
    #[must_use]
    pub fn first(&self) -> &Level {
        &self.first
    }

    /// The level with this index, counted from 0; none beyond the last.
    #[must_use]
    pub fn level(&self, index: usize) -> Option<&Level> {
        if index == 0 { Some(&self.first) } else { self.rest.get(index - 1) }
    }

    /// The level with this number as incidents keep it.
    pub(crate) fn level_at(&self, number: u32) -> Option<&Level> {
        self.level(usize::try_from(number).ok()?)
    }

    /// The highest level's number.
    pub(crate) fn top(&self) -> u32 {
        u32::try_from(self.rest.len()).unwrap_or(u32::MAX)
    }

    /// The level that an incident with this number is on: the highest, for one that has climbed a longer ladder.
    pub(crate) fn rung(&self, number: u32) -> &Level {
        self.level_at(number.min(self.top())).unwrap_or(&self.first)
    }

    /// All levels in order.
    pub fn levels(&self) -> impl Iterator<Item = &Level> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}
