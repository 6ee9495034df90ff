//! Somebody sees to an incident: nothing is told of it any more but its end.

use super::{Settled, Watched};
use crate::event::{Commit, Urgency};
use crate::{AlertKind, IncidentId, Moment};

impl Watched {
    /// Whether somebody sees to the incident that is open.
    pub(crate) fn is_acknowledged(&self) -> bool {
        self.open_incident().is_some_and(|incident| incident.acknowledged.is_some())
    }

    /// Notes that somebody sees to this incident; nothing if it is not open, or was seen to already.
    pub(crate) fn acknowledge(&mut self, id: IncidentId, now: Moment) -> Option<Commit> {
        if self.is_acknowledged() || self.open_incident().is_none_or(|incident| incident.id != id) {
            return None;
        }
        self.age(now);
        let before = self.before();
        self.state.incident.as_mut()?.record.acknowledged = Some(now.wall);
        let settled = Settled { alerts: Vec::new(), record: self.record() };
        let commit = self.commit(&before, settled, now);
        Some(Commit { urgency: Urgency::AtOnce, ..commit })
    }

    /// Whether this may be told of the incident.
    pub(super) fn may_tell(&self, kind: AlertKind) -> bool {
        kind == AlertKind::Recovered || !self.is_acknowledged()
    }
}
