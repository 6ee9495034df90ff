//! What the monitor has to know of a service: when to check it and when to speak of it, not how.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::{Flap, Ladder, ServiceId, Status, ZoneId};

/// When a service's outcomes arise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cadence {
    /// A check is started every so often; the duration is not zero.
    Every(Duration),
    /// Outcomes are pushed in by somebody else, such as the watch on the configuration file.
    Pushed,
}

/// One thing that is watched, reduced to what decisions need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its identity across restarts.
    pub id: ServiceId,
    /// What people call it.
    pub name: Arc<str>,
    /// The zone it belongs to.
    pub zone: ZoneId,
    /// When its outcomes arise.
    pub cadence: Cadence,
    /// Consecutive good outcomes that end an incident.
    pub recover_after: NonZeroU32,
    /// The services without which it cannot be reached. Those that are not watched are of no account.
    pub depends_on: Vec<ServiceId>,
    /// When it counts as flapping; never if none.
    pub flap: Option<Flap>,
    /// When, how loudly and to whom.
    pub ladder: Arc<Ladder>,
    /// The same for what was never worse than degraded; as above if none.
    pub degraded: Option<Arc<Ladder>>,
}

impl Service {
    /// The ladder of an incident that was never worse than this.
    #[must_use]
    pub fn ladder_for(&self, worst: Status) -> &Ladder {
        match &self.degraded {
            Some(degraded) if worst == Status::Degraded => degraded,
            _ => &self.ladder,
        }
    }

    /// Both ladders, or the one.
    pub(crate) fn ladders(&self) -> impl Iterator<Item = &Ladder> {
        [Some(&self.ladder), self.degraded.as_ref()].into_iter().flatten().map(|ladder| &**ladder)
    }
}
