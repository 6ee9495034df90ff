//! services.yaml: read once, checked in full, turned into types that cannot be wrong.
//!
//! [`parse`] is a function of the text and its [`Surroundings`]. It reads on after a mistake, so that all
//! [`Problems`] are told at once, each with its line, its path and what would be right. What `${…}` brings in is a
//! [`Secret`]: it is kept out of every message here and, as a placeholder, out of what plugins get to see.

mod check;
mod dashboard;
mod depends;
mod find;
mod flap;
mod history;
mod keys;
mod ladder;
mod lines;
mod load;
mod pace;
mod plugins;
mod problem;
mod push;
mod reader;
mod secrets;
mod services;
mod sinks;
mod startup;
mod tree;
mod values;
mod watchdog;
mod windows;
mod zones;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use pihook_core::absence::Policy;
use pihook_core::maintenance::Window;
use pihook_core::{Secret, SinkId, ZoneId};

pub use check::CheckConfig;
pub use dashboard::{Auth, Badges, Dashboard, Password, Reach, TlsFiles};
pub use find::{NotFound, find};
pub use history::History;
pub use load::{Surroundings, load, parse};
pub use plugins::{Allow, PluginConfig};
pub use problem::{Problem, Problems};
pub use services::ServiceConfig;
pub use sinks::{EmailTlsConfig, SinkConfig, SinkKind};
pub use watchdog::Watchdog;
pub use zones::CanaryConfig;

use lines::Lines;

/// A configuration that was checked in full.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from, as it was named.
    pub path: PathBuf,
    /// Where the database, the plugin cache and the exports live; absolute if the file's folder is.
    pub data_dir: PathBuf,
    /// The file whose presence mutes alerts.
    pub maintenance_flag: PathBuf,
    /// Where the status page is served.
    pub dashboard: Dashboard,
    /// How long history is kept.
    pub history: History,
    /// Who is told that checks are being made; none if nobody is.
    pub watchdog: Option<Watchdog>,
    /// When it is told that PiHook has started.
    pub startup_message: Policy,
    /// The declared zones.
    pub zones: BTreeSet<ZoneId>,
    /// How it is found out whether a zone is cut off, for those that have canaries.
    pub canaries: BTreeMap<ZoneId, CanaryConfig>,
    /// The windows of maintenance in the order of the file.
    pub windows: Vec<Window>,
    /// The services in the order of the file.
    pub services: Vec<ServiceConfig>,
    /// Where alerts can go.
    pub sinks: BTreeMap<SinkId, SinkConfig>,
    /// Plugins that do not come with PiHook, by their id.
    pub plugins: BTreeMap<String, PluginConfig>,
    /// Every secret value that was brought in, for redaction. None of them is empty.
    pub secrets: Vec<Secret>,
    lines: Lines,
}

/// Reads a duration as the file has them, `90s` or `2h`, for whoever takes one elsewhere. At least a second.
///
/// # Errors
/// What is wrong and what would be right.
pub fn duration(text: &str) -> Result<Duration, String> {
    let range = Duration::from_secs(1)..=Duration::from_secs(10 * 365 * 86_400);
    values::duration(text, &range).map_err(|fault| format!("{}; write {}", fault.what, fault.remedy))
}

impl Config {
    /// The line, from 1, of a path such as `services[2].settings.expect`; of its nearest ancestor that exists, if the
    /// file does not have it.
    #[must_use]
    pub fn locate(&self, path: &str) -> usize {
        self.lines.locate(path)
    }

    /// Whether the file has this path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.lines.has(path)
    }

    /// A further problem of this file, found by somebody else, such as a plugin in its settings.
    #[must_use]
    pub fn problem(&self, path: &str, what: String, remedy: String) -> Problem {
        let file = self.path.display().to_string();
        Problem { file: file.into(), line: self.locate(path), path: path.to_owned(), what, remedy }
    }
}
