//! Calls that block and may hang: only so many at once, so that a dead disk does not take all of the runtime's threads.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::HttpError;
use super::error::spelled;

/// Admits calls. One that hangs keeps its place until it ends, whoever still waits for it.
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// What the call returns. `what` it does is for messages, such as `reading the ca_file`.
    ///
    /// # Errors
    /// [`HttpError::Other`] if it takes too long, or too many others do.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        what: &str,
        within: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        let permit = self.0.clone().try_acquire_owned().map_err(|_| {
            HttpError::Other(format!("{what} was not tried: too many earlier attempts still hang"))
        })?;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            call()
        });
        match timeout(within, task).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(HttpError::Other(format!("{what} failed: {error}"))),
            Err(_) => Err(HttpError::Other(format!(
                "{what} took longer than {}: does its disk hang?",
                spelled(within)
            ))),
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
        assert_eq!(error, HttpError::Other("reading took longer than 20 ms: does its disk hang?".to_owned()));
        let error = lane.run("reading", Duration::from_secs(5), || ()).await.unwrap_err();
        assert!(matches!(error, HttpError::Other(text) if text.contains("was not tried")));
        drop(release);
        let free = async {
            while lane.run("reading", Duration::from_secs(5), || ()).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), free).await.expect("the place is free again");
    }
}
