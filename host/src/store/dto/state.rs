//! What survives a restart, of one service.

use std::time::Duration;

use pihook_core::monitor::{HeldNotice, Incident, Muting, SavedIncident, SavedService};
use pihook_core::{IncidentId, Severity, SinkId, Status, Timestamp};
use serde::{Deserialize, Serialize};

use super::text::Text;

/// A [`SavedService`].
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct ServiceDto {
    bad_streak: u32,
    good_streak: u32,
    unknown_streak: u32,
    suspect_since: Option<Text<Timestamp>>,
    suspect_for: Duration,
    incident: Option<SavedIncidentDto>,
    #[serde(default)]
    held_notice: Option<HeldNoticeDto>,
    #[serde(default)]
    outcomes: u64,
    #[serde(default)]
    explained_by: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct HeldNoticeDto {
    text: String,
    at: Text<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct SavedIncidentDto {
    record: IncidentDto,
    saved_at: Text<Timestamp>,
    status: Text<Status>,
    level: u32,
    lasted: Duration,
    told: Vec<Text<SinkId>>,
    announced: bool,
    maintenance: Text<Muting>,
    since_alert: Duration,
    held_recovery: Option<(Text<Timestamp>, Duration)>,
    last_summary: String,
    last_response_time: Option<Duration>,
    #[serde(default)]
    flapping: bool,
}

#[derive(Serialize, Deserialize)]
struct IncidentDto {
    id: u64,
    opened: Text<Timestamp>,
    closed: Option<Text<Timestamp>>,
    severity: Text<Severity>,
    status: Text<Status>,
    reason: String,
    checks_failed: u32,
    #[serde(default)]
    acknowledged: Option<Text<Timestamp>>,
}

impl From<&SavedService> for ServiceDto {
    fn from(state: &SavedService) -> Self {
        Self {
            bad_streak: state.bad_streak,
            good_streak: state.good_streak,
            unknown_streak: state.unknown_streak,
            suspect_since: state.suspect_since.map(Text),
            suspect_for: state.suspect_for,
            incident: state.incident.as_ref().map(SavedIncidentDto::from),
            held_notice: state
                .held_notice
                .as_ref()
                .map(|HeldNotice { text, at }| HeldNoticeDto { text: text.clone(), at: Text(*at) }),
            outcomes: state.outcomes,
            explained_by: state.explained_by.clone(),
        }
    }
}

impl From<ServiceDto> for SavedService {
    fn from(dto: ServiceDto) -> Self {
        Self {
            bad_streak: dto.bad_streak,
            good_streak: dto.good_streak,
            unknown_streak: dto.unknown_streak,
            suspect_since: dto.suspect_since.map(|at| at.0),
            suspect_for: dto.suspect_for,
            incident: dto.incident.map(SavedIncident::from),
            held_notice: dto.held_notice.map(|held| HeldNotice { text: held.text, at: held.at.0 }),
            outcomes: dto.outcomes,
            explained_by: dto.explained_by,
        }
    }
}

impl From<&SavedIncident> for SavedIncidentDto {
    fn from(saved: &SavedIncident) -> Self {
        Self {
            record: IncidentDto::from(&saved.record),
            saved_at: Text(saved.saved_at),
            status: Text(saved.status),
            level: saved.level,
            lasted: saved.lasted,
            told: saved.told.iter().cloned().map(Text).collect(),
            announced: saved.announced,
            maintenance: Text(saved.maintenance),
            since_alert: saved.since_alert,
            held_recovery: saved.held_recovery.map(|(at, lasted)| (Text(at), lasted)),
            last_summary: saved.last_summary.clone(),
            last_response_time: saved.last_response_time,
            flapping: saved.flapping,
        }
    }
}

impl From<SavedIncidentDto> for SavedIncident {
    fn from(dto: SavedIncidentDto) -> Self {
        Self {
            record: Incident::from(dto.record),
            saved_at: dto.saved_at.0,
            status: dto.status.0,
            level: dto.level,
            lasted: dto.lasted,
            told: dto.told.into_iter().map(|sink| sink.0).collect(),
            announced: dto.announced,
            maintenance: dto.maintenance.0,
            since_alert: dto.since_alert,
            held_recovery: dto.held_recovery.map(|(at, lasted)| (at.0, lasted)),
            last_summary: dto.last_summary,
            last_response_time: dto.last_response_time,
            flapping: dto.flapping,
        }
    }
}

impl From<&Incident> for IncidentDto {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.0,
            opened: Text(incident.opened),
            closed: incident.closed.map(Text),
            severity: Text(incident.severity),
            status: Text(incident.status),
            reason: incident.reason.clone(),
            checks_failed: incident.checks_failed,
            acknowledged: incident.acknowledged.map(Text),
        }
    }
}

impl From<IncidentDto> for Incident {
    fn from(dto: IncidentDto) -> Self {
        Self {
            id: IncidentId(dto.id),
            opened: dto.opened.0,
            closed: dto.closed.map(|at| at.0),
            severity: dto.severity.0,
            status: dto.status.0,
            reason: dto.reason,
            checks_failed: dto.checks_failed,
            acknowledged: dto.acknowledged.map(|at| at.0),
        }
    }
}
