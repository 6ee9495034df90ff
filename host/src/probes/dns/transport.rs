//! The way to a server and back: UDP, asked again if nothing comes, and TCP for what does not fit.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::super::NetError;
use super::super::net::{is_shortage, reason, spelled};
use super::message::{Question, Reply};

/// How long the first question may stay unanswered before it is sent again: it, or its answer, may be lost.
const AGAIN: Duration = Duration::from_secs(1);

/// More than any answer has that was asked for without an extension.
const DATAGRAM: usize = 4096;

/// Why a server did not answer.
pub(super) struct Failure {
    pub(super) kind: fn(String) -> NetError,
    pub(super) text: String,
}

/// A server as people write it.
pub(super) fn shown(server: &SocketAddr) -> String {
    if server.port() == 53 { server.ip().to_string() } else { server.to_string() }
}

/// Asks one server within so long.
pub(super) async fn exchange(
    question: &Question,
    server: SocketAddr,
    within: Duration,
) -> Result<Reply, Failure> {
    let until = Instant::now() + within;
    let reply = by_udp(question, server, within, until).await?;
    if !reply.is_truncated() {
        return Ok(reply);
    }
    let by_tcp = timeout_at(until, by_tcp(question, server)).await;
    let failure = match by_tcp {
        Ok(Ok(Some(reply))) => return Ok(reply),
        Ok(Ok(None)) => no_answer(server),
        Ok(Err(error)) => failed(server, &error),
        Err(_) => late(server, within),
    };
    let text = format!("the answer has no room in a UDP packet, and over TCP {}", failure.text);
    Err(Failure { text, ..failure })
}

async fn by_udp(
    question: &Question,
    server: SocketAddr,
    within: Duration,
    until: Instant,
) -> Result<Reply, Failure> {
    // Port 0 is a random one, and a connected socket takes packets from its peer alone.
    let own = if server.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    let failed = |error: io::Error| failed(server, &error);
    let socket = UdpSocket::bind(own).await.map_err(failed)?;
    socket.connect(server).await.map_err(failed)?;
    let mut buffer = vec![0; DATAGRAM];
    let mut odd = false;
    for patience in [AGAIN.min(within / 2), within] {
        socket.send(question.bytes()).await.map_err(failed)?;
        let enough = (Instant::now() + patience).min(until);
        while let Ok(received) = timeout_at(enough, socket.recv(&mut buffer)).await {
            let length = received.map_err(failed)?;
            match question.reply(buffer.get(..length).unwrap_or_default()) {
                Some(reply) => return Ok(reply),
                // Perhaps somebody else wants to be believed first: the server's own answer may still come.
                None => odd = true,
            }
        }
    }
    Err(if odd { no_answer(server) } else { late(server, within) })
}

async fn by_tcp(question: &Question, server: SocketAddr) -> io::Result<Option<Reply>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.bytes().len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question.bytes()].concat()).await?;
    let mut buffer = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut buffer).await?;
    Ok(question.reply(&buffer))
}

fn no_answer(server: SocketAddr) -> Failure {
    let text = format!("what came from {} is no answer to the question", shown(&server));
    Failure { kind: NetError::Protocol, text }
}

fn late(server: SocketAddr, within: Duration) -> Failure {
    // A share of the time has odd digits.
    let about = if within < Duration::from_secs(1) { within } else { tenths(within) };
    let text = format!("{} did not answer within {}", shown(&server), spelled(about));
    Failure { kind: NetError::ReadTimeout, text }
}

fn tenths(span: Duration) -> Duration {
    Duration::from_millis(100)
        .saturating_mul(u32::try_from(span.as_millis().div_ceil(100)).unwrap_or(u32::MAX))
}

fn failed(server: SocketAddr, error: &io::Error) -> Failure {
    let server = shown(&server);
    let because = reason(error);
    let (kind, text): (fn(String) -> NetError, _) = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            (NetError::Refused, format!("nothing answers DNS questions at {server}: connection refused"))
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            (NetError::Closed, format!("{server} closed the connection within the answer"))
        }
        io::ErrorKind::PermissionDenied => (
            NetError::Forbidden,
            format!("this machine does not let PiHook ask {server}: {because}; see its firewall"),
        ),
        _ if is_shortage(error) => (NetError::Other, format!("this machine cannot ask {server}: {because}")),
        _ => (NetError::Unreachable, format!("no way to {server}: {because}")),
    };
    Failure { kind, text }
}
