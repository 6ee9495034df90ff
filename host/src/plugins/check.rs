//! Calling a check plugin.

use std::time::Duration;

use pihook_core::{Metric, Status};
use wasmtime::Store;

use super::Plugin;
use super::bindings::{check as wit, settings as wit_settings};
use super::fault::{Fault, PluginError};
use super::kept::Kept;
use super::run::{AsyncCall, Reach, RunState, deadline_for, finish, store};

/// What a plugin is asked.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// The service's name.
    pub service: String,
    /// The service's zone.
    pub zone: String,
    /// The service's settings, a JSON object without secrets.
    pub settings: String,
    /// See services.yaml.
    pub connect_timeout: Duration,
    /// See services.yaml.
    pub read_timeout: Duration,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// The verdict of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The verdict.
    pub status: Status,
    /// One line, bounded, without control characters.
    pub summary: String,
    /// News that are an event and no outage; like the summary, and not empty.
    pub notice: Option<String>,
    /// How long the service took.
    pub response_time: Option<Duration>,
    /// At most 64, all of them finite.
    pub metrics: Vec<Metric>,
}

/// A mistake that a plugin found in its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Below `settings`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

const SUMMARY_BYTES: usize = 500;
const METRICS: usize = 64;
const METRIC_NAME_BYTES: usize = 64;
const PROBLEMS: usize = 100;

impl Plugin {
    /// Makes one attempt. What the check has kept is returned only if it succeeded.
    pub async fn check(&self, request: CheckRequest, reach: Reach) -> Result<(Attempt, Kept), PluginError> {
        self.try_check(request, reach).await.map_err(|fault| self.error(fault))
    }

    async fn try_check(&self, request: CheckRequest, reach: Reach) -> Result<(Attempt, Kept), Fault> {
        let super::Kind::Check { run, .. } = &self.kind else {
            return Err(Fault::Failed("it is a formatter and not a check".into()));
        };
        let limits = deadline_for(&self.limits, request.connect_timeout + request.read_timeout);
        let mut store = store(&self.engine, &self.label, &limits, reach);
        store.data_mut().read_timeout = request.read_timeout;
        let answer = finish(&self.engine, &limits, &mut store, Run(run, request)).await?;
        let outcome = answer.map_err(|failure| match failure {
            wit::exports::pihook::plugin::check::Failure::Settings(text) => {
                Fault::Failed(format!("settings: {}", one_line(&text, SUMMARY_BYTES)))
            }
            wit::exports::pihook::plugin::check::Failure::Denied(text)
            | wit::exports::pihook::plugin::check::Failure::Other(text) => {
                Fault::Failed(one_line(&text, SUMMARY_BYTES))
            }
        })?;
        Ok((attempt(outcome)?, store.into_data().reach.kept))
    }

    /// All mistakes in the settings, a JSON object. A plugin that does not check them finds none.
    pub async fn validate(&self, settings: &str, reach: Reach) -> Result<Vec<SettingsProblem>, PluginError> {
        let super::Kind::Check { validate: Some(validate), .. } = &self.kind else {
            return Ok(Vec::new());
        };
        let mut store = store(&self.engine, &self.label, &self.limits, reach);
        store.data_mut().secluded = "nothing is looked at while settings are validated";
        let call = Validate(validate, settings.to_owned());
        let problems =
            finish(&self.engine, &self.limits, &mut store, call).await.map_err(|fault| self.error(fault))?;
        Ok(problems
            .into_iter()
            .take(PROBLEMS)
            .map(|problem| SettingsProblem {
                path: one_line(&problem.path, SUMMARY_BYTES),
                what: one_line(&problem.what, SUMMARY_BYTES),
                remedy: one_line(&problem.remedy, SUMMARY_BYTES),
            })
            .collect())
    }
}

struct Run<'a>(&'a wit::CheckPluginPre<RunState>, CheckRequest);

type Answer =
    Result<wit::exports::pihook::plugin::check::Outcome, wit::exports::pihook::plugin::check::Failure>;

impl AsyncCall<Answer> for Run<'_> {
    async fn call(self, store: &mut Store<RunState>) -> wasmtime::Result<Answer> {
        let Run(pre, request) = self;
        let plugin = pre.instantiate_async(&mut *store).await?;
        let request = wit::exports::pihook::plugin::check::Request {
            service: request.service,
            zone: request.zone,
            settings: request.settings,
            connect_timeout_ms: millis(request.connect_timeout),
            read_timeout_ms: millis(request.read_timeout),
            attempt: request.attempt,
            ext: Vec::new(),
        };
        plugin.pihook_plugin_check().call_run(store, &request).await
    }
}

struct Validate<'a>(&'a wit_settings::ValidatingCheckPluginPre<RunState>, String);

type Problems = Vec<wit_settings::exports::pihook::plugin::check_settings::Problem>;

impl AsyncCall<Problems> for Validate<'_> {
    async fn call(self, store: &mut Store<RunState>) -> wasmtime::Result<Problems> {
        let Validate(pre, settings) = self;
        let plugin = pre.instantiate_async(&mut *store).await?;
        plugin.pihook_plugin_check_settings().call_validate(store, &settings).await
    }
}

/// Converts and bounds what the guest said.
pub(super) fn attempt(outcome: wit::exports::pihook::plugin::check::Outcome) -> Result<Attempt, Fault> {
    use super::bindings::check::pihook::plugin::types::Status as WitStatus;
    let status = match outcome.status {
        WitStatus::Up => Status::Up,
        WitStatus::Degraded => Status::Degraded,
        WitStatus::Down => Status::Down,
        WitStatus::Unknown => Status::Unknown,
    };
    let response_time = outcome
        .response_ms
        .map(|ms| {
            Duration::try_from_secs_f64(ms / 1000.0)
                .map_err(|_| Fault::BadAnswer(format!("a response time of {ms} ms is impossible")))
        })
        .transpose()?;
    let metrics = outcome
        .metrics
        .into_iter()
        .map(|metric| Metric {
            name: one_line(&metric.name, METRIC_NAME_BYTES),
            value: metric.value,
            unit: one_line(&metric.unit, METRIC_NAME_BYTES),
        })
        .filter(|metric| metric.value.is_finite() && !metric.name.is_empty())
        .take(METRICS)
        .collect();
    let summary = one_line(&outcome.summary, SUMMARY_BYTES);
    let notice = outcome.notice.map(|text| one_line(&text, SUMMARY_BYTES)).filter(|text| !text.is_empty());
    Ok(Attempt { status, summary, notice, response_time, metrics })
}

/// Text of a guest as it may be stored and shown: one line, without control characters, at most `bytes` long.
pub(super) fn one_line(text: &str, bytes: usize) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    bounded(visible, bytes)
}

/// The characters up to so many bytes, without white space at either end.
pub(super) fn bounded(text: impl Iterator<Item = char>, bytes: usize) -> String {
    let mut kept = String::new();
    for c in text.skip_while(|c| c.is_whitespace()) {
        if kept.len() + c.len_utf8() > bytes {
            break;
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end().len());
    kept
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
