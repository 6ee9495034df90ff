//! Echo requests, as `ping` sends them.

use std::time::Duration;

use crate::net::Error;

/// The most echo requests at once.
pub const MAX_COUNT: u32 = 20;

/// The most bytes that each carries.
pub const MAX_PAYLOAD_BYTES: u32 = 1400;

/// The least time between two.
pub const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// A few echo requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A name or an address.
    pub host: String,
    /// How many; at most [`MAX_COUNT`].
    pub count: u32,
    /// The time between two; at least [`MIN_INTERVAL`].
    pub interval: Duration,
    /// How long resolving the name may take, and then each answer.
    pub timeout: Duration,
    /// How many bytes each carries; at most [`MAX_PAYLOAD_BYTES`].
    pub payload_bytes: u32,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The address that was asked.
    pub address: String,
    /// Name resolution, in milliseconds; none for an address.
    pub dns_ms: Option<f64>,
    /// The time that each took to come back, in milliseconds; none for those that did not.
    pub round_trips_ms: Vec<Option<f64>>,
    /// What the network said instead, such as `no route to the host`; empty if nothing.
    pub complaint: String,
}

/// Sends them and waits for the answers.
///
/// # Errors
/// An [`Error`] if none could be sent. That no answer came is none.
pub fn ping(request: &Request) -> Result<Answer, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::icmp::ping(request);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to ping {}: this is a native build", request.host)))
}
