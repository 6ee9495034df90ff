//! The dashboard while the daemon runs.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::clock::Clock;
use crate::config::{Auth, Badges as Shown, Dashboard as Wanted};
use crate::dashboard::{self, Badges, Channel, Credentials, Dashboard, Rendered};
use crate::heartbeats::Inlet;
use crate::shutdown::{self, ShutdownSender};

/// What a dashboard is made from, beside what services.yaml says of it.
pub(super) struct Sources {
    pub(super) database: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) trouble: watch::Receiver<Option<String>>,
    pub(super) inlet: Inlet,
    pub(super) board: Board,
}

/// The dashboard as it was last wanted.
pub(super) struct Served {
    sources: Sources,
    wanted: Wanted,
    running: Option<(ShutdownSender, JoinHandle<()>)>,
}

impl Served {
    /// Starts the dashboard, if it is wanted. Its port is open when this returns: the first check may be of it.
    pub(super) async fn start(sources: Sources, wanted: &Wanted) -> Self {
        let mut served = Self { sources, wanted: wanted.clone(), running: None };
        served.open().await;
        served
    }

    /// Starts it anew if it is wanted otherwise.
    pub(super) async fn follow(&mut self, wanted: &Wanted) {
        if self.wanted != *wanted {
            self.sources.inlet.close();
            self.stop().await;
            self.wanted = wanted.clone();
            self.open().await;
        }
    }

    /// Returns within about a second.
    pub(super) async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.shut_down();
            let _ = task.await;
        }
    }

    async fn open(&mut self) {
        let Wanted::At { listen, auth, badges } = &self.wanted else { return };
        let credentials = match auth {
            Auth::Open => None,
            Auth::Basic { user, password } => Some(Credentials::new(user, password)),
        };
        let dashboard = Dashboard {
            database: self.sources.database.clone(),
            credentials,
            badges: match badges {
                Shown::Guarded => Badges::Guarded,
                Shown::Public => Badges::Public,
            },
            clock: self.sources.clock.clone(),
            trouble: self.sources.trouble.clone(),
            inlet: self.sources.inlet.clone(),
            board: self.sources.board.clone(),
            channel: Channel::new(),
            rendered: Rendered::default(),
        };
        let Some(listener) = dashboard::bind(*listen).await else { return };
        self.sources.inlet.open(self.sources.clock.now());
        let (stop, stopped) = shutdown::channel();
        self.running = Some((stop, tokio::spawn(dashboard::run(listener, dashboard, stopped))));
    }
}
