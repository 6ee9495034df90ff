//! The HTTP client that all sinks share.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, redirect};
use rustls::{ClientConfig, RootCertStore};

use crate::words::chain;

/// How long one attempt may take, from connecting to the end of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer's body is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The TLS library refused its own defaults.
    #[error("cannot set TLS up for the sinks")]
    Tls(#[source] rustls::Error),
    /// The HTTP library could not be set up.
    #[error("cannot set the HTTP client of the sinks up")]
    Http(#[source] reqwest::Error),
}

/// The HTTP client that all sinks share. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client that trusts `roots` and gives an attempt up after `timeout`, usually [`TIMEOUT`].
    ///
    /// # Errors
    /// When the TLS or HTTP library cannot be set up.
    pub fn new(roots: Arc<RootCertStore>, timeout: Duration) -> Result<Self, ClientError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ClientError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .connect_timeout(timeout)
            .timeout(timeout)
            // Alerts are rare: a connection kept from the last one is more likely dead than useful.
            .pool_max_idle_per_host(0)
            .build()
            .map(Self)
            .map_err(ClientError::Http)
    }

    /// The library's own client.
    pub(super) fn get(&self) -> &reqwest::Client {
        &self.0
    }
}

/// The beginning of the answer's body. A body that breaks off counts as far as it came.
pub(super) async fn read_start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < BODY_LIMIT {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        let room = BODY_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    body
}

/// The error and its causes on one line, without the address: that is the secret.
pub(super) fn describe(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    chain(&error.without_url())
}

/// The longest wait that a provider is believed, in seconds.
const LONGEST_WAIT: u64 = 3600;

/// How long the provider asks to wait, within bounds. A date instead of seconds is not understood.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.clamp(1, LONGEST_WAIT)))
}
