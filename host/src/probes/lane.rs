//! Calls that block and may hang: only so many at once, so that a dead disk does not take all of the runtime's threads.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::net::spelled;

/// Why a call returned nothing. The text is a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stuck {
    /// It takes too long, the wait for a place included.
    #[error("{0}")]
    Late(String),
    /// It broke off.
    #[error("{0}")]
    Broke(String),
}

/// Admits calls. One that hangs keeps its place until it ends, whoever still waits for it.
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// What the call returns, once there is a place for it. `what` it does is for messages, such as `reading the
    /// ca_file`.
    ///
    /// # Errors
    /// If it takes too long, the wait for a place included.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        what: &str,
        within: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stuck> {
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
            Ok(Err(error)) => Err(Stuck::Broke(format!("{what} failed: {error}"))),
            Err(_) => {
                Err(Stuck::Late(format!("{what} took longer than {}: does its disk hang?", spelled(within))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn what_hangs_is_given_up_and_keeps_its_place() {
        let lane = Lane::new(1);
        let (release, released) = sync_channel::<()>(0);
        let hang = move || {
            let _ = released.recv();
        };
        let error = lane.run("reading", Duration::from_millis(20), hang).await.unwrap_err();
        assert_eq!(error, Stuck::Late("reading took longer than 20 ms: does its disk hang?".to_owned()));
        lane.run("reading", Duration::from_millis(20), || ()).await.expect_err("its place is taken");
        let waiting = lane.run("reading", Duration::from_secs(10), || ());
        drop(release);
        waiting.await.expect("the place is free again");
    }

    #[tokio::test]
    async fn more_than_there_are_places_for_take_turns() {
        let lane = Arc::new(Lane::new(2));
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let lane = lane.clone();
            calls.spawn(async move { lane.run("reading", Duration::from_secs(20), || ()).await });
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
    }
}
