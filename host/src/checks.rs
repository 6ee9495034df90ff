//! Runs checks: a service's plugin, its retries, and one outcome whatever happens.

mod canaries;
mod redact;
mod runner;
mod ward;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Outcome, Secret, ServiceId};

use crate::probes::Grants;

pub use canaries::{CanaryRunner, CanarySpec, CanarySpecs};
pub use redact::Redactor;
pub use runner::PluginRunner;
pub use ward::{PluginStanding, PluginStandings};

/// How one service is checked.
#[derive(Clone, Debug)]
pub struct CheckSpec {
    /// The service's name, for the plugin's log lines.
    pub name: String,
    /// The service's zone.
    pub zone: String,
    /// The plugin's id.
    pub plugin: String,
    /// The service's settings as a JSON object, with placeholders for secrets.
    pub settings: String,
    /// Further attempts after one that found the service down.
    pub retries: u32,
    /// Bounds connecting, within one attempt.
    pub connect_timeout: Duration,
    /// Bounds the answer, within one attempt.
    pub read_timeout: Duration,
    /// What the check may reach, with the secrets that are filled in there.
    pub grants: Arc<Grants>,
    /// What must not be seen in a summary.
    pub secrets: Vec<Secret>,
}

/// What is written for a service's check to find at its next run.
pub type KeptEntries = BTreeMap<String, Vec<u8>>;

/// A run that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Whose.
    pub service: ServiceId,
    /// The verdict.
    pub outcome: Outcome,
    /// What the check wants kept; none if that is unchanged.
    pub kept: Option<KeptEntries>,
}

/// Runs a service's check. It always ends, and always with an outcome.
pub trait CheckRunner: Send + Sync {
    /// One run with its retries.
    fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>>;
}
