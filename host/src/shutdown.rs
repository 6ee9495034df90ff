//! Telling every task to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A signal that is given once and stays.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Gives the signal.
#[derive(Debug)]
pub struct ShutdownSender(watch::Sender<bool>);

/// A signal that has not been given yet.
#[must_use]
pub fn channel() -> (ShutdownSender, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownSender(sender), Shutdown(receiver))
}

impl ShutdownSender {
    /// Gives the signal; again is harmless.
    pub fn shut_down(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Returns once the signal is given, or nobody is left to give it.
    pub async fn requested(&mut self) {
        let _ = self.0.wait_for(|given| *given).await;
    }

    /// Whether it is given.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// The receiver behind it, for whoever selects over several.
    #[must_use]
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }
}

/// What a person or a service manager asks of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// Listens for the signals that a daemon obeys.
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes the signals over from their default actions.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next request.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hang_up.recv() => Request::Reload,
        }
    }
}
