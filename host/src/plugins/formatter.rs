//! Calling a formatter plugin.

use pihook_core::{Alert, AlertKind, Colour, Field, FieldLayout, Message, Severity, Status};
use wasmtime::Store;

use super::Plugin;
use super::bindings::check::pihook::plugin::types as wit_types;
use super::bindings::formatter as bindings;
use super::bindings::formatter::exports::pihook::plugin::formatter as wit;
use super::check::{bounded, one_line};
use super::fault::{Fault, PluginError};
use super::run::{AsyncCall, Reach, RunState, finish, store};

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatTarget {
    /// The sink's type, such as `discord`.
    pub sink: String,
    /// The host's offset from UTC at the alert's time, in seconds.
    pub utc_offset_seconds: i32,
    /// The abbreviation of the host's time zone.
    pub zone_abbreviation: String,
}

const TITLE_BYTES: usize = 1 << 10;
const BODY_BYTES: usize = 16 << 10;
const FIELDS: usize = 25;

impl Plugin {
    /// Words the alert.
    pub async fn format(
        &self,
        alert: &Alert,
        target: &FormatTarget,
        reach: Reach,
    ) -> Result<Message, PluginError> {
        self.try_format(alert, target, reach).await.map_err(|fault| self.error(fault))
    }

    async fn try_format(&self, alert: &Alert, target: &FormatTarget, reach: Reach) -> Result<Message, Fault> {
        let super::Kind::Formatter(format) = &self.kind else {
            return Err(Fault::Failed("it is a check and not a formatter".into()));
        };
        let mut store = store(&self.engine, &self.label, &self.limits, reach);
        let call = Format(format, alert_to_guest(alert), target_to_guest(target));
        let answer = finish(&self.engine, &self.limits, &mut store, call).await?;
        message(answer.map_err(|text| Fault::Failed(one_line(&text, TITLE_BYTES)))?)
    }
}

struct Format<'a>(&'a bindings::FormatterPluginPre<RunState>, wit::Alert, wit::Target);

impl AsyncCall<Result<wit::Message, String>> for Format<'_> {
    async fn call(self, store: &mut Store<RunState>) -> wasmtime::Result<Result<wit::Message, String>> {
        let Format(pre, alert, target) = self;
        let plugin = pre.instantiate_async(&mut *store).await?;
        plugin.pihook_plugin_formatter().call_format(store, &alert, &target).await
    }
}

/// Converts and bounds what the guest said.
pub(super) fn message(message: wit::Message) -> Result<Message, Fault> {
    let title = one_line(&message.title, TITLE_BYTES);
    if title.is_empty() {
        return Err(Fault::BadAnswer("the title is empty".into()));
    }
    Ok(Message {
        title,
        body: lines(&message.body),
        fields: message.fields.into_iter().take(FIELDS).map(field).collect(),
        colour: match message.colour {
            wit::Colour::Good => Colour::Good,
            wit::Colour::Warning => Colour::Warning,
            wit::Colour::Bad => Colour::Bad,
            wit::Colour::Neutral => Colour::Neutral,
        },
    })
}

fn field(field: wit::Field) -> Field {
    Field {
        name: one_line(&field.name, TITLE_BYTES),
        value: lines(&field.value),
        layout: if field.inline { FieldLayout::Cell } else { FieldLayout::Row },
    }
}

/// Text of several lines, bounded, without other control characters.
fn lines(text: &str) -> String {
    bounded(text.chars().filter(|c| *c == '\n' || !c.is_control()), BODY_BYTES)
}

fn target_to_guest(target: &FormatTarget) -> wit::Target {
    wit::Target {
        sink: target.sink.clone(),
        utc_offset_seconds: target.utc_offset_seconds,
        zone_abbreviation: target.zone_abbreviation.clone(),
        ext: Vec::new(),
    }
}

fn alert_to_guest(alert: &Alert) -> wit::Alert {
    wit::Alert {
        kind: match alert.kind {
            AlertKind::Opened => wit::Kind::Opened,
            AlertKind::Escalated => wit::Kind::Escalated,
            AlertKind::Reminder => wit::Kind::Reminder,
            AlertKind::Recovered => wit::Kind::Recovered,
            AlertKind::Notice => wit::Kind::Notice,
        },
        reason: alert.reason.as_str().to_owned(),
        incident: alert.incident.0,
        service: alert.name.to_string(),
        zone: alert.zone.to_string(),
        status: match alert.status {
            Status::Up => wit_types::Status::Up,
            Status::Degraded => wit_types::Status::Degraded,
            Status::Down => wit_types::Status::Down,
            Status::Unknown => wit_types::Status::Unknown,
        },
        severity: match alert.severity {
            Severity::Info => wit_types::Severity::Info,
            Severity::Warning => wit_types::Severity::Warning,
            Severity::Critical => wit_types::Severity::Critical,
        },
        level: alert.level,
        at_ms: alert.at.as_millisecond(),
        since_ms: alert.since.as_millisecond(),
        lasted_ms: u64::try_from(alert.lasted.as_millis()).unwrap_or(u64::MAX),
        failures: alert.failures,
        summary: alert.summary.clone(),
        response_ms: alert.response_time.map(|time| time.as_secs_f64() * 1000.0),
        ext: Vec::new(),
    }
}
