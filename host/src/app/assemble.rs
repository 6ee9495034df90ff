//! Turns what the configuration says into what each part wants to hear. The parts do not know each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use pihook_core::{Cadence, ServiceId, SinkId};

use super::{Prepared, grants, heartbeats, settings};
use crate::board::Listed;
use crate::checks::{CheckSpec, PluginRunner};
use crate::config::{Config, EmailTlsConfig, PluginConfig, Problems, ServiceConfig, SinkConfig, SinkKind};
use crate::plugins::{Library, LoadError, PluginSource};
use crate::probes::system_roots;
use crate::sinks::{
    DiscordSettings, DiscordSink, EMAIL_TIMEOUT, EmailSettings, EmailSink, EmailTls, ExecSettings, ExecSink,
    HttpClient, NtfyLogin, NtfySettings, NtfySink, Ping, Sink, TIMEOUT, TelegramChat, TelegramSettings,
    TelegramSink, WebhookSettings, WebhookSink,
};
use crate::store::RegisteredService;
use crate::tasks::deliver::{Outlet, SinkSet};
use crate::tasks::watchdog::Watchdog;
use crate::tasks::weekly::Policy;
use crate::words::chain;

/// A runner with the configuration's services, for one-off use.
#[must_use]
pub fn runner(prepared: &Prepared) -> PluginRunner {
    let runner = PluginRunner::new(prepared.clock.clone(), prepared.probes.clone(), BTreeMap::new());
    runner.replace(prepared.library.clone(), specs(&prepared.config));
    heartbeats::recall(prepared);
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
    CheckSpec {
        name: service.service.name.to_string(),
        zone: service.service.zone.to_string(),
        plugin: check.plugin.clone(),
        settings: check.settings.to_string(),
        retries: check.retries,
        connect_timeout: check.connect_timeout,
        read_timeout: check.read_timeout,
        grants: Arc::new(grants::of(service, config)),
        secrets: check.secrets.clone(),
    }
}

/// The configured plugins' bytes, or why they cannot be had. Of an id that nobody knows there are none.
#[must_use]
pub fn plugin_sources(config: &Config) -> BTreeMap<String, Result<PluginSource, Arc<LoadError>>> {
    let source = |(id, plugin): (&String, &PluginConfig)| {
        let read = match &plugin.file {
            Some(file) => PluginSource::from_file(id, file, plugin.sha256.as_deref()),
            None => Ok(PluginSource::bundled(id)?),
        };
        let limited = read.map(|source| PluginSource {
            memory: plugin.memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)).or(source.memory),
            cpu: plugin.cpu.or(source.cpu),
            ..source
        });
        Some((id.clone(), limited.map_err(Arc::new)))
    };
    config.plugins.iter().filter_map(source).collect()
}

/// How long history is kept, and where it goes.
pub(super) fn policy(config: &Config) -> Policy {
    Policy {
        keep_checks: config.history.keep_checks,
        keep_rollups: config.history.keep_rollups,
        export_dir: config.history.export_dir.clone(),
        sinks: config.history.weekly_report.clone(),
    }
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
            every: match service.service.cadence {
                Cadence::Every(every) => Some(every),
                Cadence::Pushed => None,
            },
        })
        .collect()
}

/// The services as people are shown them.
pub(super) fn listed(config: &Config) -> Vec<Listed> {
    let interval = |cadence| match cadence {
        Cadence::Every(interval) => Some(interval),
        Cadence::Pushed => None,
    };
    let listed = |config: &ServiceConfig| Listed {
        id: config.service.id.clone(),
        name: config.service.name.clone(),
        zone: config.service.zone.clone(),
        check: Arc::from(config.check.plugin.as_str()),
        interval: interval(config.service.cadence),
        settings: settings::shown(config),
    };
    config.services.iter().map(listed).collect()
}

/// The configured sinks, but those whose settings have problems, which are added. The machine's certificates are only
/// read if there are any.
pub(super) fn sinks(config: &Config, library: &Library, problems: &mut Problems) -> SinkSet {
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
    let outlet = |(name, sink): (&SinkId, &SinkConfig)| match build(&sink.kind, client.clone()) {
        Ok(itself) => Some((name.clone(), outlet_of(itself, sink, library))),
        Err(Unfit { setting, what, remedy }) => {
            problems.add(config.problem(&format!("sinks.{name}.{setting}"), what, remedy));
            None
        }
    };
    config.sinks.iter().filter_map(outlet).collect()
}

/// Who is told that checks are being made.
pub(super) fn watchdog(config: &Config, problems: &mut Problems) -> Option<Arc<Watchdog>> {
    let watchdog = config.watchdog.as_ref()?;
    match HttpClient::new(system_roots(), TIMEOUT) {
        Ok(client) => {
            let ping = Ping::new(client, watchdog.url.clone());
            Some(Arc::new(Watchdog { ping, interval: watchdog.interval }))
        }
        Err(error) => {
            problems.add(config.problem("watchdog", chain(&error), "a machine that can do TLS".to_owned()));
            None
        }
    }
}

/// A sink with its formatters. One that also makes digests makes its own.
fn outlet_of(sink: Arc<dyn Sink>, config: &SinkConfig, library: &Library) -> Outlet {
    let own = library.get(&config.formatter).and_then(|loaded| loaded.as_ref().ok());
    let digest_formatter = match own {
        Some(plugin) if plugin.is_digester() => config.formatter.clone(),
        _ => config.digest_formatter.clone(),
    };
    Outlet { sink, formatter: config.formatter.clone(), digest_formatter, policy: config.policy.clone() }
}

/// A setting that a sink cannot be made of.
struct Unfit {
    setting: &'static str,
    what: String,
    remedy: String,
}

fn build(kind: &SinkKind, client: HttpClient) -> Result<Arc<dyn Sink>, Unfit> {
    Ok(match kind.clone() {
        SinkKind::Discord { url, username, thread_id, silent_recoveries, update } => {
            let settings = DiscordSettings { url, username, thread_id, silent_recoveries, update };
            Arc::new(DiscordSink::new(&settings, client).map_err(|error| Unfit {
                setting: error.setting(),
                what: error.to_string(),
                remedy: error.remedy(),
            })?)
        }
        SinkKind::Telegram { token, api, chat, chats, silent_recoveries } => {
            let place = |(chat, topic)| TelegramChat { chat, topic };
            let chats = chats.into_iter().map(|(severity, chat)| (severity, place(chat))).collect();
            let settings = TelegramSettings { token, api, chat: place(chat), chats, silent_recoveries };
            Arc::new(TelegramSink::new(settings, client))
        }
        SinkKind::Ntfy { server, topic, token, user, click } => {
            let login = match (token, user) {
                (Some(token), _) => NtfyLogin::Token(token),
                (None, Some((user, password))) => NtfyLogin::Password(user, password),
                (None, None) => NtfyLogin::Anonymous,
            };
            Arc::new(NtfySink::new(NtfySettings { server, topic, login, click }, client))
        }
        SinkKind::Webhook { url, secret, headers } => {
            let settings = WebhookSettings { url, secret, headers };
            Arc::new(WebhookSink::new(settings, client).map_err(|error| Unfit {
                setting: "url",
                what: error.to_string(),
                remedy: "an address and headers that HTTP allows".to_owned(),
            })?)
        }
        SinkKind::Exec { command, timeout } => Arc::new(ExecSink::new(ExecSettings { command, timeout })),
        SinkKind::Email { server, port, tls, login, from, to, ca_file } => {
            let tls = match tls {
                EmailTlsConfig::StartTls => EmailTls::StartTls,
                EmailTlsConfig::Implicit => EmailTls::Implicit,
                EmailTlsConfig::None => EmailTls::None,
            };
            let settings = EmailSettings { server, port, tls, login, from, to, ca_file };
            Arc::new(EmailSink::new(settings, EMAIL_TIMEOUT).map_err(|error| Unfit {
                setting: error.setting(),
                what: error.to_string(),
                remedy: error.remedy().to_owned(),
            })?)
        }
    })
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
        let sinks = sinks(&config, &Library::default(), &mut problems);
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
}
