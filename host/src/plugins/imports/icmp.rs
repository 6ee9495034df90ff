//! Echo requests at the wall.

use std::time::Duration;

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::{aside, millis, net};
use crate::probes::icmp as probe;

impl wit::icmp::Host for RunState {
    async fn ping(&mut self, request: wit::icmp::Request) -> Result<wit::icmp::Answer, wit::net::Error> {
        let outside = self.outside().map_err(wit::net::Error::Denied)?;
        let request = probe::IcmpRequest {
            host: request.host,
            count: request.count,
            interval: Duration::from_millis(request.interval_ms.into()),
            timeout: Duration::from_millis(request.timeout_ms.into()),
            payload_bytes: request.payload_bytes,
        };
        let pinged = aside(async move { outside.probes.ping(&request, &outside.grants.network).await });
        match pinged.await {
            Ok(Ok(answer)) => Ok(wit::icmp::Answer {
                address: answer.address.to_string(),
                dns_ms: answer.dns.map(millis),
                round_trips_ms: answer.round_trips.into_iter().map(|trip| trip.map(millis)).collect(),
                complaint: answer.complaint,
            }),
            Ok(Err(error)) => Err(net::error_to_guest(error)),
            Err(reason) => Err(wit::net::Error::Other(reason)),
        }
    }
}
