//! Calls that block: only so many at once, and none is waited for longer than its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Why a call that blocks returned nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// It takes too long. It goes on and keeps its place until it ends.
    #[error("took longer than {} ms", .0.as_millis())]
    Late(Duration),
    /// It panicked.
    #[error("broke off")]
    Broken,
}

/// Admits calls that block.
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// What the call returns, on a thread where it may block, once there is a place for it.
    ///
    /// # Errors
    /// [`Lost`] if it takes too long, the wait for a place included, or panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let whole = async {
            // Never closed, so there is always a place in the end.
            let permit = self.0.clone().acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                call()
            })
            .await
        };
        match timeout(within, whole).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(Lost::Broken),
            Err(_) => Err(Lost::Late(within)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn what_hangs_is_given_up_and_keeps_its_place() {
        let places = Places::new(1);
        let (release, released) = sync_channel::<()>(0);
        let hang = move || {
            let _ = released.recv();
        };
        let short = Duration::from_millis(20);
        assert_eq!(places.run(short, hang).await, Err(Lost::Late(short)));
        places.run(short, || ()).await.expect_err("its place is taken");
        let waiting = places.run(Duration::from_secs(10), || ());
        drop(release);
        waiting.await.expect("the place is free again");
    }
}
