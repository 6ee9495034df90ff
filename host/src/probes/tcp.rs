//! A TCP connection, and perhaps a few words over it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::dial::{Dialled, Limit, borrowed, dial};
use super::net::{is_shortage, reason, spelled};
use super::resolve::Resolver;
use super::{Connection, NetError, NetworkGrant, Target};

/// The most that is sent and the most of an answer that is kept, whatever a request asks for.
const MOST_BYTES: usize = 64 * 1024;

/// What is asked for without an end is over when nothing more comes for this long: an answer may come in pieces.
const QUIET: Duration = Duration::from_millis(100);

/// A connection, and perhaps a few words over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpRequest {
    /// Where to.
    pub target: Target,
    /// What to send, at most 64 KiB; none to send nothing.
    pub send: Option<Vec<u8>>,
    /// What to wait for.
    pub receive: Receive,
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receive {
    /// For nothing.
    Nothing,
    /// For an answer.
    Answer {
        /// Ends the wait as soon as this is in the answer; none to take what comes first.
        until: Option<Vec<u8>>,
        /// The most that is kept; 64 KiB is the probe's own limit.
        max_bytes: u32,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpAnswer {
    /// The connection.
    pub connection: Connection,
    /// What was received. It may lack what was waited for.
    pub received: Vec<u8>,
    /// From the connection to the answer's end; none if nothing was waited for.
    pub answer: Option<Duration>,
}

/// Connects, sends, and waits for an answer, as far as asked for. The connection is closed then.
///
/// # Errors
/// Whatever kept the connection or any answer from coming. An answer that lacks what was waited for is none.
pub(super) async fn exchange(
    request: TcpRequest,
    resolver: &Resolver,
    grant: &NetworkGrant,
) -> Result<TcpAnswer, NetError> {
    let (host, to) = request.target.within(grant)?;
    if request.send.as_ref().is_some_and(|send| send.len() > MOST_BYTES) {
        return Err(NetError::InvalidRequest("more than 64 KiB to send".to_owned()));
    }
    let (connect_timeout, read_timeout) = request.target.timeouts();
    let limit = Limit::starting_now(connect_timeout);
    let Dialled { mut stream, remote, dns, connect } = dial(resolver, borrowed(&host), &to, limit).await?;
    let connection = Connection { remote_address: remote, dns, connect };
    let talk = Talk { peer: remote.to_string(), start: Instant::now(), read_timeout };
    if let Some(send) = &request.send {
        talk.say(&mut stream, send).await?;
    }
    let (received, answer) = match request.receive {
        Receive::Nothing => (Vec::new(), None),
        Receive::Answer { until, max_bytes } => {
            let most = usize::try_from(max_bytes).unwrap_or(MOST_BYTES).clamp(1, MOST_BYTES);
            let (received, took) = talk.listen(&mut stream, until.as_deref(), most).await?;
            (received, Some(took))
        }
    };
    // Whoever has gone already need not be told that we go.
    let _ = stream.shutdown().await;
    Ok(TcpAnswer { connection, received, answer })
}

/// What is said over a connection.
struct Talk {
    peer: String,
    start: Instant,
    read_timeout: Duration,
}

impl Talk {
    async fn say(&self, stream: &mut TcpStream, words: &[u8]) -> Result<(), NetError> {
        match timeout_at(self.start + self.read_timeout, stream.write_all(words)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_) => Err(NetError::ReadTimeout(format!(
                "{} did not take what was sent within {} (read timeout)",
                self.peer,
                spelled(self.read_timeout)
            ))),
        }
    }

    /// What comes, and when its last byte did or the wait for more ended.
    async fn listen(
        &self,
        stream: &mut TcpStream,
        until: Option<&[u8]>,
        most: usize,
    ) -> Result<(Vec<u8>, Duration), NetError> {
        let mut received = Vec::new();
        let mut last = Duration::ZERO;
        let whole = async {
            let mut buffer = [0; 4096];
            loop {
                let wanted = buffer.len().min(most - received.len());
                let read = stream.read(buffer.get_mut(..wanted).unwrap_or_default());
                let length = if until.is_none() && !received.is_empty() {
                    let Ok(read) = timeout(QUIET, read).await else { return Ok(()) };
                    read?
                } else {
                    read.await?
                };
                if length == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                // Only what is new, and what it may complete, is looked at.
                let from = received.len().saturating_sub(until.map_or(0, <[u8]>::len));
                received.extend_from_slice(buffer.get(..length).unwrap_or_default());
                last = self.start.elapsed();
                let fresh = received.get(from..).unwrap_or_default();
                if received.len() >= most || until.is_some_and(|until| holds(fresh, until)) {
                    return Ok(());
                }
            }
        };
        match timeout_at(self.start + self.read_timeout, whole).await {
            Ok(Ok(())) => Ok((received, last)),
            // What came is the answer, and whoever asked judges it.
            Ok(Err(_)) if !received.is_empty() => Ok((received, last)),
            Err(_) if !received.is_empty() => Ok((received, self.start.elapsed())),
            Ok(Err(error)) => Err(self.broken(&error)),
            Err(_) => Err(NetError::ReadTimeout(format!(
                "{} took the connection but did not answer within {} (read timeout)",
                self.peer,
                spelled(self.read_timeout)
            ))),
        }
    }

    fn broken(&self, error: &io::Error) -> NetError {
        let peer = &self.peer;
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                NetError::Closed(format!("{peer} closed the connection without an answer"))
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                NetError::Closed(format!("{peer} reset the connection without an answer"))
            }
            _ if is_shortage(error) => {
                NetError::Other(format!("this machine cannot talk to {peer}: {}", reason(error)))
            }
            _ => NetError::Closed(format!("the connection to {peer} broke: {}", reason(error))),
        }
    }
}

/// Whether the text has the part; an empty part is in every text.
fn holds(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
