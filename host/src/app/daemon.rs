//! The daemon: starts the parts, passes on what happens outside, and stops them in order.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use pihook_core::monitor::Monitor;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::reload::{Running, services};
use super::watch::{ConfigWatch, FlagWatch, PERIOD};
use super::{DATABASE, Prepared, SinkError, assemble, own};
use crate::checks::PluginRunner;
use crate::clock::Clock;
use crate::config::{Auth, Config, Dashboard};
use crate::dashboard;
use crate::engine::{Command, Engine};
use crate::maintenance::FlagFile;
use crate::shutdown::{self, Request, Shutdown, Signals};
use crate::store::{Store, StoreError};
use crate::tasks::deliver::Deliverer;
use crate::tasks::wording::PluginFormatter;
use crate::words::chain;

/// How long all parts together may take to stop. Service managers kill after ten seconds.
const STOP: Duration = Duration::from_secs(8);

/// Why the daemon did not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Another daemon uses the same data.
    #[error("another pihook is running on {}", .0.display())]
    AlreadyRunning(PathBuf),
    /// The lock file cannot be used.
    #[error("cannot lock {}", .0.display())]
    Lock(PathBuf, #[source] std::io::Error),
    /// The database cannot be used.
    #[error("cannot use the database")]
    Store(#[from] StoreError),
    /// Signals cannot be received.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    /// A sink cannot be set up.
    #[error("cannot set the sinks up")]
    Sink(#[from] SinkError),
    /// A part that must not end has ended.
    #[error("the engine has stopped; the log says why")]
    EngineStopped,
}

/// Runs until a signal says stop.
///
/// # Errors
/// If the daemon cannot start, or its engine breaks.
pub async fn run(prepared: Prepared) -> Result<(), RunError> {
    let mut signals = Signals::listen().map_err(RunError::Signals)?;
    let _lock = lock(&prepared.config.data_dir)?;
    let (stop, shutdown) = shutdown::channel();
    let Started { running, mut engine, others, mut config_watch, mut flag_watch } =
        start(prepared, &shutdown).await?;
    let mut look = interval(PERIOD);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        tokio::select! {
            request = signals.next() => match request {
                Request::Stop => break Ok(()),
                Request::Reload => reload(&running, &mut config_watch, &mut flag_watch).await,
            },
            _ = look.tick() => {
                if config_watch.changed() {
                    reload(&running, &mut config_watch, &mut flag_watch).await;
                }
                if let Some(flag) = flag_watch.changed() {
                    announce(&flag);
                    running.engine.send(Command::Maintenance(flag.flag)).await;
                }
            }
            _ = &mut engine => break Err(RunError::EngineStopped),
        }
    };
    info!("stopping");
    stop.shut_down();
    let parts = async {
        if ended.is_ok() {
            let _ = engine.await;
        }
        for part in others {
            let _ = part.await;
        }
        running.store.close().await
    };
    match timeout(STOP, parts).await {
        Ok(Ok(())) => info!("stopped"),
        Ok(Err(error)) => warn!("stopped, but the database could not be closed: {}", chain(&error)),
        Err(_) => warn!("stopped without waiting for the last part"),
    }
    ended
}

struct Started {
    running: Running,
    engine: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
    config_watch: ConfigWatch,
    flag_watch: FlagWatch,
}

async fn start(prepared: Prepared, shutdown: &Shutdown) -> Result<Started, RunError> {
    let Prepared { config, host, library, clock, probe } = prepared;
    let store = Store::open(&config.data_dir.join(DATABASE), config.history.commit_every)?;
    store.register(assemble::registered(&config)).await?;
    let runner = PluginRunner::new(clock.clone(), probe, store.load_kept().await?);
    runner.replace(library.clone(), assemble::specs(&config));
    let mut others: Vec<JoinHandle<()>> = serve(&config, &clock, shutdown).await.into_iter().collect();
    let config_watch = ConfigWatch::new(&config);
    let (flag_watch, flag) = FlagWatch::new(&config.maintenance_flag);
    announce(&flag);
    let now = clock.now();
    let monitor = Monitor::new(services(&config), flag.flag, store.load_state().await?, now);
    let (engine, handle) = Engine::new(monitor, Arc::new(runner.clone()), store.clone(), clock.clone());
    let engine = tokio::spawn(engine.run(shutdown.clone()));
    let (service, outcome) = own::valid(&config, now.wall);
    handle.send(Command::Push(service, outcome)).await;
    info!("watching {} services", config.services.len());

    let zone = TimeZone::system();
    let formatter = Arc::new(PluginFormatter::new(library, clock.clone(), zone.clone()));
    let sinks = watch::Sender::new(Arc::new(assemble::sinks(&config)?));
    let deliverer =
        Deliverer { store: store.clone(), formatter: formatter.clone(), clock: clock.clone(), zone };
    others.push(tokio::spawn(deliverer.run(sinks.subscribe(), shutdown.clone())));
    let running = Running {
        path: config.path,
        data_dir: config.data_dir,
        host,
        clock,
        runner,
        engine: handle,
        store,
        formatter,
        sinks,
    };
    Ok(Started { running, engine, others, config_watch, flag_watch })
}

/// Starts the dashboard, if it is wanted. Its port is open when this returns: the first check may be of it.
async fn serve(config: &Config, clock: &Arc<dyn Clock>, shutdown: &Shutdown) -> Option<JoinHandle<()>> {
    let Dashboard::At { listen, auth } = &config.dashboard else { return None };
    let credentials = match auth {
        Auth::Open => None,
        Auth::Basic { user, password } => Some(dashboard::Credentials::new(user, password)),
    };
    let dashboard =
        dashboard::Dashboard { database: config.data_dir.join(DATABASE), credentials, clock: clock.clone() };
    let listener = dashboard::bind(*listen).await?;
    Some(tokio::spawn(dashboard::run(listener, dashboard, shutdown.clone())))
}

async fn reload(running: &Running, config_watch: &mut ConfigWatch, flag_watch: &mut FlagWatch) {
    let Some(config) = running.reload().await else { return };
    *config_watch = ConfigWatch::new(&config);
    let (watch, flag) = FlagWatch::new(&config.maintenance_flag);
    *flag_watch = watch;
    running.engine.send(Command::Maintenance(flag.flag)).await;
}

fn announce(flag: &FlagFile) {
    if let Some(problem) = &flag.problem {
        warn!("the maintenance flag counts as full maintenance, since {problem}");
    }
    match &flag.flag {
        Some(flag) => {
            info!(reason = flag.reason.as_deref().unwrap_or(""), "maintenance is on: alerts are muted")
        }
        None => tracing::debug!("maintenance is off"),
    }
}

/// Keeps a second daemon away from the same data: two would tell everything twice.
fn lock(data_dir: &Path) -> Result<File, RunError> {
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
