//! The host's IO for checks: raw observations of the outside world, and no judgement.
//!
//! A probe knows neither the sandbox nor the types of its interface; whoever hosts the plugins converts at that wall.
//! What a service's check may ask of the probes stands in its [`Grants`].

pub mod commands;
pub mod containers;
pub mod files;
pub mod filesystems;
mod grants;
pub mod http;
mod lane;
mod mounts;
pub mod processes;
mod roots;
pub mod system;
pub mod units;

pub use grants::{CommandGrant, FileGrant, Grants, MachineGrant, NetworkGrant, SocketGrant};
pub use roots::system_roots;

use std::sync::Arc;

use commands::CommandProbe;
use files::FileProbe;
use filesystems::FilesystemProbe;
use http::HttpProbe;
use processes::ProcessProbe;
use system::SystemProbe;

use crate::heartbeats::Heartbeats;

/// All probes. Whoever shares them shares what they keep: certificates, lookups, places for calls that block.
#[derive(Default)]
pub struct Probes {
    /// HTTP.
    pub http: HttpProbe,
    /// Signs of life that jobs send by themselves.
    pub heartbeats: Arc<Heartbeats>,
    /// The machine itself.
    pub system: SystemProbe,
    /// Running processes.
    pub processes: ProcessProbe,
    /// Commands.
    pub commands: CommandProbe,
    /// Files.
    pub files: FileProbe,
}

impl Probes {
    /// Filesystems, which are asked in the same lanes as files.
    #[must_use]
    pub fn filesystems(&self) -> FilesystemProbe<'_> {
        FilesystemProbe(&self.files)
    }
}
