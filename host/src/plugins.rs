//! The sandbox: plugins are WebAssembly components that judge and word, and reach the outside only through the host.
//!
//! A plugin is compiled by a child process into a private cache and mapped from there. Each run gets a fresh store
//! with bounds on memory, CPU time and duration. Whatever a plugin does, the worst that comes out is a
//! [`PluginError`]. wasmtime's types do not leave this module.

#[doc(hidden)]
pub mod answers;
mod bindings;
mod briefing;
mod cache;
mod check;
mod compile;
mod digest;
mod engine;
mod fault;
mod formatter;
mod imports;
mod kept;
mod library;
mod limits;
mod load;
mod log_lines;
mod run;
mod source;
mod stderr;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use briefing::{Briefing, PastOutcome};
pub use check::{Attempt, CheckRequest, SettingsProblem};
pub use compile::{COMPILE_COMMAND, CompileError, Compiler, compile_from_stdin};
pub use digest::Digest;
pub use fault::{Fault, PluginError};
pub use formatter::FormatTarget;
pub use kept::Kept;
pub use library::Library;
pub use limits::Limits;
pub use load::{LoadError, PluginHost};
pub use run::{Outside, Reach};
pub use source::{BUNDLED, BUNDLED_FORMATTERS, PluginSource};

use engine::PluginEngine;
use run::RunState;

/// A plugin that is ready to run.
pub struct Plugin {
    id: String,
    /// Id and digest, as messages name it.
    label: String,
    /// What names its compiled file.
    digest: Digest,
    engine: Arc<PluginEngine>,
    limits: Limits,
    kind: Kind,
    imports: Vec<String>,
}

enum Kind {
    Check {
        run: bindings::check::CheckPluginPre<RunState>,
        validate: Option<bindings::settings::ValidatingCheckPluginPre<RunState>>,
    },
    Formatter {
        format: bindings::formatter::FormatterPluginPre<RunState>,
        digest: Option<bindings::digests::DigestsAlonePre<RunState>>,
    },
}

impl Plugin {
    /// Its id in services.yaml.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What identifies its bytes.
    #[must_use]
    pub fn file_digest(&self) -> &Digest {
        &self.digest
    }

    /// What a run of it may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The interfaces that it imports, sorted.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether it is a check; otherwise it is a formatter.
    #[must_use]
    pub fn is_check(&self) -> bool {
        matches!(self.kind, Kind::Check { .. })
    }

    /// Whether it is a formatter that makes one message of many alerts.
    #[must_use]
    pub fn is_digester(&self) -> bool {
        matches!(self.kind, Kind::Formatter { digest: Some(_), .. })
    }

    /// Its id and its digest: what tells one version from another.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    fn error(&self, fault: Fault) -> PluginError {
        PluginError { plugin: self.label.clone(), fault }
    }
}
