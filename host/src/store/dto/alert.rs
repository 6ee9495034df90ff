//! Alerts and messages.

use std::sync::Arc;
use std::time::Duration;

use pihook_core::{
    Alert, AlertKind, Colour, Field, FieldLayout, IncidentId, Mention, Message, Reason, ServiceId, Severity,
    SinkId, Status, Timestamp, ZoneId,
};
use serde::{Deserialize, Serialize};

use super::text::Text;

/// An [`Alert`].
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AlertDto {
    kind: Text<AlertKind>,
    reason: Text<Reason>,
    incident: u64,
    service: Text<ServiceId>,
    name: String,
    zone: Text<ZoneId>,
    status: Text<Status>,
    severity: Text<Severity>,
    level: u32,
    mention: Option<MentionDto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    formatter: Option<String>,
    at: Text<Timestamp>,
    since: Text<Timestamp>,
    lasted: Duration,
    failures: u32,
    summary: String,
    response_time: Option<Duration>,
    sinks: Vec<Text<SinkId>>,
}

impl From<&Alert> for AlertDto {
    fn from(alert: &Alert) -> Self {
        Self {
            kind: Text(alert.kind),
            reason: Text(alert.reason),
            incident: alert.incident.0,
            service: Text(alert.service.clone()),
            name: alert.name.as_ref().to_owned(),
            zone: Text(alert.zone.clone()),
            status: Text(alert.status),
            severity: Text(alert.severity),
            level: alert.level,
            mention: alert.mention.clone().map(MentionDto::from),
            formatter: alert.formatter.as_deref().map(ToOwned::to_owned),
            at: Text(alert.at),
            since: Text(alert.since),
            lasted: alert.lasted,
            failures: alert.failures,
            summary: alert.summary.clone(),
            response_time: alert.response_time,
            sinks: alert.sinks.iter().cloned().map(Text).collect(),
        }
    }
}

impl From<AlertDto> for Alert {
    fn from(dto: AlertDto) -> Self {
        Self {
            kind: dto.kind.0,
            reason: dto.reason.0,
            incident: IncidentId(dto.incident),
            service: dto.service.0,
            name: Arc::from(dto.name),
            zone: dto.zone.0,
            status: dto.status.0,
            severity: dto.severity.0,
            level: dto.level,
            mention: dto.mention.map(Mention::from),
            formatter: dto.formatter.map(Arc::from),
            at: dto.at.0,
            since: dto.since.0,
            lasted: dto.lasted,
            failures: dto.failures,
            summary: dto.summary,
            response_time: dto.response_time,
            sinks: dto.sinks.into_iter().map(|sink| sink.0).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MentionDto {
    Here,
    Everyone,
    Role(String),
    User(String),
}

impl From<Mention> for MentionDto {
    fn from(mention: Mention) -> Self {
        match mention {
            Mention::Here => Self::Here,
            Mention::Everyone => Self::Everyone,
            Mention::Role(id) => Self::Role(id),
            Mention::User(id) => Self::User(id),
        }
    }
}

impl From<MentionDto> for Mention {
    fn from(dto: MentionDto) -> Self {
        match dto {
            MentionDto::Here => Self::Here,
            MentionDto::Everyone => Self::Everyone,
            MentionDto::Role(id) => Self::Role(id),
            MentionDto::User(id) => Self::User(id),
        }
    }
}

/// A [`Message`].
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct MessageDto {
    title: String,
    body: String,
    fields: Vec<FieldDto>,
    colour: Text<Colour>,
}

#[derive(Serialize, Deserialize)]
struct FieldDto {
    name: String,
    value: String,
    layout: Text<FieldLayout>,
}

impl From<&Message> for MessageDto {
    fn from(message: &Message) -> Self {
        let field = |field: &Field| FieldDto {
            name: field.name.clone(),
            value: field.value.clone(),
            layout: Text(field.layout),
        };
        Self {
            title: message.title.clone(),
            body: message.body.clone(),
            fields: message.fields.iter().map(field).collect(),
            colour: Text(message.colour),
        }
    }
}

impl From<MessageDto> for Message {
    fn from(dto: MessageDto) -> Self {
        let field = |dto: FieldDto| Field { name: dto.name, value: dto.value, layout: dto.layout.0 };
        Self {
            title: dto.title,
            body: dto.body,
            fields: dto.fields.into_iter().map(field).collect(),
            colour: dto.colour.0,
        }
    }
}
