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
