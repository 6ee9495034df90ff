//! TLS handshakes as a monitor needs them: full ones, with the certificate shown and refusals explained.

mod certificate;
mod trust;
mod verify;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::dial::{Limit, reason};
use super::{Certificate, HttpError};
use crate::probes::lane::{Lane, Stuck};
use crate::probes::system_roots;
use trust::Stamp;
use verify::{Rejection, Verifier};

/// How many configurations are kept: one for `verify: false`, one without and some with a `ca_file`.
const MOST_CONFIGS: usize = 8;

/// How many files of certificates are read at once, those included that hang.
const MOST_READS: usize = 8;

/// The configurations in use.
pub(super) struct Tls {
    provider: Arc<CryptoProvider>,
    /// For reading certificates: they may lie on a share that hangs.
    files: Lane,
    /// Least recently used first.
    configs: Mutex<Vec<(Key, Arc<ClientConfig>)>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Unverified,
    System,
    /// A changed file is another key.
    WithFile(PathBuf, Stamp),
}

/// A stream on which the handshake is over.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) is_h2: bool,
    pub(super) certificate: Option<Certificate>,
    pub(super) took: Duration,
}

/// What a request wants to be trusted.
#[derive(Clone)]
pub(super) enum Trusting {
    /// Every certificate.
    Anything,
    /// What the system trusts, and what this file holds.
    System(Option<PathBuf>),
}

impl Tls {
    pub(super) fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Self { provider, files: Lane::new(MOST_READS), configs: Mutex::new(Vec::new()) }
    }

    /// The configuration for this trust, made when it is needed first. Each file is read within this time.
    ///
    /// # Errors
    /// [`HttpError::InvalidRequest`] if the `ca_file` cannot be used; [`HttpError::Other`] if the system trusts nobody,
    /// or the certificates cannot be read in time.
    pub(super) async fn config(
        &self,
        trusting: &Trusting,
        within: Duration,
    ) -> Result<Arc<ClientConfig>, HttpError> {
        let key = match trusting {
            Trusting::Anything => Key::Unverified,
            Trusting::System(None) => Key::System,
            Trusting::System(Some(file)) => {
                Key::WithFile(file.clone(), self.of_file(file, within, trust::stamp).await?)
            }
        };
        if let Some(config) = self.cached(&key) {
            return Ok(config);
        }
        let verifier = match &key {
            Key::Unverified => Verifier::lenient(&self.provider),
            Key::System => {
                Verifier::strict(&self.provider, trust::usable(self.roots(within).await?)?, Vec::new())?
            }
            Key::WithFile(file, _) => {
                let extra = self.of_file(file, within, trust::certificates).await?;
                let system = self.roots(within).await?;
                let mut roots = (*system).clone();
                trust::add(&mut roots, &extra, file)?;
                let verifier = Verifier::strict(&self.provider, Arc::new(roots), extra)?;
                if system.is_empty() {
                    // The file alone will do; but the system's certificates may come later.
                    return Ok(Arc::new(client_config(&self.provider, verifier)?));
                }
                verifier
            }
        };
        let config = Arc::new(client_config(&self.provider, verifier)?);
        self.remember(key, &config);
        Ok(config)
    }

    async fn roots(&self, within: Duration) -> Result<Arc<RootCertStore>, HttpError> {
        self.files.run("reading the system's certificates", within, system_roots).await.map_err(stuck)
    }

    async fn of_file<T: Send + 'static>(
        &self,
        file: &Path,
        within: Duration,
        work: impl FnOnce(&Path) -> Result<T, HttpError> + Send + 'static,
    ) -> Result<T, HttpError> {
        let what = format!("reading the ca_file {}", file.display());
        let file = file.to_owned();
        self.files.run(&what, within, move || work(&file)).await.map_err(stuck)?
    }

    fn cached(&self, key: &Key) -> Option<Arc<ClientConfig>> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        let at = configs.iter().position(|(known, _)| known == key)?;
        configs[at..].rotate_left(1);
        configs.last().map(|(_, config)| Arc::clone(config))
    }

    fn remember(&self, key: Key, config: &Arc<ClientConfig>) {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        // An older state of the same file is of no use any more.
        configs.retain(|(known, _)| match (known, &key) {
            (Key::WithFile(known, _), Key::WithFile(file, _)) => known != file,
            _ => *known != key,
        });
        if configs.len() >= MOST_CONFIGS {
            configs.remove(0);
        }
        configs.push((key, Arc::clone(config)));
    }
}

fn stuck(stuck: Stuck) -> HttpError {
    HttpError::Other(stuck.to_string())
}

fn client_config(provider: &Arc<CryptoProvider>, verifier: Verifier) -> Result<ClientConfig, HttpError> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Other(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Each check proves that the service can shake hands in full.
    config.resumption = Resumption::disabled();
    Ok(config)
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
        HttpError::ConnectTimeout(format!(
            "no TLS handshake with {remote} within {spelled} (connect timeout)"
        ))
    };
    let stream = limit
        .bound(late, TlsConnector::from(config).connect(name, stream))
        .await?
        .map_err(|error| failed(&error, remote))?;
    let took = start.elapsed();
    let (_, session) = stream.get_ref();
    let is_h2 = session.alpn_protocol() == Some(b"h2");
    let certificate =
        session.peer_certificates().and_then(|chain| chain.first()).and_then(certificate::describe);
    Ok(Secured { stream, is_h2, certificate, took })
}

fn server_name(host: Host<&str>) -> Result<ServerName<'static>, HttpError> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| {
            HttpError::InvalidRequest(format!("`{name}` is not a name that a certificate could have"))
        }),
    }
}

fn failed(error: &io::Error, remote: SocketAddr) -> HttpError {
    use rustls::{CertificateError, Error, InvalidMessage};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => {
            match other.0.downcast_ref::<Rejection>() {
                Some(Rejection::Expired(at_ms)) => HttpError::CertificateExpired(*at_ms),
                Some(Rejection::Invalid(text)) => HttpError::CertificateInvalid(text.clone()),
                None => HttpError::CertificateInvalid(format!("the certificate is not valid: {other}")),
            }
        }
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            HttpError::Tls(format!("{remote} does not speak TLS on this port"))
        }
        Some(Error::AlertReceived(alert)) => {
            HttpError::Tls(format!("{remote} refused the TLS handshake ({alert:?})"))
        }
        Some(other) => HttpError::Tls(format!("the TLS handshake with {remote} failed: {other}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            HttpError::Tls(format!("{remote} closed the connection within the TLS handshake"))
        }
        None => HttpError::Tls(format!("the TLS handshake with {remote} failed: {}", reason(error))),
    }
}
