//! The host's IO for checks: raw observations of the outside world, and no judgement.
//!
//! A probe knows neither the sandbox nor the types of its interface; whoever hosts the plugins converts at that wall.
//! What a service's check may ask of the probes stands in its [`Grants`].

pub mod commands;
pub mod containers;
mod dial;
pub mod dns;
pub mod files;
pub mod filesystems;
mod grants;
mod handshake;
pub mod http;
pub mod icmp;
mod lane;
mod mounts;
mod net;
pub mod processes;
mod resolve;
mod roots;
pub mod system;
pub mod tcp;
pub mod tls;
mod trust;
pub mod units;

pub use grants::{CommandGrant, FileGrant, Grants, MachineGrant, NetworkGrant, SocketGrant};
pub use net::{Connection, NetError, Target};
pub use roots::system_roots;

use std::sync::Arc;

use commands::CommandProbe;
use dns::DnsProbe;
use files::FileProbe;
use filesystems::FilesystemProbe;
use http::HttpProbe;
use processes::ProcessProbe;
use resolve::Resolver;
use system::SystemProbe;
use trust::Trust;

use crate::heartbeats::Heartbeats;

/// All probes. Whoever shares them shares what they keep: certificates, lookups, places for calls that block.
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
    /// DNS.
    pub dns: DnsProbe,
    resolver: Arc<Resolver>,
    trust: Arc<Trust>,
}

impl Default for Probes {
    fn default() -> Self {
        let (resolver, trust) = (Arc::<Resolver>::default(), Arc::<Trust>::default());
        Self {
            http: HttpProbe::sharing(resolver.clone(), trust.clone()),
            heartbeats: Arc::default(),
            system: SystemProbe::default(),
            processes: ProcessProbe::default(),
            commands: CommandProbe::default(),
            files: FileProbe::default(),
            dns: DnsProbe::default(),
            resolver,
            trust,
        }
    }
}

impl Probes {
    /// Filesystems, which are asked in the same lanes as files.
    #[must_use]
    pub fn filesystems(&self) -> FilesystemProbe<'_> {
        FilesystemProbe(&self.files)
    }

    /// Sends echo requests and waits for what comes back.
    ///
    /// # Errors
    /// A [`NetError`] if none could be sent.
    pub async fn ping(
        &self,
        request: &icmp::IcmpRequest,
        grant: &NetworkGrant,
    ) -> Result<icmp::IcmpAnswer, NetError> {
        icmp::ping(request, &self.resolver, grant).await
    }

    /// Connects by TCP, sends, and waits for an answer, as far as asked for.
    ///
    /// # Errors
    /// Whatever kept the connection or any answer from coming.
    pub async fn exchange_by_tcp(
        &self,
        request: tcp::TcpRequest,
        grant: &NetworkGrant,
    ) -> Result<tcp::TcpAnswer, NetError> {
        tcp::exchange(request, &self.resolver, grant).await
    }

    /// Makes a TLS handshake, whatever the certificate is worth.
    ///
    /// # Errors
    /// Whatever kept the handshake from coming about. That the certificate is not to be trusted is none.
    pub async fn shake_hands(
        &self,
        request: tls::TlsRequest,
        grants: &Grants,
    ) -> Result<tls::TlsAnswer, NetError> {
        tls::shake_hands(request, &self.resolver, &self.trust, grants).await
    }
}

#[cfg(test)]
#[path = "../../tests/fixtures/web.rs"]
mod web;
