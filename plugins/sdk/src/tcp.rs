//! A TCP connection, and perhaps a few words over it.

use std::borrow::Cow;

use crate::net::{Connection, Error, Target};

/// The most that can be sent, and the most of an answer that the host keeps, in bytes.
pub const MAX_BYTES: u32 = 64 * 1024;

/// A connection, and perhaps a few words over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub target: Target,
    /// What to send, at most [`MAX_BYTES`]; none to send nothing.
    pub send: Option<Vec<u8>>,
    /// Whether to wait for an answer.
    pub receive: bool,
    /// Ends the wait as soon as this is in the answer; none to take what comes until it pauses.
    pub until: Option<Vec<u8>>,
    /// The most of an answer that is kept, at most [`MAX_BYTES`].
    pub max_bytes: u32,
}

impl Request {
    /// A connection, and no word over it.
    #[must_use]
    pub fn new(target: Target) -> Request {
        Request { target, send: None, receive: false, until: None, max_bytes: MAX_BYTES }
    }
}

/// What happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The connection.
    pub connection: Connection,
    /// What was received. It may lack what was waited for, if no more came in time.
    pub received: Vec<u8>,
    /// From the connection to the end of the answer, in milliseconds; none if nothing was waited for.
    pub answer_ms: Option<f64>,
}

impl Answer {
    /// What was received as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.received)
    }
}

/// Connects, sends, and waits for an answer, as far as asked for.
///
/// # Errors
/// An [`Error`] if there is no connection, or no answer at all where one was waited for.
pub fn exchange(request: &Request) -> Result<Answer, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::tcp::exchange(request);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to connect to {}: this is a native build", request.target.host)))
}
