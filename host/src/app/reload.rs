//! Takes a changed configuration over while everything runs, or keeps the one that runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Outcome, ServiceId};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::judge::Broken;
use super::prepare::{Made, Read, make, read};
use super::watch::Stamps;
use super::{Environment, assemble, heartbeats, own, shown};
use crate::board::Board;
use crate::checks::{CanaryRunner, PluginRunner};
use crate::clock::Clock;
use crate::config::{Config, Problems};
use crate::engine::{Command, EngineHandle};
use crate::heartbeats::Heartbeats;
use crate::plugins::{Library, PluginHost};
use crate::store::Store;
use crate::tasks::deliver::SinkSet;
use crate::tasks::watchdog::Watchdog;
use crate::tasks::weekly::Policy;
use crate::tasks::wording::PluginFormatter;
use crate::words::{chain, count};

/// Everything that a changed configuration changes.
pub(super) struct Running {
    pub(super) path: PathBuf,
    pub(super) environment: Environment,
    /// Stays what it was at the start, and so does the next.
    pub(super) data_dir: PathBuf,
    pub(super) commit_every: Duration,
    pub(super) host: Arc<PluginHost>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runner: PluginRunner,
    pub(super) canaries: CanaryRunner,
    pub(super) board: Board,
    pub(super) engine: EngineHandle,
    pub(super) store: Store,
    pub(super) heartbeats: Arc<Heartbeats>,
    pub(super) formatter: Arc<PluginFormatter>,
    pub(super) sinks: watch::Sender<Arc<SinkSet>>,
    pub(super) watchdog: watch::Sender<Option<Arc<Watchdog>>>,
    pub(super) policy: watch::Sender<Policy>,
}

/// What came of a reload.
pub(super) struct Reloaded {
    /// What was read.
    pub(super) stamps: Stamps,
    /// What is in use now; none if the file is invalid, which was told, and nothing has changed.
    pub(super) adopted: Option<InUse>,
}

/// The configuration in use.
pub(super) struct InUse {
    pub(super) config: Config,
    pub(super) library: Arc<Library>,
}

impl Running {
    /// Reads the file again. May take minutes, when a plugin is to be compiled; `before` is the library in use.
    pub(super) async fn reload(self: Arc<Self>, before: Arc<Library>) -> Reloaded {
        let (stamps, read) = read(&self.path, &self.environment);
        let adopted = match self.make(read, &before).await {
            Ok(made) => Some(self.adopt(made).await),
            Err(problems) => {
                self.refuse(&problems).await;
                None
            }
        };
        Reloaded { stamps, adopted }
    }

    async fn make(&self, read: Read, before: &Library) -> Result<Made, Problems> {
        let (config, problems) = read?;
        make(config, problems, &self.host, &self.clock, Broken::RefusedIfIn(before)).await
    }

    /// Swaps everything. Nothing in here can fail.
    async fn adopt(&self, made: Made) -> InUse {
        let Made { config, library, sinks, watchdog } = made;
        self.warn_of_what_waits(&config);
        if let Err(error) = own::register(&self.store, &config).await {
            error!("the list of services is not on disk: {}", chain(&error));
        }
        heartbeats::follow_on(&self.heartbeats, &self.store, &config, self.clock.now()).await;
        // Whoever is addressed comes before whoever speaks: a service must be known to the runner before it is asked
        // for, and a sink to the deliverer before an alert is for it.
        self.runner.replace(library.clone(), assemble::specs(&config));
        self.canaries.replace(own::zones::specs(&config));
        self.formatter.replace(library.clone());
        self.sinks.send_replace(Arc::new(sinks));
        self.watchdog.send_replace(watchdog);
        self.policy.send_replace(assemble::policy(&config));
        self.board.list(assemble::listed(&config));
        self.engine.send(Command::Reconfigure(own::setup(&config, &library))).await;
        self.push(own::valid(&config, self.clock.now().wall)).await;
        self.board.read(shown::accepted(self.clock.now().wall));
        info!("configuration reloaded: {}", count(config.services.len(), "service"));
        self.host.sweep_cache(&library);
        InUse { config, library }
    }

    async fn refuse(&self, problems: &Problems) {
        for problem in problems.iter() {
            error!("{problem}");
        }
        warn!("the configuration is invalid; the one before goes on");
        self.push(own::invalid(problems, self.clock.now().wall)).await;
        self.board.read(shown::refused(problems, self.clock.now().wall));
    }

    fn warn_of_what_waits(&self, config: &Config) {
        if config.data_dir != self.data_dir {
            warn!("data_dir has changed: it is used after a restart");
        }
        if config.history.commit_every != self.commit_every {
            warn!("history.commit_every has changed: it is used after a restart");
        }
    }

    pub(super) async fn push(&self, (service, outcome): (ServiceId, Outcome)) {
        self.engine.send(Command::Push(service, outcome)).await;
    }
}
