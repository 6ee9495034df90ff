//! The way from whoever takes signs of life in to whoever writes them.

use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Moment, ServiceId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Heartbeats, Sign};

/// Signs of life that may wait for the writer; whoever comes next waits with them.
const QUEUE: usize = 64;
/// How long an answer is waited for. It is more than SQLite waits for a lock, so what is longer is a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(8);

/// A sign of life that is to be written.
#[derive(Debug)]
pub struct Arrival {
    /// Whose.
    pub service: ServiceId,
    /// When it came.
    pub at: Moment,
    /// What it says.
    pub sign: Sign,
    /// Hears once it is on disk.
    pub answer: oneshot::Sender<Result<(), Refused>>,
}

/// Why a sign of life is not on disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its service is not waited for any more.
    #[error("it is not waited for any more")]
    Gone,
    /// So many came at once that this one was passed over.
    #[error("too many came at once: only the newest are kept")]
    TooMany,
    /// The database cannot be written.
    #[error("the database cannot be written: {0}")]
    Unwritten(String),
    /// PiHook is about to end.
    #[error("PiHook is stopping")]
    Stopping,
}

/// Takes signs of life in.
#[derive(Clone, Debug)]
pub struct Inlet {
    heartbeats: Arc<Heartbeats>,
    arrivals: mpsc::Sender<Arrival>,
}

/// An inlet, and where it leads.
#[must_use]
pub fn inlet(heartbeats: Arc<Heartbeats>) -> (Inlet, mpsc::Receiver<Arrival>) {
    let (arrivals, receiver) = mpsc::channel(QUEUE);
    (Inlet { heartbeats, arrivals }, receiver)
}

impl Inlet {
    /// Whose token this is.
    #[must_use]
    pub fn owner(&self, token: &str) -> Option<ServiceId> {
        self.heartbeats.owner(token)
    }

    /// They are heard from now on.
    pub fn open(&self, now: Moment) {
        self.heartbeats.listen(now);
    }

    /// They are not heard any more.
    pub fn close(&self) {
        self.heartbeats.stop_listening();
    }

    /// Returns once the sign of life is on disk.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn take(&self, service: ServiceId, sign: Sign, at: Moment) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        let arrival = Arrival { service, at, sign, answer };
        let written = async {
            self.arrivals.send(arrival).await.map_err(|_| Refused::Stopping)?;
            answered.await.map_err(|_| Refused::Stopping)?
        };
        let late = |_| Refused::Unwritten("the disk does not answer".to_owned());
        timeout(PATIENCE, written).await.map_err(late)?
    }
}
