//! The host's IO for checks: raw observations of the outside world, and no judgement.
//!
//! A probe knows neither the sandbox nor the types of its interface; whoever hosts the plugins converts at that wall.
//! What a service's check may ask of the probes stands in its [`Grants`].

mod dial;
mod grants;
mod handshake;
pub mod http;
mod lane;
mod net;
mod resolve;
mod roots;
pub mod tcp;
pub mod tls;
mod trust;

pub use grants::{Grants, MachineGrant, NetworkGrant};
pub use net::{Connection, NetError, Target};
pub use roots::system_roots;

use std::sync::Arc;

use http::HttpProbe;
use resolve::Resolver;
use trust::Trust;

use crate::heartbeats::Heartbeats;

/// All probes. Whoever shares them shares what they keep: certificates, lookups, places for calls that block.
pub struct Probes {
    /// HTTP.
    pub http: HttpProbe,
    /// Signs of life that jobs send by themselves.
    pub heartbeats: Arc<Heartbeats>,
    resolver: Arc<Resolver>,
    trust: Arc<Trust>,
}

impl Default for Probes {
    fn default() -> Self {
        let (resolver, trust) = (Arc::<Resolver>::default(), Arc::<Trust>::default());
        Self {
            http: HttpProbe::sharing(resolver.clone(), trust.clone()),
            heartbeats: Arc::default(),
            resolver,
            trust,
        }
    }
}

impl Probes {
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
