//! What a certificate says about itself.

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;

use super::super::Certificate;

/// Its names and its validity; none if it cannot be read.
pub(super) fn describe(der: &CertificateDer<'_>) -> Option<Certificate> {
    let certificate = parse(der)?;
    let validity = certificate.validity();
    Some(Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before_ms: validity.not_before.timestamp().saturating_mul(1000),
        not_after_ms: validity.not_after.timestamp().saturating_mul(1000),
    })
}

/// The certificate, read; what follows it is of no interest.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}
