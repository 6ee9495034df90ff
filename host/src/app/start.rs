//! Starts the daemon's parts in their order.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use pihook_core::maintenance::{Maintenance, NagState};
use pihook_core::monitor::Monitor;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tracing::info;

use super::daemon::{Daemon, RunError};
use super::reload::{InUse, Running};
use super::served::{Served, Sources};
use super::watch::{ConfigWatch, FlagWatch};
use super::{DATABASE, Prepared, assemble, flag, heartbeats, own, served, shown};
use crate::checks::{CanaryRunner, PluginRunner, PluginStandings};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Command, Engine, EngineHandle};
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::tasks::deliver::{Deliverer, Standings};
use crate::tasks::trouble::TroubleTeller;
use crate::tasks::trouble::held::HeldTeller;
use crate::tasks::watchdog;
use crate::tasks::weekly::Weekly;
use crate::tasks::wording::{Conditions, PluginFormatter};
use crate::words::count;

/// What runs beside the daemon's own loop, until shutdown.
pub(super) struct Parts {
    pub(super) engine: JoinHandle<()>,
    pub(super) others: Vec<JoinHandle<()>>,
}

/// Starts everything. Whatever can fail does so before the first part runs.
#[expect(clippy::too_many_lines, reason = "a list of the parts in the order of their start")]
pub(super) async fn start(prepared: Prepared, shutdown: &Shutdown) -> Result<(Daemon, Parts), RunError> {
    let Prepared { config, host, library, sinks, watchdog, clock, probes, environment, stamps } = prepared;
    let database = config.data_dir.join(DATABASE);
    let store = Store::open(&database, config.history.commit_every)?;
    let come = own::daemon::note_start(&store, &database, clock.now()).await?;
    own::register(&store, &config).await?;
    let beats = probes.heartbeats.clone();
    let (inlet, arrivals) = heartbeats::open(&beats, &store, &config, clock.now()).await?;
    let runner = PluginRunner::new(clock.clone(), probes.clone(), store.load_kept().await?);
    runner.replace(library.clone(), assemble::specs(&config));
    let canaries = CanaryRunner::new(clock.clone(), probes, own::zones::specs(&config), runner.clone());
    let saved = store.load_state().await?;
    let lasting = store.lasting_maintenance().await?;
    let board = shown::board(&config, &database);
    board.read(shown::accepted(clock.now().wall));

    let (trouble, clocked, shown) = (store.trouble(), clock.clone(), board.clone());
    let (flag_watch, file) = FlagWatch::new(&config.maintenance_flag, clock.now());
    let flag = flag::understand(file, &config);
    let now = clock.now();
    flag.announce(now.wall);
    let monitor = Monitor::new(own::setup(&config, &library), flag.flag.clone(), saved, now);
    let (mut engine, handle) =
        Engine::new(monitor, Arc::new(canaries.clone()), store.clone(), clock.clone(), board.clone());
    engine.recall_maintenance(lasting);
    let (progress, lateness) = (engine.progress(), engine.lateness());
    let flag_changed = Arc::new(Notify::new());
    let (acknowledgements, acknowledged) = mpsc::channel(16);
    // Ends with the dashboard.
    tokio::spawn(served::pass_on(acknowledged, handle.clone()));
    let sources = Sources {
        database,
        clock: clocked,
        trouble: trouble.clone(),
        inlet,
        board: shown,
        progress: progress.clone(),
        acknowledgements,
        flag_changed: flag_changed.clone(),
    };
    let served = Served::start(sources, &config).await;
    let engine = tokio::spawn(engine.run(shutdown.clone()));
    let writer = heartbeats::writer(&beats, &store, &clock, &handle);
    let (service, outcome) = own::valid(&config, now.wall);
    handle.send(Command::Push(service, outcome)).await;
    info!("watching {}", count(config.services.len(), "service"));
    host.sweep_cache(&library);

    let zone = TimeZone::system();
    let formatter = PluginFormatter::new(library.clone(), clock.clone(), zone.clone());
    let formatter = Arc::new(formatter.with_history(config.data_dir.join(DATABASE)));
    let sinks = watch::Sender::new(Arc::new(sinks));
    let standings = watch::Sender::new(Standings::new());
    let deliverer = Deliverer {
        store: store.clone(),
        formatter: formatter.clone(),
        clock: clock.clone(),
        zone,
        standings: standings.clone(),
    };
    let maintenance = watch::Sender::new(Maintenance { flag: flag.flag, windows: config.windows.clone() });
    let (told, muted) = (sinks.subscribe(), maintenance.subscribe());
    let own_database = own::database();
    let teller = TroubleTeller {
        trouble,
        lost: store.lost(),
        sinks: told,
        maintenance: muted,
        clock: clock.clone(),
        database: own_database,
    };
    let held = HeldTeller { store: store.clone(), sinks: sinks.subscribe(), clock: clock.clone() };
    let watchdog = watch::Sender::new(watchdog);
    let reporter = watchdog::Reporter { store: store.clone(), clock: clock.clone(), progress };
    let policy = watch::Sender::new(assemble::policy(&config));
    let weekly = Weekly {
        store: store.clone(),
        database: config.data_dir.join(DATABASE),
        clock: clock.clone(),
        zone: TimeZone::system(),
        policy: policy.subscribe(),
        maintenance: maintenance.subscribe(),
        speaker: own::history(),
    };
    let come = own::daemon::Teller {
        start: come,
        policy: config.startup_message,
        engine: handle.clone(),
        store: store.clone(),
        clock: clock.clone(),
        board: board.clone(),
    };
    let mut others = vec![
        tokio::spawn(weekly.run(shutdown.clone())),
        tokio::spawn(come.run(shutdown.clone())),
        tokio::spawn(deliverer.run(sinks.subscribe(), shutdown.clone())),
        tokio::spawn(reporter.run(watchdog.subscribe(), shutdown.clone())),
        tokio::spawn(teller.run(shutdown.clone())),
        tokio::spawn(held.run(shutdown.clone())),
        tokio::spawn(writer.run(arrivals, shutdown.clone())),
    ];
    others.extend(look_at_itself(&config, &handle, &clock, shutdown));
    others.push(tokio::spawn(own::schedule::watch(
        lateness,
        handle.clone(),
        clock.clone(),
        shutdown.clone(),
    )));
    let plugins = runner.standings();
    let running = Running {
        path: config.path.clone(),
        environment,
        data_dir: config.data_dir.clone(),
        commit_every: config.history.commit_every,
        host,
        clock,
        runner,
        canaries,
        board,
        engine: handle,
        store,
        heartbeats: beats,
        formatter,
        sinks,
        watchdog,
        policy,
    };
    let daemon = Daemon {
        conditions: running.formatter.conditions(),
        running: Arc::new(running),
        in_use: InUse { config, library },
        config_watch: ConfigWatch::new(stamps),
        flag_watch,
        flag_nudged: flag_changed,
        maintenance,
        nag: NagState::default(),
        served,
        standings: standings.subscribe(),
        told: Standings::new(),
        conditions_told: Conditions::new(),
        plugins,
        plugins_told: PluginStandings::new(),
        reload: None,
        again: false,
    };
    Ok((daemon, Parts { engine, others }))
}

/// What PiHook watches of the machine under its own feet.
fn look_at_itself(
    config: &Config,
    engine: &EngineHandle,
    clock: &Arc<dyn Clock>,
    shutdown: &Shutdown,
) -> [JoinHandle<()>; 2] {
    let data_dir = config.data_dir.clone();
    [
        tokio::spawn(own::disk::watch(data_dir, engine.clone(), clock.clone(), shutdown.clone())),
        tokio::spawn(own::clock::watch(engine.clone(), clock.clone(), shutdown.clone())),
    ]
}

/// Keeps a second daemon away from the same data: two would tell everything twice.
///
/// # Errors
/// If another holds the lock, or it cannot be made.
pub fn lock(data_dir: &Path) -> Result<File, RunError> {
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
