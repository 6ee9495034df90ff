//! From a host to a TCP connection: name resolution, and whichever of its addresses answers first (RFC 8305).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout_at};
use url::Host;

use super::net::{NetError, is_shortage, reason, spelled};
use super::resolve::Resolver;
use crate::hosts::HostPort;

/// How long one address may take before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// How many addresses of a name are tried.
const MOST_ADDRESSES: usize = 8;

/// How long connecting may take, and until when.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    timeout: Duration,
    until: Instant,
}

impl Limit {
    /// From now on.
    pub(super) fn starting_now(timeout: Duration) -> Self {
        Self { timeout, until: Instant::now() + timeout }
    }

    /// The result of `work` if it comes in time.
    pub(super) async fn bound<T>(
        self,
        late: impl FnOnce(&str) -> NetError,
        work: impl Future<Output = T>,
    ) -> Result<T, NetError> {
        timeout_at(self.until, work).await.map_err(|_| late(&spelled(self.timeout)))
    }
}

/// A connection and what it took.
pub(super) struct Dialled {
    pub(super) stream: TcpStream,
    pub(super) remote: SocketAddr,
    /// None for an address.
    pub(super) dns: Option<Duration>,
    pub(super) connect: Duration,
}

/// Connects to a host within the limit.
pub(super) async fn dial(
    resolver: &Resolver,
    host: Host<&str>,
    to: &HostPort,
    limit: Limit,
) -> Result<Dialled, NetError> {
    let start = Instant::now();
    let (addresses, dns) = match host {
        Host::Ipv4(address) => (vec![SocketAddr::new(address.into(), to.port())], None),
        Host::Ipv6(address) => (vec![SocketAddr::new(address.into(), to.port())], None),
        Host::Domain(name) => (resolve(resolver, name, to.port(), limit).await?, Some(start.elapsed())),
    };
    let start = Instant::now();
    let late = |spelled: &str| {
        NetError::ConnectTimeout(format!("no connection to {to} within {spelled} (connect timeout)"))
    };
    let (stream, remote) =
        limit.bound(late, race(&addresses)).await?.map_err(|failures| unconnected(to, &failures))?;
    // Only a socket that is closed already refuses, and that shows when it is used.
    let _ = stream.set_nodelay(true);
    Ok(Dialled { stream, remote, dns, connect: start.elapsed() })
}

/// The same host, not owned.
pub(super) fn borrowed<S: AsRef<str>>(host: &Host<S>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name.as_ref()),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

async fn resolve(
    resolver: &Resolver,
    name: &str,
    port: u16,
    limit: Limit,
) -> Result<Vec<SocketAddr>, NetError> {
    let (found, _) = resolver.addresses(name, limit.timeout).await?;
    Ok(interleaved(found.into_iter().map(|address| SocketAddr::new(address, port)).collect()))
}

/// The resolver's order with the families taking turns, beginning with the family that it put first.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut turn, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = Vec::new();
    while order.len() < MOST_ADDRESSES {
        let Some(next) = turn.pop_front().or_else(|| other.pop_front()) else { break };
        if !order.contains(&next) {
            order.push(next);
        }
        std::mem::swap(&mut turn, &mut other);
    }
    order
}

type Failures = Vec<(SocketAddr, io::Error)>;
type Connected = (TcpStream, SocketAddr);

/// The first address to be connected; the others are given up.
async fn race(addresses: &[SocketAddr]) -> Result<Connected, Failures> {
    if let [address] = addresses {
        return TcpStream::connect(address)
            .await
            .map(|stream| (stream, *address))
            .map_err(|error| vec![(*address, error)]);
    }
    Race {
        waiting: addresses.iter().copied().collect(),
        running: Vec::new(),
        failures: Vec::new(),
        next: None,
    }
    .await
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

struct Race {
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, Attempt)>,
    failures: Failures,
    /// When the next address joins.
    next: Option<Pin<Box<Sleep>>>,
}

impl Race {
    fn start_next(&mut self) {
        if let Some(address) = self.waiting.pop_front() {
            self.running.push((address, Box::pin(TcpStream::connect(address))));
        }
        self.next = (!self.waiting.is_empty()).then(|| Box::pin(sleep(STAGGER)));
    }
}

impl Future for Race {
    type Output = Result<Connected, Failures>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if this.running.is_empty() && this.waiting.is_empty() {
                return Poll::Ready(Err(std::mem::take(&mut this.failures)));
            }
            if this.running.is_empty() {
                this.start_next();
            }
            let mut at = 0;
            let mut failed = false;
            while at < this.running.len() {
                let (address, attempt) = &mut this.running[at];
                match attempt.as_mut().poll(context) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Ok((stream, *address))),
                    Poll::Ready(Err(error)) => {
                        this.failures.push((*address, error));
                        drop(this.running.remove(at));
                        failed = true;
                    }
                    Poll::Pending => at += 1,
                }
            }
            let due = this.next.as_mut().is_some_and(|next| next.as_mut().poll(context).is_ready());
            if !failed && !due {
                return Poll::Pending;
            }
            this.start_next();
        }
    }
}

fn unconnected(to: &HostPort, failures: &Failures) -> NetError {
    // An address that this machine has no source address for says nothing, unless no other one says anything either.
    let no_source = |error: &io::Error| error.kind() == io::ErrorKind::AddrNotAvailable;
    let own = failures
        .iter()
        .find(|(_, error)| is_shortage(error))
        .or_else(|| failures.first().filter(|_| failures.iter().all(|(_, error)| no_source(error))));
    if let Some((_, error)) = own {
        return NetError::Other(format!("this machine cannot connect to {to}: {}", reason(error)));
    }
    let refused = |(_, error): &(SocketAddr, io::Error)| error.kind() == io::ErrorKind::ConnectionRefused;
    if failures.iter().all(refused) {
        let addresses: Vec<_> = failures.iter().map(|(address, _)| address.to_string()).collect();
        return NetError::Refused(format!("connection refused by {}", addresses.join(" and ")));
    }
    let reasons: Vec<_> =
        failures.iter().map(|(address, error)| format!("{address}: {}", reason(error))).collect();
    // A failure of the address itself need not name it twice.
    let bare = to.host().parse::<IpAddr>().is_ok();
    match failures.as_slice() {
        [(_, error)] if bare => NetError::Unreachable(format!("no connection to {to}: {}", reason(error))),
        _ => NetError::Unreachable(format!("no connection to {to} ({})", reasons.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn families_take_turns() {
        let v4 = |last| SocketAddr::from(([192, 0, 2, last], 80));
        let v6 = |last| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 80));
        assert_eq!(
            interleaved(vec![v6(1), v6(2), v6(3), v4(1), v4(2), v4(1)]),
            [v6(1), v4(1), v6(2), v4(2), v6(3)]
        );
        assert_eq!(interleaved(vec![v4(1), v6(1)]), [v4(1), v6(1)]);
        assert_eq!(interleaved((0..20).map(v4).collect()).len(), MOST_ADDRESSES);
        assert!(interleaved(Vec::new()).is_empty());
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_at_once() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = open.local_addr().map(|address| (open, address)).unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], 1));
        let start = Instant::now();
        let (_, address) = race(&[closed, open.1]).await.unwrap();
        assert_eq!(address, open.1);
        assert!(start.elapsed() < STAGGER, "it waited for the stagger");
    }

    #[tokio::test]
    async fn an_address_that_is_silent_is_overtaken() {
        let full = full_listener().await;
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let start = Instant::now();
        let (_, address) = race(&[full.address, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(address, open.local_addr().unwrap());
        assert!(start.elapsed() >= STAGGER);
    }

    #[tokio::test]
    async fn all_failures_are_told() {
        let closed = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let failures = race(&closed).await.unwrap_err();
        let error = unconnected(&HostPort::new("nas.lan", 80), &failures);
        assert_eq!(error, NetError::Refused("connection refused by 127.0.0.1:1 and 127.0.0.1:2".to_owned()));
    }

    #[test]
    fn a_shortage_of_this_machine_is_no_fault_of_the_service() {
        use rustix::io::Errno;
        let told = |errors: &[Errno]| {
            let error = |errno: &Errno| io::Error::from_raw_os_error(errno.raw_os_error());
            let address = SocketAddr::from(([192, 0, 2, 1], 80));
            unconnected(&HostPort::new("nas.lan", 80), &errors.iter().map(|e| (address, error(e))).collect())
        };
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL] {
            assert!(matches!(told(&[errno]), NetError::Other(_)), "{errno}");
        }
        assert!(matches!(told(&[Errno::CONNREFUSED, Errno::MFILE]), NetError::Other(_)));
        // As where IPv6 is switched off.
        assert!(matches!(told(&[Errno::ADDRNOTAVAIL, Errno::CONNREFUSED]), NetError::Unreachable(_)));
        assert!(matches!(told(&[Errno::HOSTUNREACH]), NetError::Unreachable(_)));
    }

    #[tokio::test]
    async fn a_silent_host_is_given_up_at_the_limit() {
        let full = full_listener().await;
        let to = HostPort::new("127.0.0.1", full.address.port());
        let limit = Limit::starting_now(Duration::from_millis(100));
        let error = dial(&Resolver::system(), Host::Ipv4([127, 0, 0, 1].into()), &to, limit).await.err();
        let text = format!("no connection to {to} within 100 ms (connect timeout)");
        assert_eq!(error, Some(NetError::ConnectTimeout(text)));
    }

    struct Full {
        address: SocketAddr,
        _listener: TcpListener,
        _fill: Vec<TcpStream>,
    }

    /// A listener whose queue is full: the kernel leaves further connections unanswered.
    async fn full_listener() -> Full {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut fill = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            fill.push(stream);
        }
        Full { address, _listener: listener, _fill: fill }
    }
}
