//! How long a worker waits for its sink, and what it does when that is too long.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::{Going, Stopped, Worker};
use crate::tasks::deliver::batch::Batch;

/// Whether a batch is still the worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Still {
    Mine,
    /// Its fallback tells it, or it waits for the end of quiet hours.
    Elsewhere,
}

impl Worker {
    /// Waits after an attempt that began at this time and failed. Meanwhile patience may end, or quiet hours begin.
    pub(super) async fn wait_after(
        &self,
        attempt: Instant,
        wait: Duration,
        batch: &Batch,
        going: &mut Going,
    ) -> Result<Still, Stopped> {
        let since = *going.failing_since.get_or_insert(attempt);
        let Some(fallback) = &self.outlet.policy.fallback else {
            self.pause(wait).await?;
            return self.after_a_wait(batch).await;
        };
        let patience = fallback.after.saturating_sub(since.elapsed());
        self.pause(wait.min(patience)).await?;
        if since.elapsed() >= fallback.after {
            self.redirect().await?;
            return Ok(Still::Elsewhere);
        }
        self.after_a_wait(batch).await
    }

    async fn after_a_wait(&self, batch: &Batch) -> Result<Still, Stopped> {
        if !self.is_held(batch) {
            return Ok(Still::Mine);
        }
        self.put_back(&batch.ids()).await?;
        Ok(Still::Elsewhere)
    }

    /// Has the fallback told all that waits, if there is one.
    pub(super) async fn redirect(&self) -> Result<(), Stopped> {
        let Some(fallback) = &self.outlet.policy.fallback else { return Ok(()) };
        let now = self.now();
        let store = &self.deliverer.store;
        let alerts = self.persist(|| store.redirect(&self.id, &fallback.sink, now)).await?;
        if alerts > 0 {
            warn!(sink = %self.id, fallback = %fallback.sink, alerts, "the sink takes nothing, so its fallback is told");
        }
        Ok(())
    }
}
