//! HTTP as a monitor needs it: every request over a connection of its own, its phases timed, its certificate read.
//!
//! What a plugin asks for passes through [`Access`] first: each hop must be granted, and secrets are filled in for the
//! service's own hosts only. What comes back passes through the masker, texts of errors included.
//!
//! - A header with a placeholder and the credentials are left out where they must not go. An address or a body with one
//!   cannot be left out, so such a hop is denied.
//! - Once a hop was encrypted, a later one in plain text gets no secrets, not even on the service's own host.
//! - A literal `authorization` or `cookie` goes to the host that was asked first, and not where that one redirects to.

mod access;
mod draft;
mod error;
mod exchange;
mod fill;
mod mask;
mod redirect;
mod tls;
mod types;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Version};
use tokio::time::{Instant, timeout};
use url::Url;

pub use access::{Access, HttpGrant};
pub use error::HttpError;
pub use types::{Certificate, Credentials, HttpRequest, HttpResponse, Timings};

use super::dial::{self, Dialled, Limit, borrowed};
use super::net::spelled;
use super::resolve::Resolver;
use super::trust::{Trust, Trusting};
use crate::hosts::Scheme;
use draft::{Draft, Hop};
use exchange::{Answer, Redirects, Wanted};
use mask::Masker;

/// The most of a body that is kept, whatever a request asks for.
pub const MAX_BODY_BYTES: u32 = 256 * 1024;

/// The most redirects that are followed, as in browsers.
pub const MAX_REDIRECTS: u32 = 20;

/// The longest timeout, whatever a request asks for.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// How many times the timeouts of one hop all hops together may take.
pub const HOPS_IN_TIME: u32 = 3;

/// Sends requests. Cheap to clone; clones share what TLS keeps, and lookups of names.
#[derive(Clone)]
pub struct HttpProbe {
    trust: Arc<Trust>,
    resolver: Arc<Resolver>,
}

impl Default for HttpProbe {
    fn default() -> Self {
        Self::new()
    }
}

/// What stays the same over the hops of a request.
struct Plan {
    connect_timeout: Duration,
    read_timeout: Duration,
    trusting: Trusting,
    max_redirects: u32,
    max_body_bytes: usize,
}

impl Plan {
    fn of(request: &HttpRequest) -> Self {
        let bounded = |timeout: Duration| timeout.clamp(Duration::from_millis(1), MAX_TIMEOUT);
        Self {
            connect_timeout: bounded(request.connect_timeout),
            read_timeout: bounded(request.read_timeout),
            trusting: if request.verify {
                Trusting::System(request.ca_file.clone())
            } else {
                Trusting::Anything
            },
            max_redirects: request.max_redirects.min(MAX_REDIRECTS),
            max_body_bytes: request.max_body_bytes.min(MAX_BODY_BYTES) as usize,
        }
    }

    fn total(&self) -> Duration {
        (self.connect_timeout + self.read_timeout) * HOPS_IN_TIME
    }
}

/// One hop's observations.
struct Observed {
    answer: Answer,
    timings: Timings,
    remote: SocketAddr,
    certificate: Option<Certificate>,
}

impl HttpProbe {
    /// A probe that has read nothing yet: the system's certificates are loaded when the first request needs them.
    #[must_use]
    pub fn new() -> Self {
        Self::sharing(Arc::default(), Arc::default())
    }

    /// A probe that resolves names and knows whom to trust together with others.
    pub(super) fn sharing(resolver: Arc<Resolver>, trust: Arc<Trust>) -> Self {
        Self { trust, resolver }
    }

    /// Sends the request over a new connection, follows redirects and returns what was observed.
    ///
    /// Dropping the future ends the connection at once. It takes at most three times the two timeouts together.
    ///
    /// # Errors
    /// Whatever kept an answer from coming; an answer with a status such as 500 is none.
    pub async fn send(&self, request: HttpRequest, access: &Access) -> Result<HttpResponse, HttpError> {
        let mut masker = Masker::new(&access.secrets);
        let plan = Plan::of(&request);
        let outcome = match Draft::new(request, access, &mut masker) {
            Ok(draft) => timeout(plan.total(), Box::pin(self.follow(draft, &plan, &masker))).await,
            Err(error) => Ok(Err(error)),
        };
        let late = |_| {
            HttpError::ReadTimeout(format!("not done with all redirects within {}", spelled(plan.total())))
        };
        outcome
            .map_err(late)
            .and_then(|outcome| outcome)
            .map_err(|error| error.map_text(|text| masker.text(text)))
    }

    async fn follow(
        &self,
        mut draft: Draft<'_>,
        plan: &Plan,
        masker: &Masker,
    ) -> Result<HttpResponse, HttpError> {
        let start = Instant::now();
        let mut redirects = 0;
        loop {
            let observed = self.hop(draft.hop()?, plan).await?;
            match observed.answer.redirect().filter(|_| plan.max_redirects > 0) {
                None => return Ok(response(observed, draft.url(), redirects, start.elapsed(), masker)),
                Some(_) if redirects == plan.max_redirects => {
                    let plural = if redirects == 1 { "" } else { "s" };
                    return Err(HttpError::Redirect(format!("more than {redirects} redirect{plural}")));
                }
                Some((status, location)) => draft.follow(status, location, masker)?,
            }
            redirects += 1;
        }
    }

    async fn hop(&self, hop: Hop, plan: &Plan) -> Result<Observed, HttpError> {
        let wanted = Wanted {
            body: plan.max_body_bytes,
            redirects: if plan.max_redirects > 0 { Redirects::Followed } else { Redirects::Returned },
            within: plan.read_timeout,
        };
        let config = match hop.scheme {
            Scheme::Https => Some(tls::config(&self.trust, &plan.trusting, plan.connect_timeout).await?),
            Scheme::Http => None,
        };
        let url = hop.url.clone();
        let host =
            url.host().ok_or_else(|| HttpError::InvalidRequest("the address has no host".to_owned()))?;
        let limit = Limit::starting_now(plan.connect_timeout);
        let Dialled { stream, remote, dns, connect } =
            dial::dial(&self.resolver, borrowed(&host), &hop.to, limit).await?;
        let mut timings = Timings { dns, connect, ..Timings::default() };
        let mut certificate = None;
        let answer = match config {
            None => exchange::by_http1(hop, wanted, stream, remote).await?,
            Some(config) => {
                let secured = tls::secure(config, borrowed(&host), stream, remote, limit).await?;
                timings.tls = Some(secured.took);
                certificate = secured.certificate;
                if secured.is_h2 {
                    exchange::by_http2(hop, wanted, secured.stream, remote).await?
                } else {
                    exchange::by_http1(hop, wanted, secured.stream, remote).await?
                }
            }
        };
        timings.first_byte = answer.first_byte;
        Ok(Observed { answer, timings, remote, certificate })
    }
}

fn response(observed: Observed, url: &Url, redirects: u32, total: Duration, masker: &Masker) -> HttpResponse {
    let Observed { answer, timings, remote, certificate } = observed;
    HttpResponse {
        status: answer.head.status.as_u16(),
        version: version(answer.head.version),
        headers: headers(&answer.head.headers, masker),
        body: masker.body(answer.body, answer.truncated),
        body_truncated: answer.truncated,
        url: masker.text(url.to_string()),
        redirects,
        timings: Timings { total, ..timings },
        remote_address: remote,
        certificate,
    }
}

fn headers(headers: &HeaderMap, masker: &Masker) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| masker.text(String::from_utf8_lossy(bytes).into_owned());
    headers.iter().map(|(name, value)| (text(name.as_str().as_bytes()), text(value.as_bytes()))).collect()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests;
