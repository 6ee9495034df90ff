//! What a worker does while its sink refuses everything.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::{Stopped, Worker};
use crate::tasks::deliver::Standing;

/// How often a disabled sink is asked whether it works again: a provider's own trouble may look like a webhook that was
/// deleted.
const ASK_AGAIN: Duration = Duration::from_secs(6 * 3600);

impl Worker {
    /// Notes that the sink is not to be used, and returns once it may be again.
    pub(super) async fn disabled(&self, why: &str) -> Result<(), Stopped> {
        let (now, fingerprint) = (self.now(), self.outlet.sink.fingerprint());
        warn!(sink = %self.id, "the sink is disabled until it works again or its configuration changes; its alerts are kept: {why}");
        self.persist(|| self.deliverer.store.disable_sink(&self.id, &fingerprint, why, now)).await?;
        self.stands(Standing::Disabled(why.to_owned()));
        self.next_question().await?;
        self.until_enabled().await
    }

    /// Recalls whether the sink was disabled before the restart. Returns once it may be used.
    pub(super) async fn recall(&self) -> Result<(), Stopped> {
        let disabled = self.persist(|| self.deliverer.store.disabled_sinks()).await?;
        match disabled.into_iter().find(|disabled| disabled.sink == self.id) {
            None => Ok(()),
            Some(disabled) if disabled.fingerprint == self.outlet.sink.fingerprint() => {
                warn!(sink = %self.id, "the sink was disabled at {}: {}", disabled.at, disabled.reason);
                self.stands(Standing::Disabled(disabled.reason));
                self.until_enabled().await
            }
            Some(_) => {
                info!(sink = %self.id, "the sink's configuration has changed, so it is enabled again");
                self.persist(|| self.deliverer.store.enable_sink(&self.id)).await
            }
        }
    }

    /// Asks the sink, now and again, whether it works, until it does.
    async fn until_enabled(&self) -> Result<(), Stopped> {
        while let Err(why) = self.until_stop(self.outlet.sink.ask()).await? {
            info!(sink = %self.id, "the sink stays disabled: {why}");
            self.next_question().await?;
        }
        info!(sink = %self.id, "the sink says that it works, so it is enabled again");
        self.persist(|| self.deliverer.store.enable_sink(&self.id)).await
    }

    /// Returns when it is time to ask, or when somebody wants it. Meanwhile the fallback tells what comes.
    async fn next_question(&self) -> Result<(), Stopped> {
        let mut added = self.deliverer.store.deliveries_added();
        let due = Instant::now() + ASK_AGAIN;
        loop {
            self.redirect().await?;
            let asked = async {
                tokio::select! {
                    () = self.ask.notified() => true,
                    () = sleep_until(due) => true,
                    Ok(()) = added.changed(), if self.outlet.policy.fallback.is_some() => false,
                }
            };
            if self.until_stop(asked).await? {
                return Ok(());
            }
        }
    }
}
