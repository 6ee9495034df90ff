//! Takes a changed configuration over while everything runs, or keeps the one that runs.

use std::path::PathBuf;
use std::sync::Arc;

use pihook_core::Service;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{assemble, own, prepare};
use crate::checks::PluginRunner;
use crate::clock::Clock;
use crate::config::{self, Config, Problems};
use crate::engine::{Command, EngineHandle};
use crate::plugins::PluginHost;
use crate::store::Store;
use crate::tasks::deliver::SinkSet;
use crate::tasks::wording::PluginFormatter;
use crate::words::chain;

/// Everything that a changed configuration changes.
pub(super) struct Running {
    pub(super) path: PathBuf,
    pub(super) data_dir: PathBuf,
    pub(super) host: Arc<PluginHost>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runner: PluginRunner,
    pub(super) engine: EngineHandle,
    pub(super) store: Store,
    pub(super) formatter: Arc<PluginFormatter>,
    pub(super) sinks: watch::Sender<Arc<SinkSet>>,
}

impl Running {
    /// Reads the file again. `None`: it is invalid, which was told, and nothing has changed.
    pub(super) async fn reload(&self) -> Option<Config> {
        match self.read().await {
            Ok(config) => {
                self.push(own::valid(&config, self.clock.now().wall)).await;
                Some(config)
            }
            Err(problems) => {
                for problem in problems.iter() {
                    error!("{problem}");
                }
                warn!("the configuration is invalid; the one before goes on");
                self.push(own::invalid(&problems, self.clock.now().wall)).await;
                None
            }
        }
    }

    async fn read(&self) -> Result<Config, Problems> {
        let config = config::load(&self.path, &crate::cli::environment)?;
        let library = prepare::load(&self.host, &config).await;
        let mut problems = Problems::default();
        prepare::judge(&config, &library, &self.clock, &mut problems).await;
        let sinks = assemble::sinks(&config).map_err(|error| {
            let mut problems = Problems::default();
            problems.add(config.problem("sinks", chain(&error), "settings that the sink accepts".to_owned()));
            problems
        })?;
        if !problems.is_empty() {
            return Err(problems);
        }
        if config.data_dir != self.data_dir {
            warn!("data_dir has changed: it is used after a restart");
        }
        if let Err(error) = self.store.register(assemble::registered(&config)).await {
            error!("the list of services is not on disk: {}", chain(&error));
        }
        // The runner first: a service must be known there before it is asked for.
        self.runner.replace(library.clone(), assemble::specs(&config));
        self.formatter.replace(library);
        self.engine.send(Command::Reconfigure(services(&config))).await;
        self.sinks.send_replace(Arc::new(sinks));
        info!("configuration reloaded: {} services", config.services.len());
        Ok(config)
    }

    async fn push(&self, (service, outcome): (pihook_core::ServiceId, pihook_core::Outcome)) {
        self.engine.send(Command::Push(service, outcome)).await;
    }
}

/// The services that the monitor watches: the configured ones, and the configuration itself.
pub(super) fn services(config: &Config) -> Vec<Service> {
    let configured = config.services.iter().map(|service| service.service.clone());
    configured.chain(std::iter::once(own::configuration(config))).collect()
}
