//! What flapping makes of an outcome.

use super::Watched;
use crate::escalation::Turn;
use crate::event::Muting;
use crate::flap::Seen;
use crate::{Outcome, Status};

impl Watched {
    /// Takes the outcome into account, and says what it brings: `turn` is what it would bring without flapping. What
    /// happens under maintenance is expected to change and does not count.
    pub(super) fn flap(&mut self, outcome: &Outcome, turn: Turn) -> Turn {
        let Some(flap) = self.service.flap else { return turn };
        let seen = match outcome.status {
            Status::Up => Seen::Good,
            Status::Degraded | Status::Down => Seen::Bad,
            Status::Unknown => return turn,
        };
        if self.muting == Muting::Muted {
            return turn;
        }
        self.state.outcomes = flap.with(self.state.outcomes, seen);
        let outcomes = self.state.outcomes;
        let well = self.state.good_streak >= self.service.recover_after.get();
        let Some(incident) = self.state.incident.as_mut().filter(|incident| incident.flapping) else {
            // A good outcome has nothing to begin an incident with; the next bad one is not far.
            return if seen == Seen::Bad && flap.enters(outcomes) { Turn::Flaps } else { turn };
        };
        if !flap.leaves(outcomes) {
            return turn;
        }
        match seen {
            Seen::Good if !well => turn,
            Seen::Good => Turn::Settled,
            Seen::Bad => {
                incident.flapping = false;
                Turn::SettledBad
            }
        }
    }

    /// It flaps from now on.
    pub(super) fn start_flapping(&mut self) {
        if let Some(incident) = &mut self.state.incident {
            incident.flapping = true;
        }
    }

    /// Flapping is not watched any more.
    pub(super) fn forget_flapping(&mut self) {
        self.state.outcomes = 0;
        if let Some(incident) = &mut self.state.incident {
            incident.flapping = false;
        }
    }
}
