//! The HTTP client that all sinks share.

use std::sync::Arc;
use std::time::Duration;

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
