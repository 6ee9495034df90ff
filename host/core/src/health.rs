//! Streaks: how many equal outcomes in a row, and what kind of trouble they make.

use std::time::Duration;

use crate::saved::SavedService;
use crate::{After, Ladder, Outcome, Reason, Service, Status};

/// PiHook waits this many times as long before it says that it cannot tell.
const UNKNOWN_PATIENCE: u32 = 2;

/// The trouble that the newest outcome is part of. A bad streak that `Unknown` interrupts is neither advanced nor
/// looked at until the next bad outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// So many bad outcomes in a row.
    Bad(u32),
    /// So many outcomes in a row that could not tell.
    Unknown(u32),
}

impl Trouble {
    /// None while the newest definite outcome was good and nothing unknown followed it.
    pub(crate) fn of(state: &SavedService) -> Option<Self> {
        match (state.unknown_streak, state.bad_streak) {
            (0, 0) => None,
            (0, bad) => Some(Trouble::Bad(bad)),
            (unknown, _) => Some(Trouble::Unknown(unknown)),
        }
    }

    /// Whether what a level waits for has come, `elapsed` after the trouble began.
    pub(crate) fn meets(self, after: After, elapsed: Duration) -> bool {
        self.remaining(after, elapsed) == Some(Duration::ZERO)
    }

    /// How an alert explains a level that was reached.
    pub(crate) fn reason(self, after: After) -> Reason {
        match (self, after) {
            (Trouble::Unknown(_), _) => Reason::CannotTell,
            (Trouble::Bad(_), After::Failures(_)) => Reason::Failures,
            (Trouble::Bad(_), After::Elapsed(_)) => Reason::Elapsed,
        }
    }

    /// How long until [`Trouble::meets`] if nothing but time passes; none if an outcome has to come first.
    pub(crate) fn remaining(self, after: After, elapsed: Duration) -> Option<Duration> {
        let (streak, patience) = match self {
            Trouble::Bad(streak) => (streak, 1),
            Trouble::Unknown(streak) => (streak, UNKNOWN_PATIENCE),
        };
        match after {
            After::Failures(count) => {
                (streak >= count.get().saturating_mul(patience)).then_some(Duration::ZERO)
            }
            After::Elapsed(time) => Some(time.saturating_mul(patience).saturating_sub(elapsed)),
        }
    }
}

/// Where streaks stop growing, so that the state of a service that stays as it is does not change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    bad: u32,
    unknown: u32,
    good: u32,
}

impl Limits {
    /// The highest counts that the ladder and `recover_after` ask for.
    pub(crate) fn of(service: &Service) -> Self {
        let bad = service.ladders().map(highest_count).max().unwrap_or(1);
        Self { bad, unknown: bad.saturating_mul(UNKNOWN_PATIENCE), good: service.recover_after.get() }
    }

    /// The part of the streaks of trouble that levels look at.
    pub(crate) fn counting(self, state: &SavedService) -> (u32, u32) {
        (state.bad_streak.min(self.bad), state.unknown_streak.min(self.unknown))
    }
}

/// At least 1, so that a ladder of times alone still tells calm from suspect.
fn highest_count(ladder: &Ladder) -> u32 {
    let counts = ladder.levels().map(|level| match level.after {
        After::Failures(count) => count.get(),
        After::Elapsed(_) => 1,
    });
    counts.max().unwrap_or(1)
}

/// Counts the outcome.
pub(crate) fn count(state: &mut SavedService, outcome: &Outcome, limits: Limits) {
    match outcome.status {
        Status::Up => {
            state.good_streak = grown(state.good_streak, limits.good);
            state.bad_streak = 0;
            state.unknown_streak = 0;
            if state.open_incident().is_none() {
                state.suspect_since = None;
                state.suspect_for = Duration::ZERO;
            }
        }
        Status::Degraded | Status::Down => {
            suspect(state, outcome);
            state.bad_streak = grown_in_trouble(state, state.bad_streak, limits.bad);
            state.good_streak = 0;
            state.unknown_streak = 0;
        }
        Status::Unknown => {
            suspect(state, outcome);
            state.unknown_streak = grown_in_trouble(state, state.unknown_streak, limits.unknown);
        }
    }
}

/// Starts the clock of a suspicion with its first outcome. A first bad outcome starts it anew, since what could not be
/// told before is not part of the outage; inside an incident the clock runs on.
fn suspect(state: &mut SavedService, outcome: &Outcome) {
    let first_bad = outcome.status.is_bad() && state.bad_streak == 0;
    if state.suspect_since.is_none() || (first_bad && state.open_incident().is_none()) {
        state.suspect_since = Some(outcome.at);
        state.suspect_for = Duration::ZERO;
    }
}

/// Before the incident all are counted, since its record wants to know how many there were.
fn grown_in_trouble(state: &SavedService, streak: u32, limit: u32) -> u32 {
    let limit = if state.open_incident().is_some() { limit } else { u32::MAX };
    grown(streak, limit)
}

/// One more, but not beyond the limit; a reload may have lowered that below what has been counted.
fn grown(streak: u32, limit: u32) -> u32 {
    streak.saturating_add(1).min(limit.max(streak))
}
