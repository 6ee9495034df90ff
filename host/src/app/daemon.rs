//! The daemon: passes on what happens outside, and stops the parts in order.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::Timestamp;
use pihook_core::maintenance::{Maintenance, NagState};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};
use tracing::{debug, error, info, warn};

use super::reload::{InUse, Reloaded, Running};
use super::served::Served;
use super::start::{lock, start};
use super::watch::{ConfigWatch, FlagWatch, PERIOD};
use super::{Prepared, flag, own};
use crate::checks::PluginStandings;
use crate::engine::Command;
use crate::maintenance::{self, FlagFile};
use crate::memory;
use crate::shutdown::{self, Request, Signals};
use crate::store::{Store, StoreError};
use crate::tasks::deliver::Standings;
use crate::tasks::wording::Conditions;
use crate::words::chain;

/// How long all parts together may take to stop: a delivery in flight has five seconds. Service managers kill after
/// ten, and the database is to be closed before.
const PARTS: Duration = Duration::from_secs(6);
/// How long noting an orderly end may take.
const MARK: Duration = Duration::from_secs(1);
/// How long closing the database may take.
const CLOSE: Duration = Duration::from_secs(2);

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
    /// A part that must not end has ended.
    #[error("the engine has stopped; the log says why")]
    EngineStopped,
}

/// Runs until a signal says stop.
///
/// # Errors
/// If the daemon cannot start, or its engine breaks.
pub async fn run(prepared: Prepared) -> Result<(), RunError> {
    let signals = Signals::listen().map_err(RunError::Signals)?;
    let _lock = lock(&prepared.config.data_dir)?;
    let (stop, shutdown) = shutdown::channel();
    let (mut daemon, mut parts) = start(prepared, &shutdown).await?;
    let ended = daemon.watch(signals, &mut parts.engine).await;
    info!("stopping");
    stop.shut_down();
    if let Some(reload) = daemon.reload.take() {
        reload.abort();
    }
    let engine = ended.is_ok().then_some(parts.engine);
    let stopping = async {
        daemon.served.stop().await;
        for part in engine.into_iter().chain(parts.others) {
            let _ = part.await;
        }
    };
    let stopped = ended.is_ok().then(|| daemon.running.clock.now().wall);
    close(stopping, &daemon.running.store, stopped).await;
    ended
}

/// Waits for the parts, but not too long, and closes the database in any case. `stopped` is when an orderly end was asked
/// for.
async fn close(stopping: impl Future<Output = ()>, store: &Store, stopped: Option<Timestamp>) {
    if timeout(PARTS, stopping).await.is_err() {
        warn!("not waiting any longer for the last part");
    }
    if let Some(at) = stopped {
        match timeout(MARK, own::daemon::note_stop(store, at)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!("the next start will not know of this orderly end: {}", chain(&error)),
            Err(_elapsed) => warn!("the next start will not know of this orderly end: the disk is slow"),
        }
    }
    match timeout(CLOSE, store.close()).await {
        Ok(Ok(())) => info!("stopped"),
        Ok(Err(error)) => warn!("stopped, but the database could not be closed: {}", chain(&error)),
        Err(_elapsed) => warn!("stopped without waiting for the database"),
    }
}

/// The daemon's own loop, and what it knows.
pub(super) struct Daemon {
    pub(super) running: Arc<Running>,
    pub(super) in_use: InUse,
    pub(super) config_watch: ConfigWatch,
    pub(super) flag_watch: FlagWatch,
    /// The flag and the windows, for those who are not the engine.
    pub(super) maintenance: watch::Sender<Maintenance>,
    /// Whether the log has said that the flag is old.
    pub(super) nag: NagState,
    pub(super) served: Served,
    /// How the sinks are doing.
    pub(super) standings: watch::Receiver<Standings>,
    /// What the engine was told of that.
    pub(super) told: Standings,
    /// How the formatters are doing.
    pub(super) conditions: watch::Receiver<Conditions>,
    /// What the engine was told of that.
    pub(super) conditions_told: Conditions,
    /// How the plugins behave.
    pub(super) plugins: watch::Receiver<PluginStandings>,
    /// What the engine was told of that.
    pub(super) plugins_told: PluginStandings,
    /// The reload that is under way. It may take minutes, and everything else goes on meanwhile.
    pub(super) reload: Option<JoinHandle<Reloaded>>,
    /// Whether another was asked for since.
    pub(super) again: bool,
}

impl Daemon {
    /// Passes on what happens until a signal says stop, or the engine breaks.
    async fn watch(&mut self, mut signals: Signals, engine: &mut JoinHandle<()>) -> Result<(), RunError> {
        let mut replaced = self.running.store.replaced();
        let mut long_log = self.running.store.long_log();
        self.tell_damage().await;
        let mut look = interval(PERIOD);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tidy = interval_at(Instant::now() + memory::FIRST, memory::PERIOD);
        tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = signals.next() => match request {
                    Request::Stop => return Ok(()),
                    Request::Reload => self.reload(),
                },
                _ = look.tick() => {
                    if self.config_watch.changed() {
                        self.reload();
                    }
                    if let Some(file) = self.flag_watch.changed(self.running.clock.now()) {
                        self.flag_changed(file).await;
                    }
                    self.mention_forgotten_flag();
                }
                _ = tidy.tick() => memory::release_code(),
                reloaded = ended(&mut self.reload) => self.reloaded(reloaded).await,
                Ok(()) = self.standings.changed() => self.tell_standings().await,
                Ok(()) = self.plugins.changed() => self.tell_plugins().await,
                Ok(()) = replaced.changed() => {
                    // Their names may be among what could not be read.
                    if let Err(error) = own::register(&self.running.store, &self.in_use.config).await {
                        error!("the list of services is not on disk: {}", chain(&error));
                    }
                    self.tell_damage().await;
                }
                Ok(()) = long_log.changed() => self.running.board.note_long_log(*long_log.borrow_and_update()),
                Ok(()) = self.conditions.changed() => self.tell_conditions().await,
                _ = &mut *engine => return Err(RunError::EngineStopped),
            }
        }
    }

    /// Starts a reload, or notes that another one is wanted after this.
    fn reload(&mut self) {
        if self.reload.is_some() {
            debug!("the configuration has changed again; it is read once more after this");
            self.again = true;
            return;
        }
        let reload = self.running.clone().reload(self.in_use.library.clone());
        self.reload = Some(tokio::spawn(reload));
    }

    async fn reloaded(&mut self, reloaded: Result<Reloaded, JoinError>) {
        match reloaded {
            Ok(Reloaded { stamps, adopted: Some(in_use) }) => {
                self.config_watch.accepted(stamps);
                self.adopted(in_use).await;
            }
            Ok(Reloaded { stamps, adopted: None }) => self.config_watch.refused(stamps),
            Err(fault) => error!("the configuration could not be reloaded: {fault}"),
        }
        if std::mem::take(&mut self.again) {
            self.reload();
        }
    }

    async fn adopted(&mut self, in_use: InUse) {
        // The engine has not listened to what was said of a sink that it did not know.
        self.told.retain(|sink, _| self.in_use.config.sinks.contains_key(sink));
        self.plugins_told.retain(|plugin, _| own::plugins::uses(&self.in_use.config, plugin));
        self.in_use = in_use;
        self.tell_standings().await;
        self.tell_plugins().await;
        self.served.follow(&self.in_use.config.dashboard).await;
        let now = self.running.clock.now();
        let (watch, file) = FlagWatch::new(&self.in_use.config.maintenance_flag, now);
        self.flag_watch = watch;
        self.flag_changed(file).await;
    }

    async fn flag_changed(&mut self, file: FlagFile) {
        let flag = flag::understand(file, &self.in_use.config);
        flag.announce(self.running.clock.now().wall);
        let windows = self.in_use.config.windows.clone();
        self.maintenance.send_replace(Maintenance { flag: flag.flag.clone(), windows });
        self.running.engine.send(Command::Maintenance(flag.flag)).await;
    }

    /// Has it told, once, that the database was damaged and replaced.
    async fn tell_damage(&self) {
        match self.running.store.damage().await {
            Ok(None) => {}
            Ok(Some(news)) => self.running.push(own::replaced(news, self.running.clock.now().wall)).await,
            Err(error) => error!("it cannot be read whether the database was damaged: {}", chain(&error)),
        }
    }

    /// Says once a day in the log, and on the status page for as long as it is so, that the flag is older than a day.
    fn mention_forgotten_flag(&mut self) {
        let now = self.running.clock.now();
        let lasts = self.maintenance.borrow().flag.as_ref().is_some_and(|flag| flag.lasts(now.wall));
        let age = self.flag_watch.age(now).filter(|_| lasts);
        self.running.board.note_overdue(age.and_then(|age| age.overdue(now.wall)));
        if let Some(overdue) = age.and_then(|age| self.nag.mention(age, now)) {
            warn!("{}", maintenance::forgotten(overdue));
        }
    }

    /// Tells the engine how the sinks are doing, as far as that is news.
    async fn tell_standings(&mut self) {
        let standings = self.standings.borrow_and_update().clone();
        let now = self.running.clock.now().wall;
        for (sink, standing) in standings.iter().filter(|(sink, now)| self.told.get(sink) != Some(now)) {
            self.running.push(own::standing(sink, standing, now)).await;
        }
        self.told = standings;
    }

    /// The same of the formatters.
    async fn tell_conditions(&mut self) {
        let conditions = self.conditions.borrow_and_update().clone();
        let now = self.running.clock.now().wall;
        for (id, condition) in &conditions {
            if self.conditions_told.get(id) != Some(condition) {
                self.running.push(own::condition(id, condition, now)).await;
            }
        }
        self.conditions_told = conditions;
    }

    /// Tells the engine how the plugins behave, as far as that is news. One of which nothing is known at the moment is
    /// as it was last said to be.
    async fn tell_plugins(&mut self) {
        let standings = self.plugins.borrow_and_update().clone();
        let now = self.running.clock.now().wall;
        for (plugin, standing) in standings {
            if self.plugins_told.get(&plugin) != Some(&standing) {
                self.running.push(own::plugins::standing(&plugin, &standing, now)).await;
                self.plugins_told.insert(plugin, standing);
            }
        }
    }
}

/// Waits for the task, and forgets it then; for ever if there is none.
async fn ended<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    let Some(running) = task else { return pending().await };
    let result = running.await;
    *task = None;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_database_is_closed_whatever_else_is_slow() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("pihook.db"), Duration::from_secs(300)).unwrap();
        let asked = Instant::now();
        close(pending(), &store, Some(Timestamp::UNIX_EPOCH)).await;
        assert!(asked.elapsed() <= PARTS + MARK + CLOSE);
        // The writer answers on a thread of its own, for which paused time does not wait.
        while !matches!(store.flush().await, Err(StoreError::Closed)) {}
    }

    #[tokio::test]
    async fn a_task_that_ends_is_forgotten() {
        let mut task = Some(tokio::spawn(async { 42 }));
        assert_eq!(ended(&mut task).await.unwrap(), 42);
        assert!(task.is_none());
        let nothing = timeout(Duration::from_millis(1), ended(&mut task)).await;
        assert!(nothing.is_err());
    }
}
