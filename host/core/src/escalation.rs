//! The escalation table: where an incident stands, what holds now, what comes next and what is said.

use std::time::Duration;

use crate::event::Muting::{self, Audible, Muted};
use crate::health::Trouble;
use crate::{AlertKind, Ladder, Reason};

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No incident: calm or suspect.
    Closed,
    /// The incident ended while muted; its recovery is still to be told.
    Held,
    /// An incident lasts, on this level.
    Open(u32, Told),
    /// An incident lasts, on this level, and goes up and down.
    Flapping(u32, Told),
}

/// What people know of an open incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing.
    Never,
    /// That it began, but maintenance has covered it since.
    BeforeMaintenance,
    /// All there is to say.
    UpToDate,
}

/// What asks the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Time, the flag or a reload. None of them is evidence that a service is bad, so they open nothing.
    Time,
    /// An outcome that brought nothing special.
    Outcome,
    /// An outcome with the worst status of the incident so far.
    Worse,
    /// The last of enough good outcomes.
    Recovered,
    /// A bad outcome, after so many changes that it flaps from now on.
    Flaps,
    /// It has stopped to flap, and is well.
    Settled,
    /// It has stopped to flap, and is not well.
    SettledBad,
}

/// All that the table looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) ladder: &'a Ladder,
    pub(crate) stage: Stage,
    pub(crate) muting: Muting,
    pub(crate) turn: Turn,
    pub(crate) trouble: Option<Trouble>,
    /// Since the trouble began, without the time muted.
    pub(crate) elapsed: Duration,
    /// Since the incident's last alert, without the time muted.
    pub(crate) since_alert: Duration,
}

/// Where the service goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nowhere.
    Stay,
    /// A new incident on this level.
    Open(u32),
    /// The incident whose recovery is held lasts on.
    Reopen,
    /// A new incident on the first level, which begins with flapping.
    OpenFlapping,
    /// The incident whose recovery is held lasts on, and flaps from now on.
    ReopenFlapping,
    /// Nowhere, but it flaps from now on.
    Flap,
    /// To this level, which may be the one it is on.
    Level(u32),
    /// The incident ends, with the recovery held.
    Hold,
    /// The incident is over and done.
    Close,
}

/// A row's right half.
pub(crate) type Decision = (Next, Option<(AlertKind, Reason)>);

/// The table.
pub(crate) fn decide(s: &Situation<'_>) -> Decision {
    use {AlertKind::*, Stage::*, Told::*};
    match (s.stage, s.muting, s.turn) {
        (Closed, _, Turn::Flaps) => (Next::OpenFlapping, Some((Opened, Reason::Flapping))),
        (Held, _, Turn::Flaps) => (Next::ReopenFlapping, Some((Escalated, Reason::Flapping))),
        (Open(_, Never), _, Turn::Flaps) => (Next::Flap, Some((Opened, Reason::Flapping))),
        (Open(..), _, Turn::Flaps) => (Next::Flap, Some((Escalated, Reason::Flapping))),

        (Flapping(..), Muted, _) => QUIET,
        (Flapping(_, Never), Audible, Turn::Settled) => (Next::Close, None),
        (Flapping(..), Audible, Turn::Settled) => (Next::Close, Some((Recovered, Reason::Settled))),
        (Flapping(_, Never), Audible, _) => (Next::Stay, Some((Opened, Reason::AfterMaintenance))),
        (Flapping(_, BeforeMaintenance), Audible, _) => {
            (Next::Stay, Some((Reminder, Reason::AfterMaintenance)))
        }
        (Flapping(_, UpToDate), Audible, _) => QUIET,

        (Closed, Audible, _) => match s.opens() {
            Some((level, reason)) => (Next::Open(level), Some((Opened, reason))),
            None => QUIET,
        },
        (Closed, Muted, _) => match s.opens() {
            Some((level, _)) => (Next::Open(level), None),
            None => QUIET,
        },

        (Held, Audible, _) => match s.opens() {
            Some(_) => (Next::Reopen, Some((Reminder, Reason::AfterMaintenance))),
            None => (Next::Close, Some((Recovered, Reason::Recovered))),
        },
        (Held, Muted, _) => match s.opens() {
            Some(_) => (Next::Reopen, None),
            None => QUIET,
        },

        (Open(_, Never), _, Turn::Recovered) => (Next::Close, None),
        (Open(..), Audible, Turn::Recovered) => (Next::Close, Some((Recovered, Reason::Recovered))),
        (Open(..), Muted, Turn::Recovered) => (Next::Hold, None),

        (Open(..), Muted, _) => QUIET,
        (Open(level, Never), Audible, _) => {
            (Next::Level(s.reached(level)), Some((Opened, Reason::AfterMaintenance)))
        }
        (Open(level, BeforeMaintenance), Audible, _) => {
            (Next::Level(s.reached(level)), Some((Reminder, Reason::AfterMaintenance)))
        }

        (Open(level, UpToDate), Audible, Turn::SettledBad) => {
            (Next::Level(s.reached(level)), Some((Escalated, Reason::Settled)))
        }
        (Open(level, UpToDate), Audible, turn) => match (s.climb(Some(level)), turn) {
            (Some((higher, _)), Turn::Worse) => (Next::Level(higher), Some((Escalated, Reason::Worse))),
            (Some((higher, reason)), _) => (Next::Level(higher), Some((Escalated, reason))),
            (None, Turn::Worse) => (Next::Stay, Some((Escalated, Reason::Worse))),
            (None, _) if s.until_reminder(level) == Some(Duration::ZERO) => {
                (Next::Stay, Some((Reminder, Reason::Repeat)))
            }
            (None, _) => QUIET,
        },
    }
}

const QUIET: Decision = (Next::Stay, None);

impl Situation<'_> {
    /// How long until [`decide`] says something if nothing but time passes.
    pub(crate) fn silent_for(&self) -> Option<Duration> {
        match (self.stage, self.muting) {
            (_, Muted) | (Stage::Closed | Stage::Flapping(_, Told::UpToDate), _) => None,
            (Stage::Open(level, Told::UpToDate), Audible) => {
                let next = self.ladder.level_at(level.saturating_add(1));
                let climb = self.trouble.zip(next);
                let until_climb =
                    climb.and_then(|(trouble, next)| trouble.remaining(next.after, self.elapsed));
                [until_climb, self.until_reminder(level)].into_iter().flatten().min()
            }
            (Stage::Held | Stage::Open(..) | Stage::Flapping(..), Audible) => Some(Duration::ZERO),
        }
    }

    /// The level on which an incident begins, and by what.
    fn opens(&self) -> Option<(u32, Reason)> {
        if self.turn == Turn::Time { None } else { self.climb(None) }
    }

    /// Goes up rung by rung as long as the next one's condition holds: the highest level reached, and by what.
    fn climb(&self, from: Option<u32>) -> Option<(u32, Reason)> {
        let trouble = self.trouble?;
        let mut reached = None;
        let mut index = from.map_or(0, |level| level.saturating_add(1));
        while let Some(level) = self.ladder.level_at(index) {
            if !trouble.meets(level.after, self.elapsed) {
                break;
            }
            reached = Some((index, trouble.reason(level.after)));
            index = index.saturating_add(1);
        }
        reached
    }

    /// The level to be on from `level`.
    fn reached(&self, level: u32) -> u32 {
        self.climb(Some(level)).map_or(level, |(higher, _)| higher)
    }

    fn until_reminder(&self, level: u32) -> Option<Duration> {
        let repeat = self.ladder.rung(level).repeat.filter(|repeat| !repeat.is_zero())?;
        Some(repeat.saturating_sub(self.since_alert))
    }
}

#[cfg(test)]
mod tests;
