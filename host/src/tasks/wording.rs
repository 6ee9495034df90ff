//! Words alerts by formatter plugins; by the built-in wording whenever a plugin does not.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use pihook_core::plain::{plain_digest, plain_message};
use pihook_core::{Alert, Message};
use tracing::warn;

use super::deliver::{Formatter, Formatting};
use crate::clock::Clock;
use crate::plugins::{FormatTarget, Kept, Library, PluginError, Reach};

/// Formatter plugins, replaced as a whole by a reload.
pub struct PluginFormatter {
    library: Mutex<Arc<Library>>,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
}

impl PluginFormatter {
    /// Formatters of this library, telling times of day in this zone.
    #[must_use]
    pub fn new(library: Arc<Library>, clock: Arc<dyn Clock>, zone: TimeZone) -> Self {
        Self { library: Mutex::new(library), clock, zone }
    }

    /// From now on the formatters of this library. A message that is being worded keeps its own.
    pub fn replace(&self, library: Arc<Library>) {
        *self.library.lock().unwrap_or_else(PoisonError::into_inner) = library;
    }

    /// What the plugin makes of the alert.
    ///
    /// # Errors
    /// The plugin's fault; there being no such plugin is one too.
    pub async fn try_format(&self, id: &str, alert: &Alert, sink_kind: &str) -> Result<Message, String> {
        let library = self.library.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let plugin = match library.get(id) {
            Some(Ok(plugin)) => plugin,
            Some(Err(error)) => return Err(format!("plugin {id}: {error}")),
            None => return Err(format!("there is no formatter {id}")),
        };
        let target = target(alert, sink_kind, &self.zone);
        let reach = Reach { clock: self.clock.clone(), outside: None, kept: Kept::default() };
        plugin.format(alert, &target, reach).await.map_err(|error: PluginError| error.to_string())
    }
}

impl Formatter for PluginFormatter {
    fn format<'a>(&'a self, formatter: &'a str, alert: &'a Alert, sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(async move {
            self.try_format(formatter, alert, sink_kind).await.unwrap_or_else(|fault| {
                warn!("an alert goes out in the built-in wording: {fault}");
                plain_message(alert)
            })
        })
    }

    fn digest<'a>(&'a self, _formatter: &'a str, alerts: &'a [Alert], _sink_kind: &'a str) -> Formatting<'a> {
        Box::pin(async move { plain_digest(alerts) })
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
