//! By how much checks start later than planned.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The worst lateness since somebody looked. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Lateness(Arc<Mutex<Duration>>);

impl Lateness {
    /// A check has started so late.
    pub(crate) fn note(&self, late: Duration) {
        let mut worst = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *worst = late.max(*worst);
    }

    /// The worst since this was last asked; zero if none was late, or none has started.
    #[must_use]
    pub fn take(&self) -> Duration {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
