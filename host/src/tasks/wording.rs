//! Words alerts by formatter plugins; by the built-in wording whenever a plugin does not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use pihook_core::plain::{plain_digest, plain_message};
use pihook_core::{Alert, Message, ServiceId};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::deliver::{Formatter, Formatting};
use crate::clock::Clock;
use crate::plugins::{Briefing, FormatTarget, Kept, Library, PastOutcome, Plugin, Reach};
use crate::sinks::measure_of;
use crate::store::{Recent, StoreError, StoreReader};
use crate::words::chain;

/// Versions that are remembered as faulty; beyond that the list begins anew, and at worst one is told of twice.
const VERSIONS: usize = 256;

/// The outcomes that a formatter is told of.
const RECENT: usize = 20;

/// Formatter plugins, replaced as a whole by a reload.
pub struct PluginFormatter {
    library: Mutex<Arc<Library>>,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    /// Where the history is; none of it is told without.
    database: Option<PathBuf>,
    conditions: watch::Sender<Conditions>,
    /// Versions whose fault was told: each is told once.
    told: Mutex<BTreeSet<String>>,
}

/// How a formatter is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It words alerts.
    Works,
    /// The built-in wording goes out instead, for this reason.
    Faulty(String),
}

/// How each formatter is doing that was faulty once.
pub type Conditions = BTreeMap<String, Condition>;

/// The service that stands for a formatter among PiHook's own.
#[must_use]
pub fn own_service(formatter: &str) -> ServiceId {
    ServiceId::new(&format!("pihook:formatter:{formatter}"))
}

impl PluginFormatter {
    /// Formatters of this library, telling times of day in this zone.
    #[must_use]
    pub fn new(library: Arc<Library>, clock: Arc<dyn Clock>, zone: TimeZone) -> Self {
        let conditions = watch::Sender::new(Conditions::new());
        Self { library: Mutex::new(library), clock, zone, database: None, conditions, told: Mutex::default() }
    }

    /// The same, telling of the history in this database.
    #[must_use]
    pub fn with_history(self, database: PathBuf) -> Self {
        Self { database: Some(database), ..self }
    }

    /// From now on the formatters of this library. A message that is being worded keeps its own.
    pub fn replace(&self, library: Arc<Library>) {
        *self.library.lock().unwrap_or_else(PoisonError::into_inner) = library;
    }

    /// How the formatters are doing.
    #[must_use]
    pub fn conditions(&self) -> watch::Receiver<Conditions> {
        self.conditions.subscribe()
    }

    /// What the plugin makes of the alert.
    ///
    /// # Errors
    /// The plugin's fault; there being no such plugin is one too.
    pub async fn try_format(&self, id: &str, alert: &Alert, sink_kind: &str) -> Result<Message, String> {
        let recent = self.recent(alert).await;
        self.try_format_with(id, alert, sink_kind, recent).await
    }

    /// The same, with a history of the caller's choice.
    ///
    /// # Errors
    /// As for [`PluginFormatter::try_format`].
    pub async fn try_format_with(
        &self,
        id: &str,
        alert: &Alert,
        sink_kind: &str,
        recent: Recent,
    ) -> Result<Message, String> {
        let plugin = self.plugin(id)?;
        let target = target(alert, sink_kind, &self.zone);
        let worded = plugin.format(alert, &target, briefing(recent, sink_kind), self.reach()).await;
        worded.map_err(|error| error.to_string())
    }

    /// The one message that the plugin makes of several alerts, oldest first.
    ///
    /// # Errors
    /// As for [`PluginFormatter::try_format`]; that it words single alerts only is one too.
    pub async fn try_digest(&self, id: &str, alerts: &[Alert], sink_kind: &str) -> Result<Message, String> {
        let plugin = self.plugin(id)?;
        let newest = alerts.last().ok_or_else(|| "there is nothing to word".to_owned())?;
        let target = target(newest, sink_kind, &self.zone);
        let briefing = briefing(Recent::default(), sink_kind);
        let worded = plugin.digest(alerts, &target, briefing, self.reach()).await;
        worded.map_err(|error| error.to_string())
    }

    /// The same; none on any fault, which is reported.
    pub async fn digested(&self, id: &str, alerts: &[Alert], sink_kind: &str) -> Option<Message> {
        // Of its own trouble a faulty formatter says nothing.
        if alerts.iter().any(|alert| alert.service == own_service(id)) {
            return None;
        }
        self.reported(id, self.try_digest(id, alerts, sink_kind).await)
    }

    async fn formatted(&self, sinks_own: &str, alert: &Alert, sink_kind: &str) -> Message {
        // One that is not there any more was named by an older configuration.
        let chosen = alert.formatter.as_deref().filter(|id| self.library().get(id).is_some());
        let id = chosen.unwrap_or(sinks_own);
        if alert.service == own_service(id) {
            return plain_message(alert);
        }
        let worded = self.try_format(id, alert, sink_kind).await;
        self.reported(id, worded).unwrap_or_else(|| plain_message(alert))
    }

    /// Passes a message on, or says that there is none: once for each version of a plugin, not for each alert.
    fn reported(&self, id: &str, worded: Result<Message, String>) -> Option<Message> {
        match worded {
            Ok(message) => {
                self.conditions.send_if_modified(|all| match all.get_mut(id) {
                    Some(condition @ Condition::Faulty(_)) => {
                        *condition = Condition::Works;
                        true
                    }
                    _ => false,
                });
                Some(message)
            }
            Err(fault) => {
                let version =
                    self.plugin(id).map_or_else(|_| id.to_owned(), |plugin| plugin.label().to_owned());
                if self.is_news(version) {
                    warn!("alerts go out in the built-in wording: {fault}");
                    self.conditions.send_modify(|all| {
                        all.insert(id.to_owned(), Condition::Faulty(fault));
                    });
                } else {
                    debug!("again an alert goes out in the built-in wording: {fault}");
                }
                None
            }
        }
    }

    fn is_news(&self, version: String) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= VERSIONS {
            told.clear();
        }
        told.insert(version)
    }

    fn library(&self) -> Arc<Library> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn plugin(&self, id: &str) -> Result<Arc<Plugin>, String> {
        match self.library().get(id) {
            Some(Ok(plugin)) => Ok(plugin.clone()),
            // A compiler's complaint has many lines.
            Some(Err(error)) => {
                let reason = chain(error.as_ref()).split_whitespace().collect::<Vec<_>>().join(" ");
                Err(format!("plugin {id}: {reason}"))
            }
            None => Err(format!("there is no formatter {id}")),
        }
    }

    fn reach(&self) -> Reach {
        Reach { clock: self.clock.clone(), outside: None, kept: Kept::default() }
    }

    /// The history of the alert's service up to the alert; empty where it cannot be read. Read beside the writer, on a
    /// thread where it may take its time.
    async fn recent(&self, alert: &Alert) -> Recent {
        let Some(database) = self.database.clone() else { return Recent::default() };
        let (service, until) = (alert.service.clone(), alert.at);
        let read = move || -> Result<Recent, StoreError> {
            StoreReader::open(&database)?.recent(&service, until, RECENT)
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(recent)) => recent,
            Ok(Err(error)) => {
                debug!("an alert is worded without its history: {}", chain(&error));
                Recent::default()
            }
            Err(_) => Recent::default(),
        }
    }
}

impl Formatter for PluginFormatter {
    fn format<'a>(&'a self, formatter: &'a str, alert: &'a Alert, sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(self.formatted(formatter, alert, sink_kind))
    }

    fn digest<'a>(&'a self, formatter: &'a str, alerts: &'a [Alert], sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(async move {
            self.digested(formatter, alerts, sink_kind).await.unwrap_or_else(|| plain_digest(alerts))
        })
    }
}

fn briefing(recent: Recent, sink_kind: &str) -> Briefing {
    let past = recent.outcomes.into_iter().map(|outcome| PastOutcome {
        at: outcome.at,
        status: outcome.status,
        response_ms: outcome.response_ms,
        in_maintenance: outcome.in_maintenance,
    });
    Briefing {
        recent: past.collect(),
        uptime_day: recent.uptime_day,
        uptime_week: recent.uptime_week,
        limits: measure_of(sink_kind),
    }
}

/// Where the message goes, with the time zone's offset at the time of the alert.
fn target(alert: &Alert, sink_kind: &str, zone: &TimeZone) -> FormatTarget {
    let at = zone.to_offset_info(alert.at);
    FormatTarget {
        sink: sink_kind.to_owned(),
        utc_offset_seconds: at.offset().seconds(),
        zone_abbreviation: at.abbreviation().to_owned(),
    }
}
