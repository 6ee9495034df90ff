//! What a check is given and what it answers.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Ext;

/// The verdict on a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// It does what it should.
    Up,
    /// It answers, but not as it should.
    Degraded,
    /// It does not do what it should.
    Down,
    /// The plugin cannot tell.
    #[default]
    Unknown,
}

/// A number that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Lower case with underscores, such as `used_percent`.
    pub name: String,
    /// Finite; the host drops others.
    pub value: f64,
    /// Such as `percent`, `bytes`, `ms`, `seconds`; empty for a count.
    pub unit: String,
}

/// The verdict of one attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The verdict.
    pub status: Status,
    /// One line for a human: what was seen, and by how much it was off. The host keeps 500 bytes.
    pub summary: String,
    /// News that are an event and no outage; none, as nearly always, if there is no news. See [`Outcome::notice`].
    pub notice: Option<String>,
    /// How long the service took to answer, in milliseconds; none if the check has no such notion.
    pub response_ms: Option<f64>,
    /// What was measured. The host keeps 64.
    pub metrics: Vec<Metric>,
}

impl Outcome {
    /// The service does what it should.
    #[must_use]
    pub fn up(summary: impl Into<String>) -> Outcome {
        Outcome::new(Status::Up, summary)
    }

    /// The service answers, but not as it should.
    #[must_use]
    pub fn degraded(summary: impl Into<String>) -> Outcome {
        Outcome::new(Status::Degraded, summary)
    }

    /// The service does not do what it should.
    #[must_use]
    pub fn down(summary: impl Into<String>) -> Outcome {
        Outcome::new(Status::Down, summary)
    }

    /// A verdict without measurements.
    #[must_use]
    pub fn new(status: Status, summary: impl Into<String>) -> Outcome {
        Outcome { status, summary: summary.into(), ..Outcome::default() }
    }

    /// Adds news that are an event and no outage, such as `the address changed from 192.0.2.5 to 192.0.2.9`. It is told
    /// once, beside the verdict, and opens no incident. Whatever tells the check that it has been told goes into
    /// [`crate::state`] in the same run: both are written together or not at all. One line; the host keeps 500 bytes,
    /// and an outcome has one notice: a second one replaces the first.
    #[must_use]
    pub fn notice(mut self, text: impl Into<String>) -> Outcome {
        self.notice = Some(text.into());
        self
    }

    /// Says how long the service took to answer, in milliseconds.
    #[must_use]
    pub fn response_ms(mut self, ms: f64) -> Outcome {
        self.response_ms = Some(ms);
        self
    }

    /// Adds a measurement. The unit is such as `percent`, `bytes`, `ms`, `seconds`, or empty for a count.
    #[must_use]
    pub fn metric(mut self, name: impl Into<String>, value: f64, unit: impl Into<String>) -> Outcome {
        self.metrics.push(Metric { name: name.into(), value, unit: unit.into() });
        self
    }
}

/// Why there is no verdict: the fault is PiHook's or the configuration's, not the service's. It is logged as `unknown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The settings cannot be used: what is wrong, and what would be right.
    Settings(String),
    /// The host denied what the check needs: what, and who may grant it.
    Denied(String),
    /// Anything else.
    Other(String),
}

/// One mistake in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a path below `settings`, such as `expect.status` or `mounts[2]`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl Problem {
    /// A mistake at a path below `settings`.
    #[must_use]
    pub fn new(path: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { path: path.into(), what: what.into(), remedy: remedy.into() }
    }
}

/// What a check is told about the attempt, beside its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The service's name, for log lines. Untrusted text.
    pub service: String,
    /// The service's zone.
    pub zone: String,
    /// The time that a connection may take, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// The time that the answer may take after the request was sent.
    pub read_timeout: Duration,
    /// Which attempt of this check it is, from 1.
    pub attempt: u32,
    /// What a later host may add.
    pub ext: Ext,
}

/// A check plugin. Each attempt runs in a fresh instance: what is to be kept goes through [`crate::state`].
pub trait Check {
    /// The type that a service's `settings` are read into. Derive `Deserialize` with `deny_unknown_fields`: a mistyped
    /// key is then found and the nearest key suggested. [`crate::settings`] has types for durations and the like.
    type Settings: DeserializeOwned;

    /// Makes one attempt.
    ///
    /// # Errors
    /// A [`Failure`] if the check cannot tell how the service is.
    fn run(settings: &Self::Settings, run: &Run) -> Result<Outcome, Failure>;

    /// Mistakes that the types of the settings cannot express, such as two keys that exclude each other.
    /// `pihook validate` shows them with file and line.
    fn validate(_settings: &Self::Settings) -> Vec<Problem> {
        Vec::new()
    }
}
