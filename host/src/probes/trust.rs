//! Whom TLS trusts, shared by all probes that speak it: the system's certificates and those of a `ca_file`, read when
//! they are first needed and again when the file has changed.

mod certificate;
mod file;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

use super::lane::{Lane, Stuck};
use super::net::NetError;
use super::system_roots;
pub use certificate::Shown;
pub(super) use certificate::describe;
use file::Stamp;
pub(super) use verify::{Rejection, Verifier};

/// How many verifiers are kept: one without and some with a `ca_file`.
const MOST_VERIFIERS: usize = 8;

/// How many files of certificates are read at once, those included that hang.
const MOST_READS: usize = 8;

/// The verifiers in use.
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    /// For reading certificates: they may lie on a share that hangs.
    files: Lane,
    /// Least recently used first.
    verifiers: Mutex<Vec<(Key, Arc<Verifier>)>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    System,
    /// A changed file is another key.
    WithFile(PathBuf, Stamp),
}

/// What a request wants to be trusted.
#[derive(Clone)]
pub(super) enum Trusting {
    /// Every certificate.
    Anything,
    /// What the system trusts, and what this file holds.
    System(Option<PathBuf>),
}

impl Default for Trust {
    fn default() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Self { provider, files: Lane::new(MOST_READS), verifiers: Mutex::new(Vec::new()) }
    }
}

impl Trust {
    /// The verifier for this trust, made when it is needed first. Each file is read within this time.
    ///
    /// # Errors
    /// [`NetError::InvalidRequest`] if the `ca_file` cannot be used; [`NetError::Other`] if the system trusts nobody,
    /// or the certificates cannot be read in time.
    pub(super) async fn verifier(
        &self,
        trusting: &Trusting,
        within: Duration,
    ) -> Result<Arc<Verifier>, NetError> {
        let key = match trusting {
            Trusting::Anything => return Ok(Arc::new(Verifier::lenient(&self.provider))),
            Trusting::System(None) => Key::System,
            Trusting::System(Some(file)) => {
                Key::WithFile(file.clone(), self.of_file(file, within, file::stamp).await?)
            }
        };
        if let Some(verifier) = self.cached(&key) {
            return Ok(verifier);
        }
        let verifier = match &key {
            Key::System => {
                Verifier::strict(&self.provider, file::usable(self.roots(within).await?)?, Vec::new())?
            }
            Key::WithFile(file, _) => {
                let extra = self.of_file(file, within, file::certificates).await?;
                let system = self.roots(within).await?;
                let mut roots = (*system).clone();
                file::add(&mut roots, &extra, file)?;
                let verifier = Verifier::strict(&self.provider, Arc::new(roots), extra)?;
                if system.is_empty() {
                    // The file alone will do; but the system's certificates may come later.
                    return Ok(Arc::new(verifier));
                }
                verifier
            }
        };
        let verifier = Arc::new(verifier);
        self.remember(key, &verifier);
        Ok(verifier)
    }

    /// What a handshake with this verifier needs. Sessions are never resumed: each check proves that the service can
    /// shake hands in full.
    ///
    /// # Errors
    /// [`NetError::Other`] if there is no TLS to be had.
    pub(super) fn config(&self, verifier: Arc<Verifier>) -> Result<ClientConfig, NetError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| NetError::Other(format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    async fn roots(&self, within: Duration) -> Result<Arc<RootCertStore>, NetError> {
        self.files.run("reading the system's certificates", within, system_roots).await.map_err(stuck)
    }

    async fn of_file<T: Send + 'static>(
        &self,
        file: &Path,
        within: Duration,
        work: impl FnOnce(&Path) -> Result<T, NetError> + Send + 'static,
    ) -> Result<T, NetError> {
        let what = format!("reading the ca_file {}", file.display());
        let file = file.to_owned();
        self.files.run(&what, within, move || work(&file)).await.map_err(stuck)?
    }

    fn cached(&self, key: &Key) -> Option<Arc<Verifier>> {
        let mut verifiers = self.verifiers.lock().unwrap_or_else(PoisonError::into_inner);
        let at = verifiers.iter().position(|(known, _)| known == key)?;
        verifiers[at..].rotate_left(1);
        verifiers.last().map(|(_, verifier)| Arc::clone(verifier))
    }

    fn remember(&self, key: Key, verifier: &Arc<Verifier>) {
        let mut verifiers = self.verifiers.lock().unwrap_or_else(PoisonError::into_inner);
        // An older state of the same file is of no use any more.
        verifiers.retain(|(known, _)| match (known, &key) {
            (Key::WithFile(known, _), Key::WithFile(file, _)) => known != file,
            _ => *known != key,
        });
        if verifiers.len() >= MOST_VERIFIERS {
            verifiers.remove(0);
        }
        verifiers.push((key, Arc::clone(verifier)));
    }
}

fn stuck(stuck: Stuck) -> NetError {
    NetError::Other(stuck.to_string())
}
