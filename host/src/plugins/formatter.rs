//! Calling a formatter plugin.

use pihook_core::silence::zone_of;
use pihook_core::{Alert, AlertKind, Colour, Field, FieldLayout, Message, Severity};
use wasmtime::Store;

use super::Plugin;
use super::bindings::check::pihook::plugin::types as wit_types;
use super::bindings::digests;
use super::bindings::formatter as bindings;
use super::bindings::formatter::pihook::plugin::alerts as wit;
use super::briefing::{Briefing, status};
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
        briefing: Briefing,
        reach: Reach,
    ) -> Result<Message, PluginError> {
        let super::Kind::Formatter { format, .. } = &self.kind else {
            return Err(self.error(Fault::Failed("it is a check and not a formatter".into())));
        };
        self.word(Format(format, alert_to_guest(alert), target_to_guest(target)), briefing, reach).await
    }

    /// Makes one message of several alerts, oldest first.
    pub async fn digest(
        &self,
        alerts: &[Alert],
        target: &FormatTarget,
        briefing: Briefing,
        reach: Reach,
    ) -> Result<Message, PluginError> {
        let super::Kind::Formatter { digest: Some(digest), .. } = &self.kind else {
            return Err(self.error(Fault::Failed("it words single alerts only".into())));
        };
        let alerts = alerts.iter().map(alert_to_guest).collect();
        self.word(Digest(digest, alerts, target_to_guest(target)), briefing, reach).await
    }

    async fn word(
        &self,
        call: impl AsyncCall<Result<wit::Message, String>>,
        briefing: Briefing,
        reach: Reach,
    ) -> Result<Message, PluginError> {
        let mut store = store(&self.engine, &self.label, &self.limits, reach);
        store.data_mut().briefing = briefing;
        let answer = finish(&self.engine, &self.limits, &mut store, call).await;
        let said = answer
            .and_then(|answer| answer.map_err(|text| Fault::Failed(one_line(&text, TITLE_BYTES))))
            .and_then(message);
        said.map_err(|fault| self.error(fault))
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

struct Digest<'a>(&'a digests::DigestsAlonePre<RunState>, Vec<wit::Alert>, wit::Target);

impl AsyncCall<Result<wit::Message, String>> for Digest<'_> {
    async fn call(self, store: &mut Store<RunState>) -> wasmtime::Result<Result<wit::Message, String>> {
        let Digest(pre, alerts, target) = self;
        let plugin = pre.instantiate_async(&mut *store).await?;
        plugin.pihook_plugin_digests().call_digest(store, &alerts, &target).await
    }
}

/// Converts what the guest said. What is far longer than any sink takes is a fault and not cut: nobody wants half of it.
pub(super) fn message(message: wit::Message) -> Result<Message, Fault> {
    let too_long = |what: &str, found: usize, most: usize| {
        (found > most).then(|| Fault::BadAnswer(format!("{what} {found}, and {most} are allowed")))
    };
    let values = message.fields.iter().map(|field| field.value.len()).max().unwrap_or(0);
    let names = message.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    let overlong = too_long("the title's bytes are", message.title.len(), TITLE_BYTES)
        .or_else(|| too_long("the body's bytes are", message.body.len(), BODY_BYTES))
        .or_else(|| too_long("its fields are", message.fields.len(), FIELDS))
        .or_else(|| too_long("a field's bytes are", values, BODY_BYTES))
        .or_else(|| too_long("a label's bytes are", names, TITLE_BYTES));
    if let Some(fault) = overlong {
        return Err(fault);
    }
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
        status: status(alert.status),
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
        ext: about(alert).into_iter().collect(),
    }
}

/// What the alert is about, where that is no service.
fn about(alert: &Alert) -> Option<(String, String)> {
    zone_of(alert.service.as_str()).map(|_| ("about".to_owned(), "zone".to_owned()))
}
