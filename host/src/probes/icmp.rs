//! Echo requests over the kernel's own sockets for them, which need no privilege where `net.ipv4.ping_group_range` allows
//! it. No raw sockets: they would need one.

mod packet;
mod socket;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::net::reason;
use super::resolve::Resolver;
use super::{NetError, NetworkGrant};
use packet::Echo;

const COUNT: RangeInclusive<u32> = 1..=20;
const LEAST_INTERVAL: Duration = Duration::from_millis(10);
const MOST_PAYLOAD: u32 = 1400;

/// Echo requests to one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpRequest {
    /// A name or an address.
    pub host: String,
    /// How many, 1 to 20.
    pub count: u32,
    /// The time between two, at least 10 ms.
    pub interval: Duration,
    /// How long resolving the name may take, and each answer.
    pub timeout: Duration,
    /// How many bytes each carries, at most 1,400.
    pub payload_bytes: u32,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpAnswer {
    /// The address that was asked.
    pub address: IpAddr,
    /// Name resolution; none for an address.
    pub dns: Option<Duration>,
    /// The time that each took to come back; none for those that did not.
    pub round_trips: Vec<Option<Duration>>,
    /// What the network said instead; empty if nothing.
    pub complaint: String,
}

impl IcmpRequest {
    fn problem(&self) -> Option<String> {
        if !COUNT.contains(&self.count) {
            return Some(format!("{} echo requests: from {} to {}", self.count, COUNT.start(), COUNT.end()));
        }
        if self.interval < LEAST_INTERVAL {
            return Some(format!("{} ms between echo requests: at least 10 ms", self.interval.as_millis()));
        }
        (self.payload_bytes > MOST_PAYLOAD)
            .then(|| format!("{} bytes in each echo request: at most {MOST_PAYLOAD}", self.payload_bytes))
    }
}

/// Sends the echo requests and waits for what comes back.
///
/// # Errors
/// A [`NetError`] if none could be sent. That nothing comes back is none.
pub(super) async fn ping(
    request: &IcmpRequest,
    resolver: &Resolver,
    grant: &NetworkGrant,
) -> Result<IcmpAnswer, NetError> {
    if let Some(problem) = request.problem() {
        return Err(NetError::InvalidRequest(problem));
    }
    grant.reaches(&request.host, None).map_err(NetError::Denied)?;
    let (addresses, dns) = resolver.addresses(&request.host, request.timeout).await?;
    let mut failure = None;
    for address in addresses {
        match socket::open(address) {
            Ok(socket) => return Ok(IcmpAnswer { dns, ..exchange(&socket, address, request).await }),
            // Another address may be reached where this one's kind cannot.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let nowhere = || NetError::Dns(format!("the name {} does not resolve to any address", request.host));
    Err(failure.unwrap_or_else(nowhere))
}

async fn exchange(socket: &tokio::net::UdpSocket, address: IpAddr, request: &IcmpRequest) -> IcmpAnswer {
    let count = usize::try_from(request.count).unwrap_or_default();
    let echo = Echo::new(address, usize::try_from(request.payload_bytes).unwrap_or_default());
    let mut round_trips = vec![None; count];
    let mut sent: Vec<Instant> = Vec::new();
    let mut complaints = Complaints::default();
    let mut buffer = vec![0; packet::LONGEST];
    let mut next = Instant::now();
    // An error is told once by the socket, and answers are few: this ends.
    while round_trips.contains(&None) && complaints.count <= 2 * count {
        let all_sent = sent.len() == count;
        let wake = match sent.last() {
            Some(last) if all_sent => *last + request.timeout,
            _ => next,
        };
        match timeout_at(wake, socket.recv_from(&mut buffer)).await {
            Err(_) if all_sent => break,
            Err(_) => {
                next = wake + request.interval;
                let packet = echo.request(sent.len());
                sent.push(Instant::now());
                complaints.note(socket.send(&packet).await.err());
            }
            Ok(Err(error)) => complaints.note(Some(error)),
            Ok(Ok((_, from))) if from.ip() != address => {}
            Ok(Ok((length, _))) => {
                let received = buffer.get(..length).unwrap_or_default();
                let index = echo.index_of_reply(received);
                if let Some((at, trip)) =
                    index.and_then(|index| Some((sent.get(index)?, round_trips.get_mut(index)?)))
                {
                    let took = at.elapsed();
                    *trip = trip.or((took <= request.timeout).then_some(took));
                }
            }
        }
    }
    IcmpAnswer { address, dns: None, round_trips, complaint: complaints.first }
}

/// What went wrong on the way, in the network's words.
#[derive(Default)]
struct Complaints {
    first: String,
    count: usize,
}

impl Complaints {
    fn note(&mut self, error: Option<std::io::Error>) {
        let Some(error) = error else { return };
        self.count = self.count.saturating_add(1);
        if self.first.is_empty() {
            self.first = reason(&error);
        }
    }
}

#[cfg(test)]
mod tests;
