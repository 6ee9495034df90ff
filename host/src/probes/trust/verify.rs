//! Decides about a server's certificate, and says in words why not.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::certificate;
use crate::probes::net::NetError;

/// Why a certificate was refused. It travels through rustls inside its own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::probes) enum Rejection {
    /// Since this many milliseconds after 1970 UTC; 0 if not known.
    #[error("the certificate has expired")]
    Expired(i64),
    /// Its time has not come.
    #[error("{0}")]
    NotYetValid(String),
    /// Its chain does not end at an issuer that is trusted.
    #[error("{0}")]
    UnknownIssuer(String),
    /// It is for other names.
    #[error("{0}")]
    WrongName(String),
    /// Anything else.
    #[error("{0}")]
    Invalid(String),
}

/// Verifies as browsers do, or not at all.
#[derive(Debug)]
pub(in crate::probes) struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// None accepts every certificate.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that are trusted themselves, whoever signed them: those of the `ca_file`.
    trusted: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Accepts every certificate.
    pub(super) fn lenient(provider: &CryptoProvider) -> Self {
        Self { algorithms: provider.signature_verification_algorithms, chain: None, trusted: Vec::new() }
    }

    /// Accepts what these roots vouch for, and the `trusted` ones themselves.
    pub(super) fn strict(
        provider: &Arc<CryptoProvider>,
        roots: Arc<RootCertStore>,
        trusted: Vec<CertificateDer<'static>>,
    ) -> Result<Self, NetError> {
        let chain = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| NetError::Other(format!("TLS cannot be set up: {error}")))?;
        Ok(Self { algorithms: provider.signature_verification_algorithms, chain: Some(chain), trusted })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates, name, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|rejection| CertificateError::Other(OtherError(Arc::new(rejection))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(verify_tls12_signature(message, certificate, signature, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(verify_tls13_signature(message, certificate, signature, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Nothing, if the certificate is to be trusted for this name at this time.
    ///
    /// # Errors
    /// If not, the first reason.
    pub(in crate::probes) fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Rejection> {
        let Some(chain) = &self.chain else { return Ok(()) };
        let verdict = if self.trusted.contains(end_entity) {
            alone(end_entity, name, now)
        } else {
            chain.verify_server_cert(end_entity, intermediates, name, &[], now).map(drop)
        };
        verdict.map_err(|error| explain(&error, end_entity, name))
    }

    /// Without verification a signature must still not be wrong; but a certificate that is too odd to be read, as old
    /// devices have them, is let pass.
    fn signed(
        &self,
        verdict: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match verdict {
            Err(Error::InvalidCertificate(CertificateError::BadSignature)) => verdict,
            Err(Error::InvalidCertificate(_)) if self.chain.is_none() => {
                Ok(HandshakeSignatureValid::assertion())
            }
            verdict => verdict,
        }
    }
}

/// A certificate that is trusted itself needs no issuer: right name, right time.
fn alone(der: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
    let shown = certificate::describe(der).ok_or(CertificateError::BadEncoding)?;
    if now < shown.not_before_ms {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > shown.not_after_ms {
        return Err(CertificateError::Expired.into());
    }
    verify_server_name(&ParsedCertificate::try_from(der)?, name)
}

fn explain(error: &Error, der: &CertificateDer<'_>, name: &ServerName<'_>) -> Rejection {
    use CertificateError as Fault;
    let shown = certificate::describe(der);
    let ms = |time: &UnixTime| i64::try_from(time.as_secs()).unwrap_or(0).saturating_mul(1000);
    let Error::InvalidCertificate(fault) = error else {
        return Rejection::Invalid(format!("the certificate is not valid: {error}"));
    };
    match fault {
        Fault::ExpiredContext { not_after, .. } => Rejection::Expired(ms(not_after)),
        Fault::Expired => Rejection::Expired(shown.map_or(0, |shown| shown.not_after_ms)),
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
            let from = shown.and_then(|shown| jiff::Timestamp::from_millisecond(shown.not_before_ms).ok());
            Rejection::NotYetValid(match from {
                Some(from) => {
                    format!("the certificate is not valid before {}", from.strftime("%Y-%m-%d %H:%M UTC"))
                }
                None => "the certificate is not valid yet".to_owned(),
            })
        }
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => {
            Rejection::WrongName(wrong_name(shown.map(|shown| shown.names).unwrap_or_default(), name))
        }
        Fault::UnknownIssuer | Fault::Other(_) => match shown {
            Some(shown) if shown.issuer == shown.subject => Rejection::UnknownIssuer(format!(
                "the certificate is self-signed ({}) and not trusted",
                shown.subject
            )),
            Some(shown) => {
                Rejection::UnknownIssuer(format!("the certificate's issuer is not trusted: {}", shown.issuer))
            }
            None => Rejection::Invalid("the certificate cannot be read".to_owned()),
        },
        Fault::BadSignature => {
            Rejection::Invalid("the certificate is not signed by the issuer that it names".to_owned())
        }
        Fault::Revoked => Rejection::Invalid("the certificate is revoked".to_owned()),
        Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => {
            Rejection::Invalid("the certificate is not meant for servers".to_owned())
        }
        other => Rejection::Invalid(format!("the certificate is not valid: {other}")),
    }
}

fn wrong_name(names: Vec<String>, name: &ServerName<'_>) -> String {
    let wanted = name.to_str();
    if names.is_empty() {
        return format!(
            "the certificate is not for {wanted}: it has no names (a common name alone does not count)"
        );
    }
    /// A certificate may have hundreds.
    const SHOWN: usize = 8;
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("the certificate is not for {wanted} but for {shown}{more}")
}
