//! From a configuration file to everything that a command needs, its plugins' opinion of their settings included.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::error;

use super::judge::{Broken, judge, note_broken, wanted};
use super::watch::Stamps;
use super::{assemble, cache, served};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Problems};
use crate::plugins::{Compiler, Library, LoadError, PluginHost};
use crate::probes::Probes;
use crate::tasks::deliver::SinkSet;
use crate::tasks::watchdog::Watchdog;
use crate::words::chain;

/// The running executable, even after an upgrade has replaced or removed its file.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// Looks an environment variable up.
pub type Environment = fn(&str) -> Option<String>;

/// What a configuration is prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be watched from now on: the data folder is made, and a plugin that cannot be loaded is no reason to watch
    /// nothing.
    Run,
    /// To be used once. Leaves no traces where the daemon works.
    Once,
    /// To be judged. A plugin that cannot be loaded is a problem, and there are no traces either.
    Validate,
}

/// A configuration that was checked in full, with its plugins loaded.
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The sandbox.
    pub host: Arc<PluginHost>,
    /// The plugins that the configuration uses.
    pub library: Arc<Library>,
    /// Where alerts can go.
    pub sinks: SinkSet,
    /// Who is told that checks are being made.
    pub(super) watchdog: Option<Arc<Watchdog>>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// What looks at the world outside.
    pub probes: Arc<Probes>,
    /// Where `${…}` comes from.
    pub(super) environment: Environment,
    /// What was read.
    pub(super) stamps: Stamps,
}

/// Why nothing can be started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The configuration has problems.
    #[error("the configuration has problems")]
    Config(Problems),
    /// The sandbox cannot be set up.
    #[error("cannot set the sandbox up")]
    Sandbox(#[source] LoadError),
    /// The data folder cannot be made.
    #[error("cannot create the data folder {}", .0.display())]
    DataDir(PathBuf, #[source] std::io::Error),
    /// There is no folder for what is compiled.
    #[error("{} is not this user's, and there is no other place for compiled plugins: set HOME", .0.display())]
    NoCache(PathBuf),
}

/// Reads the configuration, loads its plugins and lets them check their settings.
///
/// # Errors
/// All problems of the configuration, or why it cannot be used on this machine.
pub async fn prepare(
    path: &Path,
    environment: Environment,
    purpose: Purpose,
) -> Result<Prepared, PrepareError> {
    let (stamps, read) = read(path, &environment);
    let (config, mut problems) = read.map_err(PrepareError::Config)?;
    let host = match sandbox(&config, environment, purpose) {
        Ok(host) => Arc::new(host),
        Err(error) => {
            // What is wrong with the file is told, whatever is wrong with the machine.
            assemble::sinks(&config, &Library::default(), &mut problems);
            if problems.is_empty() {
                return Err(error);
            }
            error!("the plugins were not asked: {}", chain(&error));
            return Err(PrepareError::Config(problems));
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let broken = if purpose == Purpose::Validate { Broken::Refused } else { Broken::Logged };
    let made = make(config, problems, &host, &clock, broken).await.map_err(PrepareError::Config)?;
    let Made { config, library, sinks, watchdog } = made;
    Ok(Prepared {
        config,
        host,
        library,
        sinks,
        watchdog,
        clock,
        probes: Arc::default(),
        environment,
        stamps,
    })
}

fn sandbox(config: &Config, environment: Environment, purpose: Purpose) -> Result<PluginHost, PrepareError> {
    let data_dir = &config.data_dir;
    let cache = if purpose == Purpose::Run {
        std::fs::create_dir_all(data_dir).map_err(|error| PrepareError::DataDir(data_dir.clone(), error))?;
        cache::of_daemon(data_dir)
    } else {
        cache::of_visitor(data_dir, &environment).ok_or_else(|| PrepareError::NoCache(data_dir.clone()))?
    };
    PluginHost::new(&cache, Compiler::Child(PathBuf::from(OWN_EXECUTABLE))).map_err(PrepareError::Sandbox)
}

/// What [`read`] returns: a configuration with the problems that are known of it, or only problems.
pub(super) type Read = Result<(Config, Problems), Problems>;

/// Reads the file, and stamps it and the plugins that it names, which are to be read after this.
///
/// All problems are to be told at once: what could be read of a file with problems is shown to the plugins too.
pub(super) fn read(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> (Stamps, Read) {
    let mut stamps = Stamps::default();
    stamps.take(path);
    let read = match config::load(path, environment) {
        Ok(config) => Ok((config, Problems::default())),
        Err(problems) => problems.partial().cloned().map(|config| (config, problems.clone())).ok_or(problems),
    };
    if let Ok((config, _)) = &read {
        config
            .plugins
            .values()
            .filter_map(|plugin| plugin.file.as_deref())
            .for_each(|file| stamps.take(file));
    }
    (stamps, read)
}

/// A configuration without problems, and what was made of it.
pub(super) struct Made {
    pub(super) config: Config,
    pub(super) library: Arc<Library>,
    pub(super) sinks: SinkSet,
    pub(super) watchdog: Option<Arc<Watchdog>>,
}

/// Loads the plugins, asks them, and sets the sinks up: everything that can fail does so here.
pub(super) async fn make(
    config: Config,
    mut problems: Problems,
    host: &PluginHost,
    clock: &Arc<dyn Clock>,
    broken: Broken<'_>,
) -> Result<Made, Problems> {
    let configured = assemble::plugin_sources(&config);
    let library = Arc::new(Library::load(host, wanted(&config), &configured).await);
    note_broken(&config, &library, broken, &mut problems);
    // A daemon that starts does its work without a dashboard, too; whoever changes the file is told.
    if !matches!(broken, Broken::Logged) {
        served::judge_tls(&config, &mut problems);
    }
    judge(&config, &library, clock, &mut problems).await;
    let sinks = assemble::sinks(&config, &library, &mut problems);
    let watchdog = assemble::watchdog(&config, &mut problems);
    if problems.is_empty() { Ok(Made { config, library, sinks, watchdog }) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::watch::ConfigWatch;
    use super::*;

    #[test]
    fn an_edit_during_the_reading_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        let text = "services: []\nsinks:\n  d: { type: discord, url: '${HOOK}' }\n";
        fs::write(&file, text).unwrap();
        // Variables are looked up when the file has been read.
        let environment = |_: &str| {
            fs::write(&file, format!("{text}# and more\n")).unwrap();
            Some("http://127.0.0.1:9/api/webhooks/1/x".to_owned())
        };
        let (stamps, read) = read(&file, &environment);
        assert!(read.is_ok_and(|(_, problems)| problems.is_empty()));
        let mut watch = ConfigWatch::new(stamps);
        assert!(!watch.changed(), "it may still be being written");
        assert!(watch.changed());
    }

    #[test]
    fn the_plugins_of_a_file_with_problems_are_watched_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services.yaml");
        let plugin = folder.path().join("mine.wasm");
        fs::write(
            &file,
            format!("services: []\nbanana: 1\nplugins: {{ mine: {{ file: {} }} }}\n", plugin.display()),
        )
        .unwrap();
        let (stamps, read) = read(&file, &|_| None);
        assert!(read.is_ok_and(|(_, problems)| problems.len() == 1));
        let mut watch = ConfigWatch::new(stamps);
        fs::write(&plugin, "wasm").unwrap();
        assert!(!watch.changed());
        assert!(watch.changed());
    }
}
