//! What PiHook watches of itself: an invalid configuration, a sink that refuses everything and a plugin that breaks are
//! incidents like any other, so they are told once, and survive a restart. So are zones that are cut off.

pub(super) mod clock;
pub(super) mod daemon;
pub(super) mod disk;
pub(super) mod plugins;
pub(super) mod schedule;
pub(super) mod zones;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use pihook_core::monitor::Setup;
use pihook_core::silence::zone_of;
use pihook_core::{
    After, Cadence, Ladder, Level, Outcome, Service, ServiceId, Severity, SinkId, Status, Timestamp, ZoneId,
};

use super::{assemble, judge};
use crate::config::{Config, Problems};
use crate::plugins::Library;
use crate::store::{RegisteredService, Store, StoreError};
use crate::tasks::deliver::Standing;
use crate::tasks::wording::{Condition, own_service};
use crate::words::count;

/// The zone of what is PiHook's alone. Ids of all of them cannot be a user's: no slug has a colon.
const ZONE: &str = "pihook";
/// What history says of their checks.
const CHECK: &str = "pihook";

/// What the monitor watches: the configured services and PiHook's own, and the windows of maintenance. What plugins can do
/// decides which services depend on their zone.
pub(super) fn setup(config: &Config, library: &Library) -> Setup {
    let configured = config.services.iter().map(|service| zones::dependent(service, config, library));
    Setup { services: configured.chain(own(config)).collect(), windows: config.windows.clone() }
}

fn own(config: &Config) -> impl Iterator<Item = Service> {
    let sinks = config.sinks.keys().map(|sink| of_sink(sink, config));
    let everybody: Vec<SinkId> = config.sinks.keys().cloned().collect();
    let formatters: BTreeSet<&str> = judge::formatters(config).map(|(_, id)| id).collect();
    let formatters = formatters.into_iter().map(|id| of_formatter(id, config));
    let plugins = plugins::services(config, &everybody);
    let of_process = [configuration(config), damaged(config), daemon::service(everybody.clone())];
    let of_machine =
        [disk::service(everybody.clone()), clock::service(everybody.clone()), schedule::service(everybody)];
    let of_process = of_process.into_iter().chain(of_machine);
    of_process.chain(sinks).chain(formatters).chain(plugins).chain(zones::services(config))
}

/// Lists the services in the database, and names PiHook's own there.
pub(super) async fn register(store: &Store, config: &Config) -> Result<(), StoreError> {
    store.register(assemble::registered(config)).await?;
    for Service { id, name, zone, cadence, .. } in own(config).chain([history()]) {
        let every = match cadence {
            Cadence::Every(every) => Some(every),
            Cadence::Pushed => None,
        };
        let check = if zone_of(id.as_str()).is_some() { zones::CHECK } else { CHECK };
        let named = RegisteredService { id, name: name.to_string(), zone, check: check.to_owned(), every };
        store.register_internal(named).await?;
    }
    Ok(())
}

fn configuration_id() -> ServiceId {
    ServiceId::new("pihook:configuration")
}

fn sink_id(sink: &SinkId) -> ServiceId {
    ServiceId::new(&format!("pihook:sink:{sink}"))
}

/// The configuration as a service.
fn configuration(config: &Config) -> Service {
    let everybody = config.sinks.keys().cloned().collect();
    pushed(configuration_id(), "PiHook's configuration".to_owned(), everybody)
}

/// A sink as a service. The others are told: it cannot say itself that it is dumb.
fn of_sink(sink: &SinkId, config: &Config) -> Service {
    let others = config.sinks.keys().filter(|other| *other != sink).cloned().collect();
    pushed(sink_id(sink), format!("PiHook's sink {sink}"), others)
}

/// A formatter as a service. Its own news are worded without it.
fn of_formatter(id: &str, config: &Config) -> Service {
    let everybody = config.sinks.keys().cloned().collect();
    pushed(own_service(id), format!("PiHook's formatter {id}"), everybody)
}

/// A service whose first failure is told to these.
fn pushed(id: ServiceId, name: String, sinks: Vec<SinkId>) -> Service {
    let level = Level {
        after: After::Failures(NonZeroU32::MIN),
        severity: Severity::Warning,
        sinks,
        mention: None,
        formatter: None,
        repeat: None,
    };
    Service {
        id,
        name: Arc::from(name),
        zone: ZoneId::new(ZONE),
        cadence: Cadence::Pushed,
        recover_after: NonZeroU32::MIN,
        depends_on: Vec::new(),
        flap: None,
        ladder: Arc::new(Ladder::new(level, Vec::new())),
        degraded: None,
    }
}

/// The database as a service that has news: it was damaged and is replaced.
fn damaged(config: &Config) -> Service {
    Service { ladder: configuration(config).ladder, ..database() }
}

/// A database that was damaged. What is pushed keeps nothing, so with this the store forgets that it is to be told.
pub(super) fn replaced(news: String, at: Timestamp) -> (ServiceId, Outcome) {
    let said = outcome(Status::Up, "a fresh database goes on".to_owned(), at);
    (database().id, Outcome { notice: Some(news), ..said })
}

/// The database as a service. It is told past the outbox, and no incident in the database.
pub(super) fn database() -> Service {
    pushed(ServiceId::new("pihook:database"), "PiHook's database".to_owned(), Vec::new())
}

/// The history as a service: it speaks once a week.
pub(super) fn history() -> Service {
    pushed(ServiceId::new("pihook:history"), "PiHook's weekly report".to_owned(), Vec::new())
}

/// A configuration that was accepted.
pub(super) fn valid(config: &Config, at: Timestamp) -> (ServiceId, Outcome) {
    let summary = format!("valid, {}", count(config.services.len(), "service"));
    (configuration_id(), outcome(Status::Up, summary, at))
}

/// A configuration that was not. The text has no secret in it: problems never do.
pub(super) fn invalid(problems: &Problems, at: Timestamp) -> (ServiceId, Outcome) {
    let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
    let more = match problems.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more: `pihook validate` lists them)", count - 1),
    };
    let summary = format!("the changed file is not used, the one before goes on: {first}{more}");
    (configuration_id(), outcome(Status::Down, summary, at))
}

/// How a sink is doing.
pub(super) fn standing(sink: &SinkId, standing: &Standing, at: Timestamp) -> (ServiceId, Outcome) {
    let outcome = match standing {
        Standing::Works => outcome(Status::Up, "in use".to_owned(), at),
        Standing::Disabled(why) => outcome(Status::Down, format!("it takes nothing: {why}"), at),
    };
    (sink_id(sink), outcome)
}

/// How a formatter is doing.
pub(super) fn condition(formatter: &str, condition: &Condition, at: Timestamp) -> (ServiceId, Outcome) {
    let outcome = match condition {
        Condition::Works => outcome(Status::Up, "it words alerts".to_owned(), at),
        Condition::Faulty(why) => {
            outcome(Status::Down, format!("alerts go out in the built-in wording: {why}"), at)
        }
    };
    (own_service(formatter), outcome)
}

fn outcome(status: Status, summary: String, at: Timestamp) -> Outcome {
    Outcome { status, summary, notice: None, response_time: None, attempts: 1, metrics: Vec::new(), at }
}
