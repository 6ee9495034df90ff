//! Signs of life to a dead man's switch elsewhere, sent only while checks are really made and reach the disk.

use std::sync::Arc;
use std::time::Duration;

use pihook_core::liveness::{Lifeless, Progress, alive};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::sinks::Ping;
use crate::store::Store;
use crate::words::chain;

/// How long the disk may take before a sign of life. It is more than SQLite waits for a lock.
const DISK: Duration = Duration::from_secs(10);

/// A dead man's switch.
#[derive(Clone, Debug)]
pub struct Watchdog {
    /// Where signs of life go.
    pub ping: Ping,
    /// How often.
    pub interval: Duration,
}

/// Sends signs of life.
pub struct Reporter {
    /// Has to take writes.
    pub store: Store,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// How far the engine has come.
    pub progress: watch::Receiver<Progress>,
}

impl Reporter {
    /// Sends signs of life until shutdown, always to the newest address.
    pub async fn run(self, mut target: watch::Receiver<Option<Arc<Watchdog>>>, mut shutdown: Shutdown) {
        loop {
            let current = target.borrow_and_update().clone();
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                Ok(()) = target.changed() => {}
                () = self.report(current) => {}
            }
        }
    }

    async fn report(&self, watchdog: Option<Arc<Watchdog>>) {
        let Some(watchdog) = watchdog else { return std::future::pending().await };
        let pause = (watchdog.interval / 10).clamp(Duration::from_secs(1), Duration::from_secs(10));
        let mut told = 0;
        let mut silent = false;
        loop {
            let began = Instant::now();
            match self.attempt(&watchdog.ping, told).await {
                Ok(checked) => {
                    told = checked;
                    if std::mem::take(&mut silent) {
                        info!("the watchdog gets signs of life again");
                    }
                    sleep_until(began + watchdog.interval).await;
                }
                Err(why) => {
                    // Before the first check there is nothing to warn of.
                    if self.progress.borrow().checked > 0 && !std::mem::replace(&mut silent, true) {
                        warn!("the watchdog gets no sign of life: {why}");
                    }
                    sleep(pause).await;
                }
            }
        }
    }

    /// Gives one sign of life; returns how many checks had ended then.
    async fn attempt(&self, ping: &Ping, told: u64) -> Result<u64, String> {
        let progress = *self.progress.borrow();
        alive(progress, told, self.clock.now().uptime).map_err(why)?;
        match timeout(DISK, self.store.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(chain(&error)),
            Err(_elapsed) => return Err("the disk does not answer".to_owned()),
        }
        ping.send().await?;
        Ok(progress.checked)
    }
}

fn why(lifeless: Lifeless) -> String {
    match lifeless {
        Lifeless::NothingChecked => "no check has ended since the last one".to_owned(),
        Lifeless::Overdue(late) => format!("a check should have started {} s ago", late.as_secs()),
    }
}
