//! One request and its answer over a connection of its own, by HTTP/1 or HTTP/2.
//!
//! Nothing outlives the exchange: dropping its future drops the connection, and what hyper spawns for HTTP/2 is aborted.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header, uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use url::Position;

use super::HttpError;
use super::draft::Hop;
use super::redirect;
use crate::probes::net::{is_shortage, reason, spelled};

/// How much of a head, and of a body at once, is read into memory.
const BUFFER: u32 = 64 * 1024;

/// What of an answer is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Bytes of the body.
    pub(super) body: usize,
    /// The body of an answer that is left behind is not read.
    pub(super) redirects: Redirects,
    pub(super) within: Duration,
}

/// What becomes of an answer that sends the client elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    Followed,
    Returned,
}

/// An answer, its body read as far as it is wanted.
pub(super) struct Answer {
    pub(super) head: http::response::Parts,
    pub(super) body: Vec<u8>,
    pub(super) truncated: bool,
    pub(super) first_byte: Duration,
}

/// By HTTP/1.1, closing the connection afterwards.
pub(super) async fn by_http1<S>(
    hop: Hop,
    wanted: Wanted,
    stream: S,
    remote: SocketAddr,
) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = http1_request(hop)?;
    let began = AtomicBool::new(false);
    let exchange = async {
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(BUFFER as usize).handshake(TokioIo::new(stream)).await?;
        beside(connection, async { answer(sender.send_request(request), wanted, &began).await }).await
    };
    finished(timeout(wanted.within, exchange).await, wanted, remote, &began)
}

/// By HTTP/2.
pub(super) async fn by_http2<S>(
    hop: Hop,
    wanted: Wanted,
    stream: S,
    remote: SocketAddr,
) -> Result<Answer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = http2_request(hop)?;
    let began = AtomicBool::new(false);
    let tasks = Tasks::default();
    let _abort = AbortOnDrop(tasks.clone());
    let exchange = async {
        let (mut sender, connection) = http2::Builder::new(tasks)
            .initial_stream_window_size(BUFFER)
            .initial_connection_window_size(BUFFER)
            .max_header_list_size(BUFFER)
            .max_send_buf_size(BUFFER as usize)
            .handshake(TokioIo::new(stream))
            .await?;
        beside(connection, async { answer(sender.send_request(request), wanted, &began).await }).await
    };
    finished(timeout(wanted.within, exchange).await, wanted, remote, &began)
}

fn http1_request(hop: Hop) -> Result<Request<Full<Bytes>>, HttpError> {
    let target = &hop.url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::new(Full::new(hop.body));
    *request.uri_mut() = target.parse::<Uri>().map_err(|_| unsendable())?;
    *request.method_mut() = hop.method;
    *request.headers_mut() = hop.headers;
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// HTTP/2 has the host in the address, where a `host` header is not allowed beside it.
fn http2_request(hop: Hop) -> Result<Request<Full<Bytes>>, HttpError> {
    let mut headers = hop.headers;
    let host = headers.remove(header::HOST);
    let authority = host.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
    let uri = uri::Builder::new()
        .scheme(hop.url.scheme())
        .authority(authority)
        .path_and_query(&hop.url[Position::BeforePath..Position::AfterQuery])
        .build()
        .map_err(|_| unsendable())?;
    let mut request = Request::new(Full::new(hop.body));
    *request.uri_mut() = uri;
    *request.method_mut() = hop.method;
    *request.headers_mut() = headers;
    *request.version_mut() = Version::HTTP_2;
    Ok(request)
}

fn unsendable() -> HttpError {
    HttpError::InvalidRequest("the address cannot be put into a request".to_owned())
}

async fn answer(
    response: impl Future<Output = hyper::Result<Response<Incoming>>>,
    wanted: Wanted,
    began: &AtomicBool,
) -> hyper::Result<Answer> {
    let start = Instant::now();
    let (head, body) = response.await?.into_parts();
    let first_byte = start.elapsed();
    began.store(true, Ordering::Relaxed);
    let left_behind = wanted.redirects == Redirects::Followed && redirect::is_redirect(head.status);
    let limit = if left_behind { 0 } else { wanted.body };
    let (body, truncated) = read(body, limit).await?;
    Ok(Answer { head, body, truncated, first_byte })
}

/// The body up to the limit, and whether there was more.
async fn read(mut body: Incoming, limit: usize) -> hyper::Result<(Vec<u8>, bool)> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(expected.min(limit));
    while !body.is_end_stream() {
        if out.len() == limit {
            return Ok((out, true));
        }
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        let room = limit - out.len();
        out.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((out, true));
        }
    }
    Ok((out, false))
}

/// Does the work while keeping the connection going that it waits for.
async fn beside<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let mut connection = pin!(connection);
    let mut work = pin!(work);
    let mut over = false;
    std::future::poll_fn(move |context| {
        let mut result = work.as_mut().poll(context);
        // Also after the last byte: the connection then says goodbye to the server.
        if !over {
            over = connection.as_mut().poll(context).is_ready();
            if result.is_pending() {
                result = work.as_mut().poll(context);
            }
        }
        result
    })
    .await
}

fn finished(
    result: Result<hyper::Result<Answer>, tokio::time::error::Elapsed>,
    wanted: Wanted,
    remote: SocketAddr,
    began: &AtomicBool,
) -> Result<Answer, HttpError> {
    let began = began.load(Ordering::Relaxed);
    match result {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(broken(&error, remote, began)),
        Err(_) if began => Err(HttpError::ReadTimeout(format!(
            "the answer of {remote} was not complete within {} (read timeout)",
            spelled(wanted.within)
        ))),
        Err(_) => {
            Err(HttpError::ReadTimeout(format!("no answer within {} (read timeout)", spelled(wanted.within))))
        }
    }
}

fn broken(error: &hyper::Error, remote: SocketAddr, began: bool) -> HttpError {
    // A request that was cancelled since its connection had failed before carries that failure.
    let error = causes(error).filter_map(|cause| cause.downcast_ref()).last().unwrap_or(error);
    let place = if began { "within the answer" } else { "without an answer" };
    if error.is_parse_too_large() {
        return HttpError::Protocol(format!("the answer of {remote} has more headers than 64 KiB or 100"));
    }
    if error.is_parse() {
        return HttpError::Protocol(format!("what {remote} sent is not HTTP"));
    }
    if let Some(cause) = io_cause(error).filter(|cause| is_shortage(cause)) {
        return HttpError::Other(format!("this machine cannot talk to {remote}: {}", reason(cause)));
    }
    if let Some(cause) = io_cause(error) {
        return HttpError::Closed(match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                format!("{remote} closed the connection {place}")
            }
            io::ErrorKind::ConnectionReset => format!("{remote} reset the connection {place}"),
            _ => format!("the connection to {remote} broke {place}: {}", reason(cause)),
        });
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return HttpError::Closed(format!("{remote} closed the connection {place}"));
    }
    HttpError::Protocol(format!("what {remote} sent is not HTTP as it should be: {}", innermost(error)))
}

fn causes<'a>(error: &'a hyper::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(std::error::Error::source(error), |error| error.source())
}

fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn innermost(error: &hyper::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// What hyper runs beside an HTTP/2 connection.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(async move {
            let _ = future.await;
        });
    }
}

/// A task that held the executor would keep itself alive; this ends it all the same.
struct AbortOnDrop(Tasks);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl Answer {
    /// Where it sends the client, if it does.
    pub(super) fn redirect(&self) -> Option<(StatusCode, Option<&HeaderValue>)> {
        redirect::is_redirect(self.head.status)
            .then(|| (self.head.status, self.head.headers.get(header::LOCATION)))
    }
}

#[cfg(test)]
mod tests {
    use hyper::rt::Executor as _;

    use super::*;

    #[tokio::test]
    async fn tasks_end_with_their_exchange() {
        let tasks = Tasks::default();
        let abort = AbortOnDrop(tasks.clone());
        let (alive, ended) = tokio::sync::oneshot::channel::<()>();
        let held = (alive, tasks.clone());
        tasks.execute(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop((tasks, abort));
        let ended = timeout(Duration::from_secs(5), ended).await.expect("the task goes on");
        assert!(ended.is_err());
    }
}
