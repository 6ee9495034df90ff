//! What can go wrong with a plugin. None of it is ever a service's fault.

use std::time::Duration;

/// Why a plugin gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It crashed.
    #[error("it trapped: {0}")]
    Trap(String),
    /// It computed for too long.
    #[error("it used more than {} ms of CPU time; `cpu:` in services.yaml may allow more", .0.as_millis())]
    Cpu(Duration),
    /// It took too long, waiting included.
    #[error("it gave no answer within {} s", .0.as_secs())]
    Deadline(Duration),
    /// It wanted more memory than it may have.
    #[error("it wanted more than {} MiB of memory; `memory:` in services.yaml may allow more", .0 >> 20)]
    Memory(usize),
    /// It answered with something that cannot be used.
    #[error("its answer cannot be used: {0}")]
    BadAnswer(String),
    /// It said that it could not do its work.
    #[error("{0}")]
    Failed(String),
}

impl Fault {
    /// Whether the plugin misbehaved, and did not merely say that it could not do its work.
    #[must_use]
    pub fn is_misbehaviour(&self) -> bool {
        !matches!(self, Fault::Failed(_))
    }
}

/// A [`Fault`] with the plugin that it belongs to.
#[derive(Debug, thiserror::Error)]
#[error("plugin {plugin}: {fault}")]
pub struct PluginError {
    /// Id, version and digest of the plugin.
    pub plugin: String,
    /// What happened.
    pub fault: Fault,
}
