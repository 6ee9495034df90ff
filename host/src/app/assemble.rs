//! Turns what the configuration says into what each part wants to hear. The parts do not know each other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use pihook_core::{Secret, ServiceId, SinkId};
use url::Url;

use super::Prepared;
use crate::checks::{CheckSpec, PluginRunner};
use crate::config::{Config, PluginConfig, ServiceConfig, SinkConfig, SinkKind};
use crate::plugins::{Digest, Limits, LoadError, PluginSource};
use crate::probes::http::{Access, HostPattern, HostPort, HttpGrant};
use crate::probes::system_roots;
use crate::sinks::{ClientError, DiscordSettings, DiscordSink, HttpClient, SettingsError, TIMEOUT};
use crate::store::RegisteredService;
use crate::tasks::deliver::{Outlet, SinkSet};

/// A runner with the configuration's services, for one-off use.
#[must_use]
pub fn runner(prepared: &Prepared) -> PluginRunner {
    let runner = PluginRunner::new(prepared.clock.clone(), prepared.probe.clone(), BTreeMap::new());
    runner.replace(prepared.library.clone(), specs(&prepared.config));
    runner
}

/// How each service is checked.
pub(super) fn specs(config: &Config) -> BTreeMap<ServiceId, Arc<CheckSpec>> {
    config
        .services
        .iter()
        .map(|service| (service.service.id.clone(), Arc::new(spec(service, config))))
        .collect()
}

fn spec(service: &ServiceConfig, config: &Config) -> CheckSpec {
    let check = &service.check;
    let grant = match config.plugins.get(&check.plugin) {
        // The bundled checks go where the service's settings send them.
        None => HttpGrant::Any,
        Some(plugin) => HttpGrant::Hosts(
            plugin.allow.http.iter().filter_map(|host| host.parse::<HostPattern>().ok()).collect(),
        ),
    };
    let access = Access { own_hosts: own_hosts(service), secrets: check.secrets.clone(), grant };
    CheckSpec {
        name: service.service.name.to_string(),
        zone: service.service.zone.to_string(),
        plugin: check.plugin.clone(),
        settings: check.settings.to_string(),
        retries: check.retries,
        connect_timeout: check.connect_timeout,
        read_timeout: check.read_timeout,
        access: Arc::new(access),
        secrets: check.secrets.clone(),
    }
}

/// Where the service lives: the only place that its secrets are sent to. A host that moves its visitors from port 80
/// to TLS is the same place.
fn own_hosts(service: &ServiceConfig) -> Vec<HostPort> {
    let url = service.check.settings.get("url").and_then(serde_json::Value::as_str);
    let Some(own) = url
        .map(|url| fill(url, &service.check.secrets))
        .and_then(|url| Url::parse(&url).ok())
        .and_then(|url| HostPort::of(&url))
    else {
        return Vec::new();
    };
    let secured = (own.port() == 80).then(|| HostPort::new(own.host(), 443));
    std::iter::once(own).chain(secured).collect()
}

fn fill(text: &str, secrets: &[Secret]) -> String {
    secrets.iter().enumerate().fold(text.to_owned(), |text, (index, secret)| {
        text.replace(&format!("${{secret:{index}}}"), secret.expose())
    })
}

/// The configured plugins' bytes, or why they cannot be had.
#[must_use]
pub fn plugin_sources(config: &Config) -> BTreeMap<String, Result<PluginSource, Arc<LoadError>>> {
    config.plugins.iter().map(|(id, plugin)| (id.clone(), source(id, plugin))).collect()
}

/// A configured plugin's bytes, if they are those that were asked for.
fn source(id: &str, plugin: &PluginConfig) -> Result<PluginSource, Arc<LoadError>> {
    let wasm = std::fs::read(&plugin.file).map_err(|error| LoadError::Read(plugin.file.clone(), error))?;
    let found = Digest::of(&wasm);
    if let Some(wanted) = &plugin.sha256
        && !wanted.eq_ignore_ascii_case(&found.to_string())
    {
        return Err(Arc::new(LoadError::Digest { wanted: wanted.clone(), found }));
    }
    let limits = (plugin.memory.is_some() || plugin.cpu.is_some()).then(|| Limits {
        memory: plugin
            .memory
            .map_or(Limits::CHECK.memory, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        cpu: plugin.cpu.unwrap_or(Limits::CHECK.cpu),
        ..Limits::CHECK
    });
    Ok(PluginSource { id: id.to_owned(), wasm: Cow::Owned(wasm), limits })
}

/// The services as the database lists them.
pub(super) fn registered(config: &Config) -> Vec<RegisteredService> {
    config
        .services
        .iter()
        .map(|service| RegisteredService {
            id: service.service.id.clone(),
            name: service.service.name.to_string(),
            zone: service.service.zone.clone(),
            check: service.check.plugin.clone(),
        })
        .collect()
}

/// Why the sinks cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Their common HTTP client cannot.
    #[error("cannot set the sinks up")]
    Client(#[source] ClientError),
    /// One of them cannot, with its settings.
    #[error("cannot set the sink {0} up")]
    Settings(SinkId, #[source] SettingsError),
}

/// The configured sinks. The machine's certificates are only read if there are any.
///
/// # Errors
/// If a sink cannot be set up.
pub fn sinks(config: &Config) -> Result<SinkSet, SinkError> {
    if config.sinks.is_empty() {
        return Ok(SinkSet::new());
    }
    let client = HttpClient::new(system_roots(), TIMEOUT).map_err(SinkError::Client)?;
    let outlet = |name: &SinkId, sink: &SinkConfig| {
        let SinkKind::Discord { url, username, thread_id } = &sink.kind;
        let settings =
            DiscordSettings { url: url.clone(), username: username.clone(), thread_id: thread_id.clone() };
        let sink_itself = DiscordSink::new(&settings, client.clone())
            .map_err(|error| SinkError::Settings(name.clone(), error))?;
        Ok((name.clone(), Outlet { sink: Arc::new(sink_itself), formatter: sink.formatter.clone() }))
    };
    config.sinks.iter().map(|(name, sink)| outlet(name, sink)).collect()
}
