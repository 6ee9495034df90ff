//! Questions to a DNS server: asked of one server alone, so that what it says is seen and not what some cache has.

mod message;
mod servers;
mod transport;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::{NetError, NetworkGrant};
use message::Question;
use servers::OwnServers;
use transport::Failure;

/// Asks DNS servers.
#[derive(Default)]
pub struct DnsProbe {
    own: OwnServers,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuery {
    /// The name; for `PTR` an address too.
    pub name: String,
    /// The record's type, such as `AAAA`.
    pub kind: String,
    /// The server: an address, or an address and a port. None for those of `/etc/resolv.conf`.
    pub server: Option<String>,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// Whose it is, without a final dot.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Its data as text.
    pub value: String,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// Such as `NXDOMAIN`.
    pub code: String,
    /// The answer section, at most 100 records of it.
    pub records: Vec<DnsRecord>,
    /// Whether the server answers for the zone itself.
    pub authoritative: bool,
    /// Whether the server has checked signatures.
    pub authentic: bool,
    /// The server; with its port if that is not 53.
    pub server: String,
    /// From the first question to this answer.
    pub took: Duration,
}

impl DnsProbe {
    /// Asks one server, or the machine's own in their order until one has something to say.
    ///
    /// # Errors
    /// A [`NetError`] if no answer came. An answer that says no is none.
    pub async fn ask(&self, query: DnsQuery, grant: &NetworkGrant) -> Result<DnsAnswer, NetError> {
        let question = Question::new(&query.name, &query.kind).map_err(NetError::InvalidRequest)?;
        let servers = match &query.server {
            Some(text) => vec![servers::parse(text).map_err(NetError::InvalidRequest)?],
            None => self.own.read().await.map_err(NetError::Other)?,
        };
        let servers = reachable(servers, grant).map_err(NetError::Denied)?;
        ask_each(&question, &servers, query.timeout).await
    }
}

/// Those of the servers that may be reached.
fn reachable(servers: Vec<SocketAddr>, grant: &NetworkGrant) -> Result<Vec<SocketAddr>, String> {
    let reaches = |server: &SocketAddr| grant.reaches(&server.ip().to_string(), Some(server.port()));
    let refusal = servers.first().map(reaches);
    let granted: Vec<_> = servers.into_iter().filter(|server| reaches(server).is_ok()).collect();
    match refusal {
        Some(Err(refusal)) if granted.is_empty() => Err(refusal),
        _ => Ok(granted),
    }
}

/// Asks one after the other. What a server that cannot or will not say anything answers is used only if the others do no
/// better, as the system's own resolver does it.
async fn ask_each(
    question: &Question,
    servers: &[SocketAddr],
    timeout: Duration,
) -> Result<DnsAnswer, NetError> {
    let start = Instant::now();
    let (mut excuse, mut failures) = (None, Vec::new());
    for (index, server) in servers.iter().enumerate() {
        let passed = if index == 0 { Duration::ZERO } else { start.elapsed() };
        let left = timeout.saturating_sub(passed);
        let others = u32::try_from(servers.len().saturating_sub(index)).unwrap_or(u32::MAX).max(1);
        match transport::exchange(question, *server, left / others).await {
            Ok(answer) => {
                let answer = answer.told_by(transport::shown(server), start.elapsed());
                if !["SERVFAIL", "NOTIMP", "REFUSED"].contains(&&*answer.code) {
                    return Ok(answer);
                }
                excuse = excuse.or(Some(answer));
            }
            Err(failure) => failures.push(failure),
        }
    }
    excuse.ok_or_else(|| unanswered(failures))
}

fn unanswered(failures: Vec<Failure>) -> NetError {
    let texts: Vec<_> = failures.iter().map(|failure| failure.text.as_str()).collect();
    match failures.first() {
        None => NetError::Other("there is no nameserver to ask".to_owned()),
        Some(only) if failures.len() == 1 => (only.kind)(only.text.clone()),
        Some(first) => (first.kind)(format!("no nameserver answers: {}", texts.join("; "))),
    }
}

#[cfg(test)]
mod tests;
