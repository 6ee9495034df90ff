//! Zones with canaries as services: what is in such a zone depends on its zone.

use std::sync::Arc;

use pihook_core::silence::zone_service;
use pihook_core::{Cadence, Service, ZoneId};

use crate::checks::{CanarySpec, CanarySpecs};
use crate::config::{CanaryConfig, Config, ServiceConfig};
use crate::plugins::Library;

/// What history says of their checks.
pub(super) const CHECK: &str = "canaries";

/// Interfaces by which a check's plugin hears from the network.
const NETWORK: [&str; 6] = ["http", "tcp", "tls", "dns", "icmp", "heartbeat"];

/// A service for each zone that has canaries.
pub(super) fn services(config: &Config) -> impl Iterator<Item = Service> {
    config.canaries.iter().map(|(zone, canaries)| service(zone, canaries))
}

fn service(zone: &ZoneId, canaries: &CanaryConfig) -> Service {
    Service {
        id: zone_service(zone),
        name: Arc::from(format!("Zone {zone}")),
        zone: zone.clone(),
        cadence: Cadence::Every(canaries.interval),
        recover_after: canaries.recover_after,
        depends_on: Vec::new(),
        flap: canaries.flap,
        ladder: canaries.ladder.clone(),
        degraded: None,
    }
}

/// The configured service, which depends on its zone if that has canaries and the service's check needs the network: a disk
/// is full whatever the network does.
pub(super) fn dependent(configured: &ServiceConfig, config: &Config, library: &Library) -> Service {
    let mut service = configured.service.clone();
    let needs_network = match library.get(&configured.check.plugin) {
        Some(Ok(plugin)) => plugin.imports().iter().any(|import| NETWORK.iter().any(|name| is(import, name))),
        // It cannot be run, and so it cannot tell anyway.
        _ => false,
    };
    if needs_network && config.canaries.contains_key(&service.zone) {
        service.depends_on.push(zone_service(&service.zone));
    }
    service
}

/// Whether an import, such as `pihook:plugin/http@0.1.0`, is this interface of PiHook's.
fn is(import: &str, interface: &str) -> bool {
    let name = import.strip_prefix("pihook:plugin/").and_then(|rest| rest.split('@').next());
    name == Some(interface)
}

/// How the canaries are asked.
pub(in crate::app) fn specs(config: &Config) -> CanarySpecs {
    let spec = |canaries: &CanaryConfig| CanarySpec {
        addresses: canaries.addresses.clone(),
        retries: canaries.retries,
        connect_timeout: canaries.connect_timeout,
        read_timeout: canaries.read_timeout,
    };
    config.canaries.iter().map(|(zone, canaries)| (zone_service(zone), Arc::new(spec(canaries)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_known_by_its_name_alone() {
        assert!(is("pihook:plugin/http@0.1.0", "http"));
        for import in ["pihook:plugin/http-more@0.1.0", "wasi:http/http@0.1.0", "http", ""] {
            assert!(!is(import, "http"), "{import}");
        }
    }
}
