//! Turns what the configuration says into what each part wants to hear. The parts do not know each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pihook_core::{ServiceId, SinkId};
use serde_json::Value;
use url::Url;

use super::Prepared;
use crate::checks::{CheckSpec, PluginRunner};
use crate::config::{Config, PluginConfig, Problems, ServiceConfig, SinkConfig, SinkKind};
use crate::hosts::HostPort;
use crate::plugins::{LoadError, PluginSource};
use crate::probes::http::{Access, HttpGrant};
use crate::probes::system_roots;
use crate::sinks::{DiscordSettings, DiscordSink, HttpClient, TIMEOUT};
use crate::store::RegisteredService;
use crate::tasks::deliver::{Outlet, SinkSet};
use crate::words::chain;

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
        Some(plugin) => HttpGrant::Hosts(plugin.allow.http.clone()),
    };
    let ca_file = text_setting(service, "ca_file").map(PathBuf::from);
    let access = Access {
        own_hosts: own_hosts(service),
        secrets: check.secrets.clone(),
        grant,
        ca_files: ca_file.into_iter().collect(),
    };
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
    // Placeholders may stay: the configuration lets none into the host or port.
    let url = text_setting(service, "url").and_then(|url| Url::parse(url).ok());
    let Some(own) = url.as_ref().and_then(HostPort::of) else { return Vec::new() };
    let secured = (own.port() == 80).then(|| HostPort::new(own.host(), 443));
    std::iter::once(own).chain(secured).collect()
}

fn text_setting<'s>(service: &'s ServiceConfig, key: &str) -> Option<&'s str> {
    service.check.settings.get(key).and_then(Value::as_str)
}

/// The configured plugins' bytes, or why they cannot be had.
#[must_use]
pub fn plugin_sources(config: &Config) -> BTreeMap<String, Result<PluginSource, Arc<LoadError>>> {
    let source = |(id, plugin): (&String, &PluginConfig)| {
        let read =
            PluginSource::from_file(id, &plugin.file, plugin.sha256.as_deref()).map(|source| PluginSource {
                memory: plugin.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
                cpu: plugin.cpu,
                ..source
            });
        (id.clone(), read.map_err(Arc::new))
    };
    config.plugins.iter().map(source).collect()
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

/// The configured sinks, but those whose settings have problems, which are added. The machine's certificates are only
/// read if there are any.
pub(super) fn sinks(config: &Config, problems: &mut Problems) -> SinkSet {
    if config.sinks.is_empty() {
        return SinkSet::new();
    }
    let client = match HttpClient::new(system_roots(), TIMEOUT) {
        Ok(client) => client,
        Err(error) => {
            let remedy = "a machine that can do TLS".to_owned();
            problems.add(config.problem("sinks", chain(&error), remedy));
            return SinkSet::new();
        }
    };
    let outlet = |(name, sink): (&SinkId, &SinkConfig)| {
        let SinkKind::Discord { url, username, thread_id } = &sink.kind;
        let settings =
            DiscordSettings { url: url.clone(), username: username.clone(), thread_id: thread_id.clone() };
        match DiscordSink::new(&settings, client.clone()) {
            Ok(itself) => {
                Some((name.clone(), Outlet { sink: Arc::new(itself), formatter: sink.formatter.clone() }))
            }
            Err(error) => {
                let path = format!("sinks.{name}.{}", error.setting());
                problems.add(config.problem(&path, error.to_string(), error.remedy()));
                None
            }
        }
    };
    config.sinks.iter().filter_map(outlet).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Surroundings, parse};

    #[test]
    fn all_that_the_sinks_refuse_is_told_with_its_place() {
        let text = "services: []
sinks:
  one: { type: discord, url: 'https://discord.com/api/webhooks/1/token', username: My Discord }
  two: { type: discord, url: 'https://discord.com/api/webhooks/1/token' }
  six:
    type: discord
    url: https://discord.com/api/webhooks/1/token
    username: 🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀
";
        let none = |_: &str| None;
        let unreadable = |_: &Path| Err(std::io::Error::other("none"));
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &none,
            read_file: &unreadable,
        };
        let config = parse(text.as_bytes(), &surroundings).unwrap();
        let mut problems = Problems::default();
        let sinks = sinks(&config, &mut problems);
        assert_eq!(sinks.keys().map(SinkId::as_str).collect::<Vec<_>>(), ["two"]);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let rule = "Discord does not take this as a name; \
                    1 to 80 characters (an emoji counts as two) without \"clyde\" and \"discord\" in them";
        assert_eq!(
            told,
            [
                format!("services.yaml:3: sinks.one.username: {rule}"),
                format!("services.yaml:8: sinks.six.username: {rule}"),
            ]
        );
    }

    fn access(service: &str) -> Access {
        let text = format!(
            "plugins: {{ mine: {{ file: x.wasm, allow: {{ http: [other.lan] }} }} }}\nservices: [{{ name: A, {service} }}]"
        );
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &|_| Some("hunter2".to_owned()),
            read_file: &|_| Err(std::io::Error::other("no files")),
        };
        let config = parse(text.as_bytes(), &surroundings).unwrap_or_else(|problems| panic!("{problems}"));
        specs(&config).into_values().next().unwrap().access.as_ref().clone()
    }

    #[test]
    fn a_plugin_from_a_file_gets_its_services_host_its_ca_file_and_its_grants() {
        let access = access(
            "check: mine, settings: { url: \"http://nas.lan/${TOKEN}?k=${TOKEN}\", ca_file: /etc/ca.pem }",
        );
        assert_eq!(access.own_hosts, [80, 443].map(|port| HostPort::new("nas.lan", port)));
        assert_eq!(access.ca_files, [Path::new("/etc/ca.pem")]);
        assert!(matches!(&access.grant, HttpGrant::Hosts(hosts) if hosts.len() == 1));
        assert_eq!(access.secrets.len(), 1);
    }

    #[test]
    fn a_bundled_check_goes_anywhere_and_has_one_own_host() {
        let access = access("url: \"https://nas.lan:8443/x\"");
        assert_eq!(access.own_hosts, [HostPort::new("nas.lan", 8443)]);
        assert!(matches!(access.grant, HttpGrant::Any) && access.ca_files.is_empty());
    }
}
