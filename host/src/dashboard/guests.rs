//! Connections within bounds: so many at once, and none that only sits there. What exhausts the dashboard's share must
//! not exhaust the daemon's descriptors.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};

use super::tls::Wire;

/// Connections that are open at once. More wait in the kernel until one ends.
const MOST: usize = 256;
/// Bytes that are taken in before anything is answered: more than the longest header and the longest body together.
const AHEAD: usize = 256 << 10;
/// How long a connection may take over its next request, from the first byte to the last, or over taking in the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Accepts connections within bounds.
pub(super) struct Door {
    listener: TcpListener,
    free: Arc<Semaphore>,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
}

impl Door {
    /// With TLS, if there is something to speak it with.
    pub(super) fn new(listener: TcpListener, tls: Option<watch::Receiver<Arc<ServerConfig>>>) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(MOST)), tls }
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        // Nobody closes this semaphore.
        let Ok(place) = self.free.clone().acquire_owned().await else { return std::future::pending().await };
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let guest = Guest { stream, until: Box::pin(sleep(PATIENCE)), ahead: 0, _place: place };
        (Wire::new(guest, self.tls.as_ref().map(|tls| tls.borrow().clone())), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that is cut when its time is up. Only taking in an answer brings new time: whoever sends a byte now and
/// then gets no further than who sends none.
pub(super) struct Guest {
    stream: TcpStream,
    until: Pin<Box<Sleep>>,
    /// Bytes that came since something was last answered.
    ahead: usize,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    /// What is to be said instead of "not yet".
    fn patience<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            return self.patience(context);
        }
        self.until.as_mut().reset(Instant::now() + PATIENCE);
        self.ahead = 0;
        written
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.patience(context),
            Poll::Ready(Ok(())) => {
                self.ahead = self.ahead.saturating_add(buffer.filled().len().saturating_sub(before));
                let too_much = self.ahead > AHEAD;
                Poll::Ready(if too_much { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) })
            }
            failed => failed,
        }
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
