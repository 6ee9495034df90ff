//! Starts the daemon's parts in their order.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use pihook_core::monitor::Monitor;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::info;

use super::daemon::{Daemon, RunError};
use super::reload::{InUse, Running};
use super::served::{Served, Sources};
use super::watch::{ConfigWatch, FlagWatch};
use super::{DATABASE, Prepared, assemble, flag, heartbeats, own};
use crate::checks::PluginRunner;
use crate::engine::{Command, Engine};
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::tasks::deliver::{Deliverer, Standings};
use crate::tasks::trouble::TroubleTeller;
use crate::tasks::weekly::Weekly;
use crate::tasks::wording::PluginFormatter;
use crate::words::count;

/// What runs beside the daemon's own loop, until shutdown.
pub(super) struct Parts {
    pub(super) engine: JoinHandle<()>,
    pub(super) others: Vec<JoinHandle<()>>,
}

#[expect(clippy::too_many_lines, reason = "the order of the start, in one place")]
/// Starts everything. Whatever can fail does so before the first part runs.
pub(super) async fn start(prepared: Prepared, shutdown: &Shutdown) -> Result<(Daemon, Parts), RunError> {
    let Prepared { config, host, library, sinks, clock, probes, environment, stamps } = prepared;
    let store = Store::open(&config.data_dir.join(DATABASE), config.history.commit_every)?;
    own::register(&store, &config).await?;
    let beats = probes.heartbeats.clone();
    let (inlet, arrivals) = heartbeats::open(&beats, &store, &config, clock.now()).await?;
    let runner = PluginRunner::new(clock.clone(), probes, store.load_kept().await?);
    runner.replace(library.clone(), assemble::specs(&config));
    let saved = store.load_state().await?;

    let trouble = store.trouble();
    let database = config.data_dir.join(DATABASE);
    let sources = Sources { database, clock: clock.clone(), trouble: trouble.clone(), inlet };
    let served = Served::start(sources, &config.dashboard).await;
    let (flag_watch, file) = FlagWatch::new(&config.maintenance_flag);
    let flag = flag::understand(file, &config);
    let now = clock.now();
    flag.announce(now.wall);
    let monitor = Monitor::new(own::with_own(&config), flag.flag.clone(), saved, now);
    let (engine, handle) = Engine::new(monitor, Arc::new(runner.clone()), store.clone(), clock.clone());
    let engine = tokio::spawn(engine.run(shutdown.clone()));
    let writer = heartbeats::writer(&beats, &store, &clock, &handle);
    let (service, outcome) = own::valid(&config, now.wall);
    handle.send(Command::Push(service, outcome)).await;
    info!("watching {}", count(config.services.len(), "service"));
    host.sweep_cache(&library);

    let zone = TimeZone::system();
    let formatter = Arc::new(PluginFormatter::new(library.clone(), clock.clone(), zone.clone()));
    let sinks = watch::Sender::new(Arc::new(sinks));
    let standings = watch::Sender::new(Standings::new());
    let deliverer = Deliverer {
        store: store.clone(),
        formatter: formatter.clone(),
        clock: clock.clone(),
        zone,
        standings: standings.clone(),
    };
    let flag = watch::Sender::new(flag.flag);
    let teller = TroubleTeller {
        trouble,
        sinks: sinks.subscribe(),
        flag: flag.subscribe(),
        clock: clock.clone(),
        database: own::database(),
    };
    let policy = watch::Sender::new(assemble::policy(&config));
    let weekly = Weekly {
        store: store.clone(),
        database: config.data_dir.join(DATABASE),
        clock: clock.clone(),
        zone: TimeZone::system(),
        policy: policy.subscribe(),
        flag: flag.subscribe(),
        speaker: own::history(),
    };
    let others = vec![
        tokio::spawn(weekly.run(shutdown.clone())),
        tokio::spawn(deliverer.run(sinks.subscribe(), shutdown.clone())),
        tokio::spawn(teller.run(shutdown.clone())),
        tokio::spawn(writer.run(arrivals, shutdown.clone())),
    ];
    let running = Running {
        path: config.path.clone(),
        environment,
        data_dir: config.data_dir.clone(),
        commit_every: config.history.commit_every,
        host,
        clock,
        runner,
        engine: handle,
        store,
        heartbeats: beats,
        formatter,
        sinks,
        policy,
    };
    let daemon = Daemon {
        running: Arc::new(running),
        in_use: InUse { config, library },
        config_watch: ConfigWatch::new(stamps),
        flag_watch,
        flag,
        served,
        standings: standings.subscribe(),
        told: Standings::new(),
        reload: None,
        again: false,
    };
    Ok((daemon, Parts { engine, others }))
}

/// Keeps a second daemon away from the same data: two would tell everything twice.
pub(super) fn lock(data_dir: &Path) -> Result<File, RunError> {
    let path = data_dir.join("pihook.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| RunError::Lock(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::AlreadyRunning(data_dir.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(RunError::Lock(path, error)),
    }
}
