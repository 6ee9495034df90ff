//! TLS handshakes for HTTP: full ones, with the certificate shown and refusals explained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::{Certificate, HttpError};
use crate::probes::dial::Limit;
use crate::probes::handshake::{self, server_name};
use crate::probes::net::NetError;
use crate::probes::trust::{Rejection, Shown, Trust, Trusting, describe};

/// A stream on which the handshake is over.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) is_h2: bool,
    pub(super) certificate: Option<Certificate>,
    pub(super) took: Duration,
}

/// The configuration for this trust. Each file is read within this time.
///
/// # Errors
/// [`HttpError::InvalidRequest`] if the `ca_file` cannot be used; [`HttpError::Other`] if the system trusts nobody, or the
/// certificates cannot be read in time.
pub(super) async fn config(
    trust: &Trust,
    trusting: &Trusting,
    within: Duration,
) -> Result<Arc<ClientConfig>, HttpError> {
    let mut config = trust.config(trust.verifier(trusting, within).await?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Shakes hands over a connection, within the limit.
pub(super) async fn secure(
    config: Arc<ClientConfig>,
    host: Host<&str>,
    stream: TcpStream,
    remote: SocketAddr,
    limit: Limit,
) -> Result<Secured, HttpError> {
    let start = Instant::now();
    let name = server_name(host)?;
    let late = |spelled: &str| {
        NetError::ConnectTimeout(format!("no TLS handshake with {remote} within {spelled} (connect timeout)"))
    };
    let stream = limit
        .bound(late, TlsConnector::from(config).connect(name, stream))
        .await?
        .map_err(|error| failed(&error, remote))?;
    let took = start.elapsed();
    let (_, session) = stream.get_ref();
    let is_h2 = session.alpn_protocol() == Some(b"h2");
    let certificate =
        session.peer_certificates().and_then(|chain| chain.first()).and_then(describe).map(certificate);
    Ok(Secured { stream, is_h2, certificate, took })
}

fn certificate(shown: Shown) -> Certificate {
    let Shown { subject, issuer, names: _, not_before_ms, not_after_ms } = shown;
    Certificate { subject, issuer, not_before_ms, not_after_ms }
}

fn failed(error: &io::Error, remote: SocketAddr) -> HttpError {
    match handshake::rejection(error) {
        Some(Rejection::Expired(at_ms)) => HttpError::CertificateExpired(*at_ms),
        Some(
            Rejection::NotYetValid(text)
            | Rejection::UnknownIssuer(text)
            | Rejection::WrongName(text)
            | Rejection::Invalid(text),
        ) => HttpError::CertificateInvalid(text.clone()),
        None => handshake::failed(error, remote).into(),
    }
}
