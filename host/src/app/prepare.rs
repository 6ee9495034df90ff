//! From a configuration file to everything that a command needs, its plugins' opinion of their settings included.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tracing::{error, warn};

use super::assemble;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Problems, ServiceConfig};
use crate::plugins::{Compiler, Kept, Library, LoadError, PluginHost, Reach};
use crate::probes::http::HttpProbe;
use crate::words::chain;

/// A configuration that was checked in full, with its plugins loaded.
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// The sandbox.
    pub host: Arc<PluginHost>,
    /// The plugins that the configuration uses.
    pub library: Arc<Library>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The HTTP probe.
    pub probe: Arc<HttpProbe>,
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
    DataDir(std::path::PathBuf, #[source] std::io::Error),
}

impl Prepared {
    /// Plugins that the configuration uses and that cannot be loaded, with the reason. A daemon goes on without them.
    #[must_use]
    pub fn broken_plugins(&self) -> Vec<String> {
        wanted(&self.config)
            .into_iter()
            .filter_map(|id| match self.library.get(id) {
                Some(Err(error)) => Some(format!("plugin {id}: {}", chain(error.as_ref()))),
                _ => None,
            })
            .collect()
    }
}

/// Reads the configuration, loads its plugins and lets them check their settings.
pub async fn prepare(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, PrepareError> {
    let (config, mut problems) = match config::load(path, environment) {
        Ok(config) => (config, Problems::default()),
        Err(problems) => match problems.partial() {
            // All problems at once: what could be read is shown to the plugins too.
            Some(config) => (config.clone(), problems),
            None => return Err(PrepareError::Config(problems)),
        },
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let cache = config.data_dir.join("cache");
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| PrepareError::DataDir(config.data_dir.clone(), error))?;
    let host = Arc::new(PluginHost::new(&cache, compiler()).map_err(PrepareError::Sandbox)?);
    let probe = Arc::new(HttpProbe::new());
    let library = load(&host, &config).await;
    judge(&config, &library, &clock, &mut problems).await;
    if !problems.is_empty() {
        return Err(PrepareError::Config(problems));
    }
    Ok(Prepared { config, host, library, clock, probe })
}

/// The executable that is running compiles for itself, in a child process.
fn compiler() -> Compiler {
    std::env::current_exe().map_or(Compiler::ThisProcess, Compiler::Child)
}

/// The ids of the plugins that a configuration uses.
fn wanted(config: &Config) -> BTreeSet<&str> {
    let checks = config.services.iter().map(|service| service.check.plugin.as_str());
    let formatters = config.sinks.values().map(|sink| sink.formatter.as_str());
    checks.chain(formatters).collect()
}

/// Loads what the configuration uses.
pub(super) async fn load(host: &PluginHost, config: &Config) -> Arc<Library> {
    let configured = assemble::plugin_sources(config);
    Arc::new(Library::load(host, wanted(config), &configured).await)
}

/// Adds what plugins find wrong with their settings, and names that no plugin has.
pub(super) async fn judge(
    config: &Config,
    library: &Library,
    clock: &Arc<dyn Clock>,
    problems: &mut Problems,
) {
    for service in &config.services {
        match library.get(&service.check.plugin) {
            None => problems.add(unknown(config, &format!("{}.check", service.path), &service.check.plugin)),
            Some(Err(reason)) => {
                error!(plugin = service.check.plugin, "cannot be used: {}", chain(reason.as_ref()))
            }
            Some(Ok(plugin)) if !plugin.is_check() => problems.add(config.problem(
                &format!("{}.check", service.path),
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
