//! An outcome that something else explains: history has it, and that is all.

use super::{Settled, Watched};
use crate::event::{Commit, Logged};
use crate::{Moment, Outcome, silence};

impl Watched {
    /// Takes an outcome in that does not count, since `cause` explains it. No streak moves and no clock of the ladder
    /// runs until an outcome counts again. What the check has of news is told all the same.
    pub(crate) fn observe_explained(&mut self, outcome: Outcome, cause: &str, now: Moment) -> Commit {
        self.age(now);
        let before = self.before();
        self.state.explained_by = Some(cause.to_owned());
        let alerts = self.tell_news(Some(&outcome), now);
        let outcome = silence::explained(outcome, cause);
        self.last = Some(outcome.clone());
        let settled = Settled { alerts, record: before.record.clone() };
        let mut commit = self.commit(&before, settled, now);
        commit.outcome = Some(Logged { outcome, maintenance: self.muting });
        commit
    }
}
