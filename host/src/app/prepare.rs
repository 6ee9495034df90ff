//! From a configuration file to everything that a command needs, its plugins' opinion of their settings included.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{error, warn};

use super::watch::Stamps;
use super::{assemble, cache};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Problems, ServiceConfig};
use crate::plugins::{Compiler, Kept, Library, LoadError, PluginHost, Reach};
use crate::probes::http::HttpProbe;
use crate::tasks::deliver::SinkSet;
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
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The HTTP probe.
    pub probe: Arc<HttpProbe>,
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
            assemble::sinks(&config, &mut problems);
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
    let Made { config, library, sinks } = made;
    Ok(Prepared {
        config,
        host,
        library,
        sinks,
        clock,
        probe: Arc::new(HttpProbe::new()),
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
        config.plugins.values().for_each(|plugin| stamps.take(&plugin.file));
    }
    (stamps, read)
}

/// A configuration without problems, and what was made of it.
pub(super) struct Made {
    pub(super) config: Config,
    pub(super) library: Arc<Library>,
    pub(super) sinks: SinkSet,
}

/// What a plugin that cannot be loaded means.
#[derive(Clone, Copy)]
pub(super) enum Broken<'a> {
    /// Its services are unknown; the rest is watched.
    Logged,
    /// It is a problem of the configuration.
    Refused,
    /// It is a problem if this library has it: then the configuration in use is the better one.
    RefusedIfIn(&'a Library),
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
    judge(&config, &library, clock, &mut problems).await;
    let sinks = assemble::sinks(&config, &mut problems);
    if problems.is_empty() { Ok(Made { config, library, sinks }) } else { Err(problems) }
}

/// The ids of the plugins that a configuration uses.
fn wanted(config: &Config) -> BTreeSet<&str> {
    let checks = config.services.iter().map(|service| service.check.plugin.as_str());
    let formatters = config.sinks.values().map(|sink| sink.formatter.as_str());
    checks.chain(formatters).collect()
}

/// Adds, or logs, which plugins cannot be loaded.
fn note_broken(config: &Config, library: &Library, broken: Broken<'_>, problems: &mut Problems) {
    for id in wanted(config) {
        let Some(Err(reason)) = library.get(id) else { continue };
        // A compiler's complaint has many lines, and a problem has one.
        let reason = chain(reason.as_ref()).split_whitespace().collect::<Vec<_>>().join(" ");
        let refused = match broken {
            Broken::Logged => false,
            Broken::Refused => true,
            Broken::RefusedIfIn(before) => matches!(before.get(id), Some(Ok(_))),
        };
        if refused {
            let what = format!("the plugin `{id}` cannot be used: {reason}");
            problems.add(config.problem(&path_of(config, id), what, "a plugin that loads".to_owned()));
        } else {
            error!(plugin = id, "cannot be used: {reason}");
        }
    }
}

/// Where the file speaks of a plugin: where it is declared, else where it is first used.
fn path_of(config: &Config, id: &str) -> String {
    if config.plugins.contains_key(id) {
        return format!("plugins.{id}.file");
    }
    let service = config.services.iter().find(|service| service.check.plugin == id);
    let sink = config.sinks.iter().find(|(_, sink)| sink.formatter == id);
    match (service, sink) {
        (Some(service), _) => format!("{}.check", service.path),
        (None, Some((name, _))) => format!("sinks.{name}.formatter"),
        (None, None) => String::new(),
    }
}

/// Adds what plugins find wrong with their settings, and names that no plugin has.
async fn judge(config: &Config, library: &Library, clock: &Arc<dyn Clock>, problems: &mut Problems) {
    for service in &config.services {
        let path = format!("{}.check", service.path);
        match library.get(&service.check.plugin) {
            None => problems.add(unknown(config, &path, &service.check.plugin)),
            Some(Err(_)) => {}
            Some(Ok(plugin)) if !plugin.is_check() => problems.add(config.problem(
                &path,
                format!("`{}` is a formatter and not a check", plugin.id()),
                "name a check, such as `http`".to_owned(),
            )),
            Some(Ok(plugin)) => judge_settings(config, service, plugin, clock, problems).await,
        }
    }
    for (name, sink) in &config.sinks {
        let path = format!("sinks.{name}.formatter");
        match library.get(&sink.formatter) {
            None => problems.add(unknown(config, &path, &sink.formatter)),
            Some(Ok(plugin)) if plugin.is_check() => problems.add(config.problem(
                &path,
                format!("`{}` is a check and not a formatter", plugin.id()),
                "name a formatter, such as `detailed`".to_owned(),
            )),
            Some(_) => {}
        }
    }
}

async fn judge_settings(
    config: &Config,
    service: &ServiceConfig,
    plugin: &crate::plugins::Plugin,
    clock: &Arc<dyn Clock>,
    problems: &mut Problems,
) {
    let reach = Reach { clock: clock.clone(), network: None, kept: Kept::default() };
    match plugin.validate(&service.check.settings.to_string(), reach).await {
        Ok(found) => {
            for problem in found {
                let path = service.path_of_setting(&problem.path);
                problems.add(config.problem(&path, problem.what, problem.remedy));
            }
        }
        // A plugin's fault is no mistake of the file.
        Err(error) => warn!(service = %service.service.id, "its settings could not be checked: {error}"),
    }
}

fn unknown(config: &Config, path: &str, id: &str) -> config::Problem {
    let known: Vec<&str> = crate::plugins::BUNDLED
        .iter()
        .map(|(id, _)| *id)
        .chain(config.plugins.keys().map(String::as_str))
        .collect();
    let remedy = format!("one of {}, or declare it under `plugins:`", known.join(", "));
    config.problem(path, format!("there is no plugin `{id}`"), remedy)
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
