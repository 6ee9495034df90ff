//! The services, what is known of each, and its single checks.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use pihook_core::monitor::Muting;
use pihook_core::{Metric, Outcome, ServiceId, Status, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::paging::{Limit, Named, Page, Params, Place};
use super::unreadable;
use crate::board::Entry;
use crate::dashboard::refusal::{Code, ErrorBody, Refusal};
use crate::dashboard::{Shared, stock};
use crate::store::LastCheck;

/// What a service is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shown {
    Up,
    Degraded,
    Down,
    /// It cannot be told.
    Unknown,
    /// It was not checked yet.
    Pending,
}

impl From<Option<Status>> for Shown {
    fn from(status: Option<Status>) -> Self {
        match status {
            Some(Status::Up) => Shown::Up,
            Some(Status::Degraded) => Shown::Degraded,
            Some(Status::Down) => Shown::Down,
            Some(Status::Unknown) => Shown::Unknown,
            None => Shown::Pending,
        }
    }
}

impl From<Status> for Shown {
    fn from(status: Status) -> Self {
        Some(status).into()
    }
}

/// A service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Service {
    /// Its identity, and the last part of its address.
    id: String,
    /// What people call it.
    service: String,
    zone: String,
    /// The plugin that checks it.
    check: String,
    /// How often it is checked; null if its outcomes are pushed in.
    interval_seconds: Option<f64>,
    /// What the newest check found.
    status: Shown,
    /// What is confirmed by as many checks as its ladder wants.
    confirmed: Shown,
    /// Since when it is well or not; null if that is not known.
    #[schema(format = "date-time")]
    since: Option<String>,
    /// Whether maintenance mutes its alerts.
    in_maintenance: bool,
    /// The number of the incident that is open.
    incident: Option<u64>,
    /// The newest check; null before the first.
    last: Option<Check>,
}

/// A check that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// When its first attempt began.
    #[schema(format = "date-time")]
    at: String,
    status: Shown,
    /// What was seen.
    summary: String,
    /// How long the service took to answer in the last attempt; null where the check has no such notion.
    response_ms: Option<f64>,
    attempts: u32,
}

/// A check that was made, as history has it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PastCheck {
    #[serde(flatten)]
    check: Check,
    /// Whether maintenance muted the service's alerts then.
    in_maintenance: bool,
}

/// A service with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Detail {
    #[serde(flatten)]
    service: Service,
    /// What the newest check has measured.
    metrics: Vec<Measured>,
    /// The settings of its check; what is secret is `***`.
    #[schema(value_type = Object)]
    settings: Value,
    uptime: Uptime,
}

/// A number that a check has measured.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Measured {
    name: String,
    value: f64,
    /// Empty for a count.
    unit: String,
}

/// The share of checks that found the service up or degraded, in percent of those that could tell, without maintenance;
/// null without any.
#[derive(Debug, Serialize, ToSchema)]
struct Uptime {
    /// Of the last 24 hours.
    day_percent: Option<f64>,
    /// Of the last seven days.
    week_percent: Option<f64>,
}

/// Which services are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this zone alone.
    zone: Option<String>,
    /// With this status alone.
    status: Option<Shown>,
    /// `next` of the page before.
    #[param(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647)]
    cursor: Option<Place>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u16, minimum = 1, maximum = 500, default = 100)]
    limit: Limit,
}

/// Which checks are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedChecks {
    /// `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,15}-[0-9]{1,4}$")]
    cursor: Option<Cursor>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u16, minimum = 1, maximum = 500, default = 100)]
    limit: Limit,
}

/// Where a page of checks begins: at the instant of the last that was shown, behind so many of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Cursor {
    at: Timestamp,
    shown: usize,
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "cursor is `next` of the page before";
        let digits = |text: &str, most: usize| {
            let fine = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            fine.then(|| text.parse::<i64>().ok()).flatten().ok_or(WRONG)
        };
        let (at, shown) = text.split_once('-').ok_or(WRONG)?;
        let at = Timestamp::from_millisecond(digits(at, 15)?).unwrap_or(Timestamp::MAX);
        Ok(Self { at, shown: usize::try_from(digits(shown, 4)?).map_err(|_| WRONG)? })
    }
}

/// The services, in the order of services.yaml.
#[utoipa::path(get, path = "/services", params(Wanted), responses((status = 200, body = Page<Service>), ErrorBody))]
pub(super) async fn list(
    State(dashboard): State<Shared>,
    Params(wanted): Params<Wanted>,
) -> Json<Page<Service>> {
    let Wanted { zone, status, cursor, limit } = wanted;
    let picture = dashboard.board.picture();
    let from = cursor.map_or(0, |place| place.get().saturating_add(1));
    let admitted = |entry: &Entry| {
        zone.as_ref().is_none_or(|zone| zone == entry.listed.zone.as_str())
            && status.is_none_or(|status| status == entry.status().into())
    };
    let rows: Vec<_> = picture
        .entries
        .iter()
        .enumerate()
        .skip(from)
        .filter(|(_, entry)| admitted(entry))
        .take(limit.and_one())
        .collect();
    Json(Page::of(rows, limit, |(place, _)| place.to_string(), |(_, entry)| Service::of(entry)))
}

/// A service with all that is known of it.
#[utoipa::path(get, path = "/services/{id}", params(("id" = String, Path, description = "The service's id")),
    responses((status = 200, body = Detail), ErrorBody))]
pub(super) async fn one(State(dashboard): State<Shared>, Named(id): Named) -> Result<Json<Detail>, Refusal> {
    let id = ServiceId::new(&id);
    let picture = dashboard.board.picture();
    let entry = picture.entries.iter().find(|entry| entry.listed.id == id).ok_or_else(|| nobody(&id))?;
    let (now, asked) = (dashboard.clock.now().wall, id.clone());
    let recent =
        stock::ask(&dashboard, move |reader| reader.recent(&asked, now, 0)).await.ok_or_else(unreadable)?;
    let settings = dashboard.configured.borrow().settings.get(&id).cloned().unwrap_or_default();
    let metrics = entry.last.iter().flat_map(|outcome| &outcome.metrics);
    Ok(Json(Detail {
        service: Service::of(entry),
        metrics: metrics.map(Measured::of).collect(),
        settings,
        uptime: Uptime { day_percent: recent.uptime_day, week_percent: recent.uptime_week },
    }))
}

/// A service's single checks, the newest first, for as long as `history.keep_checks` says. Ordinary ones reach the disk,
/// and this list, after `history.commit_every`.
#[utoipa::path(get, path = "/services/{id}/checks",
    params(("id" = String, Path, description = "The service's id"), WantedChecks),
    responses((status = 200, body = Page<PastCheck>), ErrorBody))]
pub(super) async fn checks(
    State(dashboard): State<Shared>,
    Named(id): Named,
    Params(WantedChecks { cursor, limit }): Params<WantedChecks>,
) -> Result<Json<Page<PastCheck>>, Refusal> {
    let id = ServiceId::new(&id);
    let Cursor { at, shown } = cursor.unwrap_or(Cursor { at: Timestamp::MAX, shown: 0 });
    let asked = id.clone();
    let found = stock::ask(&dashboard, move |reader| reader.checks(&asked, at, limit.and_one() + shown));
    let mut found = found.await.ok_or_else(unreadable)?.ok_or_else(|| nobody(&id))?;
    let skipped = found.iter().take(shown).take_while(|check| check.at == at).count();
    found.drain(..skipped);
    let next = (found.len() > limit.get()).then(|| {
        found.truncate(limit.get());
        let last = found.last().map_or(at, |check| check.at);
        let before = if last == at { shown } else { 0 };
        let same = found.iter().filter(|check| check.at == last).count();
        format!("{}-{}", last.as_millisecond().max(0), before + same)
    });
    Ok(Json(Page::new(found.into_iter().map(PastCheck::of).collect(), next)))
}

fn nobody(id: &ServiceId) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no service with the id {:?}", id.as_str()))
}

impl Service {
    fn of(entry: &Entry) -> Self {
        let listed = &entry.listed;
        let incident = entry.incident.as_ref();
        let since = incident.map(|incident| incident.opened).or(entry.well_since);
        Self {
            id: listed.id.to_string(),
            service: listed.name.to_string(),
            zone: listed.zone.to_string(),
            check: listed.check.to_string(),
            interval_seconds: listed.interval.map(|interval| interval.as_secs_f64()),
            status: entry.status().into(),
            confirmed: entry.health.into(),
            since: since.map(|at| at.to_string()),
            in_maintenance: entry.muting == Muting::Muted,
            incident: incident.map(|incident| incident.id.0),
            last: entry.last.as_ref().map(Check::of),
        }
    }
}

impl Check {
    fn of(outcome: &Outcome) -> Self {
        Self {
            at: outcome.at.to_string(),
            status: outcome.status.into(),
            summary: outcome.summary.clone(),
            response_ms: outcome.response_time.map(milliseconds),
            attempts: outcome.attempts,
        }
    }
}

impl PastCheck {
    fn of(check: LastCheck) -> Self {
        let LastCheck { at, status, response_ms, attempts, summary, in_maintenance } = check;
        let check = Check { at: at.to_string(), status: status.into(), summary, response_ms, attempts };
        Self { check, in_maintenance }
    }
}

impl Measured {
    fn of(metric: &Metric) -> Self {
        Self { name: metric.name.clone(), value: metric.value, unit: metric.unit.clone() }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_a_page_gave() {
        let read = |text: &str| Cursor::try_from(text.to_owned());
        let at = Timestamp::from_millisecond(1_795_000_000_123).unwrap();
        assert_eq!(read("1795000000123-2"), Ok(Cursor { at, shown: 2 }));
        assert_eq!(read("999999999999999-0").unwrap().at, Timestamp::MAX);
        for wrong in
            ["", "-", "1", "1-", "-1", "+1-1", "1-12345", "1234567890123456-0", "1-1-1", "x-1", "٣-1"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_cursor_panics(text in ".{0,40}") {
            let _ = Cursor::try_from(text);
        }
    }
}
