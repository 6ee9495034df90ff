//! What plugins think of a configuration, and what is to be thought of its plugins.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::{error, warn};

use crate::clock::Clock;
use crate::config::{Config, Problem, Problems, ServiceConfig};
use crate::plugins::{BUNDLED, BUNDLED_FORMATTERS, Kept, Library, Plugin, PluginSource, Reach};
use crate::words::chain;

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

/// The ids of the plugins that a configuration uses.
pub(super) fn wanted(config: &Config) -> BTreeSet<&str> {
    let checks = config.services.iter().map(|service| service.check.plugin.as_str());
    checks.chain(formatters(config).map(|(_, id)| id)).collect()
}

/// The formatters that a configuration uses, each with where the file names it.
pub(super) fn formatters(config: &Config) -> impl Iterator<Item = (String, &str)> {
    let sinks = config.sinks.iter().flat_map(|(name, sink)| {
        [("formatter", &sink.formatter), ("digest_formatter", &sink.digest_formatter)]
            .map(|(key, id)| (format!("sinks.{name}.{key}"), id.as_str()))
    });
    let services = config.services.iter().flat_map(|service| {
        let ladders = [
            ("escalation", Some(&service.service.ladder)),
            ("escalation_degraded", service.service.degraded.as_ref()),
        ];
        let levels = ladders.into_iter().flat_map(|(key, ladder)| {
            ladder
                .into_iter()
                .flat_map(move |ladder| ladder.levels().zip(0_usize..).map(move |level| (key, level)))
        });
        levels.filter_map(|(key, (level, index))| {
            Some((formatter_path(config, &service.path, key, index), level.formatter.as_deref()?))
        })
    });
    sinks.chain(services)
}

/// Where a service's level has its formatter from, by what the file has: the level itself, the service, or the common
/// ladder.
fn formatter_path(config: &Config, service: &str, ladder: &str, level: usize) -> String {
    let own = format!("{service}.{ladder}[{level}].formatter");
    let common = format!("{ladder}[{level}].formatter");
    let all = format!("{service}.formatter");
    let exists = |path: &String| config.has(path);
    if exists(&own) || (!exists(&common) && !exists(&all)) {
        return own;
    }
    let overridden = config.has(&format!("{service}.{ladder}"));
    if exists(&common) && !overridden { common } else { all }
}

/// Adds, or logs, which plugins cannot be loaded.
pub(super) fn note_broken(config: &Config, library: &Library, broken: Broken<'_>, problems: &mut Problems) {
    for (id, plugin) in &config.plugins {
        if plugin.file.is_none() && PluginSource::bundled(id).is_none() {
            let what = format!("no plugin `{id}` comes with PiHook, and this names no file");
            let remedy = format!("`file:` with its place, or one of {}", bundled_ids());
            problems.add(config.problem(&format!("plugins.{id}"), what, remedy));
        }
    }
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
    if let Some(plugin) = config.plugins.get(id) {
        return if plugin.file.is_some() { format!("plugins.{id}.file") } else { format!("plugins.{id}") };
    }
    let service = config.services.iter().find(|service| service.check.plugin == id);
    let formatter = formatters(config).find(|(_, formatter)| *formatter == id);
    match (service, formatter) {
        (Some(service), _) => format!("{}.check", service.path),
        (None, Some((path, _))) => path,
        (None, None) => String::new(),
    }
}

/// Adds what plugins find wrong with their settings, and names that no plugin has.
pub(super) async fn judge(
    config: &Config,
    library: &Library,
    clock: &Arc<dyn Clock>,
    problems: &mut Problems,
) {
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
    judge_formatters(config, library, problems);
}

fn judge_formatters(config: &Config, library: &Library, problems: &mut Problems) {
    let mut told = BTreeSet::new();
    for (path, id) in formatters(config) {
        // A common ladder is every service's.
        if !told.insert(path.clone()) {
            continue;
        }
        match library.get(id) {
            None => {
                let remedy = format!("one of {}, or declare it under `plugins:`", known_formatters(config));
                problems.add(config.problem(&path, format!("there is no formatter `{id}`"), remedy));
            }
            Some(Ok(plugin)) if plugin.is_check() => problems.add(config.problem(
                &path,
                format!("`{}` is a check and not a formatter", plugin.id()),
                format!("name a formatter: {}", known_formatters(config)),
            )),
            Some(Ok(plugin)) if path.ends_with(".digest_formatter") && !plugin.is_digester() => {
                problems.add(config.problem(
                    &path,
                    format!("`{}` words single alerts only", plugin.id()),
                    "a formatter that makes one message of many, such as `digest`".to_owned(),
                ));
            }
            Some(_) => {}
        }
    }
}

async fn judge_settings(
    config: &Config,
    service: &ServiceConfig,
    plugin: &Plugin,
    clock: &Arc<dyn Clock>,
    problems: &mut Problems,
) {
    let reach = Reach { clock: clock.clone(), outside: None, kept: Kept::default() };
    match plugin.validate(&service.check.settings.to_string(), reach).await {
        Ok(found) => {
            // Where there is a mistake already, the plugin saw what was put in its place, or tells the same.
            let known: BTreeSet<String> = problems.iter().map(|problem| problem.path.clone()).collect();
            for problem in found {
                let path = service.path_of_setting(&problem.path);
                if known.contains(&path) {
                    continue;
                }
                problems.add(config.problem(&path, problem.what, problem.remedy));
            }
        }
        // A plugin's fault is no mistake of the file.
        Err(error) => warn!(service = %service.service.id, "its settings could not be checked: {error}"),
    }
}

/// The bundled formatters, and plugins from files, whose kind only loading tells.
fn known_formatters(config: &Config) -> String {
    let own = config.plugins.keys().map(String::as_str).filter(|id| PluginSource::bundled(id).is_none());
    BUNDLED_FORMATTERS.into_iter().chain(own).collect::<Vec<_>>().join(", ")
}

fn bundled_ids() -> String {
    BUNDLED.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ")
}

fn unknown(config: &Config, path: &str, id: &str) -> Problem {
    let known: Vec<&str> =
        BUNDLED.iter().map(|(id, _)| *id).chain(config.plugins.keys().map(String::as_str)).collect();
    let remedy = format!("one of {}, or declare it under `plugins:`", known.join(", "));
    config.problem(path, format!("there is no plugin `{id}`"), remedy)
}
