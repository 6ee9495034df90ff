//! HTTPS: the certificate, which is read again when its files change, and connections that begin with a handshake.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};
use tracing::{info, warn};

use super::guests::Guest;
use crate::files::read_limited;
use crate::words::chain;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(30);
/// The largest file that is read.
const LARGEST: usize = 1 << 20;

/// A certificate and its key, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// There is nothing of the kind in it.
    #[error("{} has no {}", .0.display(), .1)]
    Missing(PathBuf, &'static str),
    /// It is no PEM.
    #[error("{} is no PEM file", .0.display())]
    Pem(PathBuf, #[source] pem::Error),
    /// The two do not go together, or are of a kind that is not known.
    #[error("the certificate and its key cannot be used")]
    Refused(#[source] rustls::Error),
}

/// The certificate in use.
pub struct Certificate {
    files: TlsFiles,
    stamps: Stamps,
    config: watch::Sender<Arc<ServerConfig>>,
}

/// When each file was changed, and how long it is; none if it cannot be seen.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl TlsFiles {
    /// Reads them.
    ///
    /// # Errors
    /// Why they cannot be used.
    pub fn load(&self) -> Result<Certificate, TlsError> {
        let stamps = self.stamps();
        let config = watch::Sender::new(self.config()?);
        Ok(Certificate { files: self.clone(), stamps, config })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let text = read(&self.certificate)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let certificates = certificates.map_err(|error| TlsError::Pem(self.certificate.clone(), error))?;
        if certificates.is_empty() {
            return Err(TlsError::Missing(self.certificate.clone(), "certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::Missing(self.key.clone(), "private key"),
            error => TlsError::Pem(self.key.clone(), error),
        })?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(TlsError::Refused)?;
        let config = builder.with_no_client_auth().with_single_cert(certificates, key);
        let mut config = config.map_err(TlsError::Refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|file| {
            let found = fs::metadata(file).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    read_limited(file, LARGEST).map_err(|error| TlsError::Read(file.to_owned(), error))
}

impl Certificate {
    /// What new connections are accepted with.
    pub(super) fn current(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.config.subscribe()
    }

    /// Reads the files again whenever they change, until it is dropped. What cannot be used is logged, once, and the
    /// certificate before stays.
    pub(super) async fn follow(mut self) {
        loop {
            sleep(LOOK).await;
            let files = self.files.clone();
            let before = self.stamps;
            let looked = tokio::task::spawn_blocking(move || {
                let stamps = files.stamps();
                (stamps != before).then(|| (stamps, files.config()))
            });
            let Ok(Some((stamps, read))) = looked.await else { continue };
            self.stamps = stamps;
            match read {
                Ok(config) => {
                    self.config.send_replace(config);
                    info!("the dashboard has a new certificate");
                }
                Err(error) => warn!("the dashboard keeps its certificate: {}", chain(&error)),
            }
        }
    }
}

/// A connection, with TLS or without.
pub(super) enum Wire {
    Plain(Guest),
    /// The handshake goes on while it is read from or written to, so that accepting waits for nobody.
    Greeting(Box<Accept<Guest>>),
    Secure(Box<TlsStream<Guest>>),
    /// The handshake has failed.
    Over,
}

impl Wire {
    pub(super) fn new(guest: Guest, tls: Option<Arc<ServerConfig>>) -> Self {
        match tls {
            None => Wire::Plain(guest),
            Some(config) => Wire::Greeting(Box::new(TlsAcceptor::from(config).accept(guest))),
        }
    }

    /// What can be read from and written to, once the handshake is over.
    fn ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Both>>> {
        if let Wire::Greeting(accept) = self {
            match ready!(Pin::new(accept).poll(context)) {
                Ok(stream) => *self = Wire::Secure(Box::new(stream)),
                Err(error) => {
                    *self = Wire::Over;
                    return Poll::Ready(Err(error));
                }
            }
        }
        let both: &mut dyn Both = match self {
            Wire::Plain(guest) => guest,
            Wire::Secure(stream) => stream.as_mut(),
            Wire::Greeting(_) | Wire::Over => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        Poll::Ready(Ok(Pin::new(both)))
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.ready(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.ready(context))?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.ready(context))?.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Wire::Plain(guest) if guest.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.ready(context))?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Wire::Plain(guest) => Pin::new(guest).poll_shutdown(context),
            Wire::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Wire::Greeting(_) | Wire::Over => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(vec!["pi.lan".to_owned()]).unwrap();
        let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    fn wrong(files: &TlsFiles) -> String {
        chain(&files.load().err().unwrap())
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = written(folder.path());
        assert!(files.load().is_ok());
        let swapped = TlsFiles { certificate: files.key.clone(), key: files.certificate.clone() };
        assert!(wrong(&swapped).ends_with("key.pem has no certificate"), "{}", wrong(&swapped));
        let other = tempfile::tempdir().unwrap();
        let stranger = TlsFiles { key: written(other.path()).key, ..files.clone() };
        assert!(wrong(&stranger).contains("cannot be used"), "{}", wrong(&stranger));
        fs::write(&files.key, "nothing").unwrap();
        assert!(wrong(&files).ends_with("key.pem has no private key"), "{}", wrong(&files));
        fs::remove_file(&files.key).unwrap();
        assert!(
            wrong(&files).contains("cannot read") && wrong(&files).contains("key.pem"),
            "{}",
            wrong(&files)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = written(folder.path());
        let certificate = files.load().unwrap();
        let mut current = certificate.current();
        let first = current.borrow_and_update().clone();
        let following = tokio::spawn(certificate.follow());
        fs::write(&files.key, "broken").unwrap();
        tokio::time::sleep(3 * LOOK).await;
        assert!(Arc::ptr_eq(&first, &current.borrow()));
        written(folder.path());
        // A blocking thread takes the time that it takes.
        while !current.has_changed().unwrap() {
            tokio::time::sleep(LOOK).await;
        }
        assert!(!Arc::ptr_eq(&first, &current.borrow()));
        following.abort();
    }
}
