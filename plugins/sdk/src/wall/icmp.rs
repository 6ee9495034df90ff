//! Echo requests across the wall.

use std::time::Duration;

use super::check_bindings::pihook::plugin::icmp as wit;
use super::net;
use crate::icmp::{Answer, Request};
use crate::net::Error;

pub(crate) fn ping(request: &Request) -> Result<Answer, Error> {
    let request = wit::Request {
        host: request.host.clone(),
        count: request.count,
        interval_ms: millis(request.interval),
        timeout_ms: millis(request.timeout),
        payload_bytes: request.payload_bytes,
    };
    wit::ping(&request).map(answer).map_err(net::error)
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn answer(answer: wit::Answer) -> Answer {
    let wit::Answer { address, dns_ms, round_trips_ms, complaint } = answer;
    Answer { address, dns_ms, round_trips_ms, complaint }
}
