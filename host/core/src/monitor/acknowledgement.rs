//! Acknowledgement of an incident.

use super::{Effect, Monitor};
use crate::{IncidentId, Moment};

impl Monitor {
    /// Whether this incident is open.
    #[must_use]
    pub fn has_open(&self, incident: IncidentId) -> bool {
        self.place_of(incident).is_some()
    }

    pub(super) fn acknowledge(&mut self, incident: IncidentId, now: Moment, effects: &mut Vec<Effect>) {
        let Some(index) = self.place_of(incident) else { return };
        let Some(watched) = self.watched.get_mut(index) else { return };
        effects.extend(watched.acknowledge(incident, now).map(Effect::Commit));
        self.speakers.set(index, watched.speaks_at());
    }

    fn place_of(&self, incident: IncidentId) -> Option<usize> {
        self.watched
            .iter()
            .position(|watched| watched.open_incident().is_some_and(|open| open.id == incident))
    }
}
