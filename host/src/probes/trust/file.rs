//! Whose certificates are trusted: the system's, and those of a `ca_file`.

use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::probes::net::{NetError, reason};

/// The largest `ca_file` that is read.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Tells whether a file has changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

/// The system's certificates, if there are any.
///
/// # Errors
/// [`NetError::Other`] if there are none: no service is to blame for that.
pub(super) fn usable(roots: Arc<RootCertStore>) -> Result<Arc<RootCertStore>, NetError> {
    if !roots.is_empty() {
        return Ok(roots);
    }
    Err(NetError::Other(
        "this machine trusts no certificate at all: install the package ca-certificates, or name a ca_file"
            .to_owned(),
    ))
}

/// The file's state.
///
/// # Errors
/// [`NetError::InvalidRequest`] if it is no file to read certificates from.
pub(super) fn stamp(file: &Path) -> Result<Stamp, NetError> {
    let metadata = metadata(file)?;
    Ok(Stamp { modified: metadata.modified().ok(), length: metadata.len() })
}

/// The file's certificates.
///
/// # Errors
/// [`NetError::InvalidRequest`] if it holds none, or something else between them.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, NetError> {
    metadata(file)?;
    let text = fs::read(file).map_err(|error| unusable(file, &reason(&error)))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| unusable(file, "it is not in PEM format"))?;
    if certificates.is_empty() {
        return Err(unusable(file, "it holds no `BEGIN CERTIFICATE`"));
    }
    Ok(certificates)
}

/// Adds a file's certificates to those that are trusted.
pub(super) fn add(
    roots: &mut RootCertStore,
    certificates: &[CertificateDer<'static>],
    file: &Path,
) -> Result<(), NetError> {
    for certificate in certificates {
        roots
            .add(certificate.clone())
            .map_err(|error| unusable(file, &format!("a certificate in it cannot be read: {error}")))?;
    }
    Ok(())
}

fn metadata(file: &Path) -> Result<Metadata, NetError> {
    if !file.is_absolute() {
        return Err(unusable(file, "its path must be absolute"));
    }
    let metadata = fs::metadata(file).map_err(|error| unusable(file, &reason(&error)))?;
    if !metadata.is_file() {
        return Err(unusable(file, "it is not a file"));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(unusable(file, "it is larger than 1 MiB"));
    }
    Ok(metadata)
}

fn unusable(file: &Path, why: &str) -> NetError {
    NetError::InvalidRequest(format!("the ca_file {} cannot be used: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_certificates_cannot_tell() {
        assert!(matches!(usable(Arc::new(RootCertStore::empty())), Err(NetError::Other(_))));
    }
}
