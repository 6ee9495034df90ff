//! Containers, by the HTTP API that Docker and Podman share, over a unix socket. One question is asked, and none that
//! changes anything.

mod answer;
mod error;

use std::path::Path;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

pub use answer::ContainerState;
pub use error::ContainerError;

/// A larger answer is none of Docker's or Podman's: theirs has some ten thousand bytes.
const BODY_BYTES: usize = 1 << 20;
/// How much of a head is read into memory.
const HEAD_BYTES: usize = 64 << 10;

/// Asks for containers. It keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContainerProbe;

impl ContainerProbe {
    /// The container with this name or id, over this socket.
    ///
    /// # Errors
    /// If there is no such container, or if it cannot be asked for within this time.
    pub async fn inspect(
        self,
        name: &str,
        socket: &Path,
        within: Duration,
    ) -> Result<ContainerState, ContainerError> {
        if name.is_empty() || name.len() > 255 || name.contains(['/', '\0']) {
            return Err(ContainerError::Other("this is no name of a container".to_owned()));
        }
        let asked = timeout(within, ask(name, socket)).await;
        let (status, body) = asked.unwrap_or_else(|_| Err(ContainerError::late(socket, within)))?;
        match status {
            StatusCode::OK => answer::parse(&body).ok_or_else(|| ContainerError::odd(socket)),
            status => Err(ContainerError::refused(name, socket, status, &answer::message(&body))),
        }
    }
}

/// The answer's status and body.
async fn ask(name: &str, socket: &Path) -> Result<(StatusCode, Bytes), ContainerError> {
    let stream =
        UnixStream::connect(socket).await.map_err(|error| ContainerError::of_connecting(socket, &error))?;
    let request = Request::get(format!("/containers/{}/json", encoded(name)))
        .header(header::HOST, "localhost")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| ContainerError::Other("this name cannot be asked for".to_owned()))?;
    let broken = |error: hyper::Error| ContainerError::broken(socket, &error);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        Ok((response.status(), read(response.into_body(), socket).await?))
    };
    // The connection is driven as long as its answer is waited for, and dropped with it.
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // After its end what has come is still to be read.
        _ = &mut connection => exchange.await,
    }
}

async fn read(body: Incoming, socket: &Path) -> Result<Bytes, ContainerError> {
    let body = Limited::new(body, BODY_BYTES).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => ContainerError::broken(socket, &error),
        Err(_) => ContainerError::odd(socket),
    })
}

/// The name as a part of a path.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => text.push(char::from(byte)),
            // A name of dots alone would be a step in the path.
            b'.' if name.bytes().any(|byte| byte != b'.') => text.push('.'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
