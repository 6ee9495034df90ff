//! HTTP across the wall.

use std::time::Duration;

use super::check_bindings::pihook::plugin::http as wit;
use crate::http::{Certificate, Credentials, Error, Request, Response, Timings};

pub(crate) fn send(request: &Request) -> Result<Response, Error> {
    wit::send(&wit::Request {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        credentials: request.credentials.clone().map(credentials),
        connect_timeout_ms: millis(request.connect_timeout),
        read_timeout_ms: millis(request.read_timeout),
        verify: request.verify,
        ca_file: request.ca_file.clone(),
        max_redirects: request.max_redirects,
        max_body_bytes: request.max_body_bytes,
        ext: Vec::new(),
    })
    .map(response)
    .map_err(error)
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn credentials(credentials: Credentials) -> wit::Credentials {
    match credentials {
        Credentials::Basic { user, password } => wit::Credentials::Basic((user, password)),
        Credentials::Bearer(token) => wit::Credentials::Bearer(token),
    }
}

fn response(response: wit::Response) -> Response {
    let wit::Timings { dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms } = response.timings;
    Response {
        status: response.status,
        version: response.version,
        headers: response.headers,
        body: response.body,
        body_truncated: response.body_truncated,
        url: response.url,
        redirects: response.redirects,
        timings: Timings { dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms },
        remote_address: response.remote_address,
        certificate: response.certificate.map(|shown| Certificate {
            subject: shown.subject,
            issuer: shown.issuer,
            not_before_ms: shown.not_before_ms,
            not_after_ms: shown.not_after_ms,
        }),
        ext: response.ext,
    }
}

fn error(error: wit::Error) -> Error {
    match error {
        wit::Error::InvalidRequest(text) => Error::InvalidRequest(text),
        wit::Error::Denied(text) => Error::Denied(text),
        wit::Error::Dns(text) => Error::Dns(text),
        wit::Error::Refused(text) => Error::Refused(text),
        wit::Error::Unreachable(text) => Error::Unreachable(text),
        wit::Error::ConnectTimeout(text) => Error::ConnectTimeout(text),
        wit::Error::ReadTimeout(text) => Error::ReadTimeout(text),
        wit::Error::Closed(text) => Error::Closed(text),
        wit::Error::Tls(text) => Error::Tls(text),
        wit::Error::CertificateInvalid(text) => Error::CertificateInvalid(text),
        wit::Error::CertificateExpired(ms) => Error::CertificateExpired { since_ms: (ms != 0).then_some(ms) },
        wit::Error::Protocol(text) => Error::Protocol(text),
        wit::Error::Redirect(text) => Error::Redirect(text),
        wit::Error::Other(text) => Error::Other(text),
    }
}
