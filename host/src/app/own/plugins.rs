//! `pihook:plugin:ID`: whether a check's plugin is run, or left alone since it breaks again and again.

use std::collections::BTreeSet;

use pihook_core::{Outcome, Service, ServiceId, SinkId, Status, Timestamp};

use super::{outcome, pushed};
use crate::checks::PluginStanding;
use crate::config::Config;
use crate::words::{MINUTES, local};

fn id(plugin: &str) -> ServiceId {
    ServiceId::new(&format!("pihook:plugin:{plugin}"))
}

/// The plugins that check services, each as a service.
pub(super) fn services(config: &Config, sinks: &[SinkId]) -> Vec<Service> {
    let plugins: BTreeSet<&str> = of(config).collect();
    let service = |plugin| pushed(id(plugin), format!("PiHook's plugin {plugin}"), sinks.to_vec());
    plugins.into_iter().map(service).collect()
}

/// Whether the configuration has the plugin check a service.
pub(in super::super) fn uses(config: &Config, plugin: &str) -> bool {
    of(config).any(|used| used == plugin)
}

fn of(config: &Config) -> impl Iterator<Item = &str> {
    config.services.iter().map(|service| service.check.plugin.as_str())
}

/// How a plugin behaves.
pub(in super::super) fn standing(
    plugin: &str,
    standing: &PluginStanding,
    at: Timestamp,
) -> (ServiceId, Outcome) {
    let outcome = match standing {
        PluginStanding::Works => outcome(Status::Up, "it works".to_owned(), at),
        PluginStanding::Quarantined { until, reason } => {
            let until = local(*until, MINUTES);
            let summary =
                format!("it broke its runs again and again and is quarantined until {until}: {reason}");
            outcome(Status::Down, summary, at)
        }
    };
    (id(plugin), outcome)
}
