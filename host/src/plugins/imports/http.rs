//! HTTP at the wall.

use std::path::PathBuf;
use std::time::Duration;

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::{aside, millis};
use crate::probes::http as probe;

impl wit::http::Host for RunState {
    async fn send(&mut self, request: wit::http::Request) -> Result<wit::http::Response, wit::http::Error> {
        let outside = self.outside().map_err(wit::http::Error::Denied)?;
        let request = request_from_guest(request);
        let sent = aside(async move { outside.probes.http.send(request, &outside.grants.web).await });
        match sent.await {
            Ok(Ok(response)) => Ok(response_to_guest(response)),
            Ok(Err(error)) => Err(error_to_guest(error)),
            Err(reason) => Err(wit::http::Error::Other(reason)),
        }
    }
}

fn request_from_guest(request: wit::http::Request) -> probe::HttpRequest {
    probe::HttpRequest {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body,
        credentials: request.credentials.map(|credentials| match credentials {
            wit::http::Credentials::Basic((user, password)) => probe::Credentials::Basic { user, password },
            wit::http::Credentials::Bearer(token) => probe::Credentials::Bearer(token),
        }),
        connect_timeout: Duration::from_millis(request.connect_timeout_ms.into()),
        read_timeout: Duration::from_millis(request.read_timeout_ms.into()),
        verify: request.verify,
        ca_file: request.ca_file.map(PathBuf::from),
        max_redirects: request.max_redirects,
        max_body_bytes: request.max_body_bytes,
    }
}

fn response_to_guest(response: probe::HttpResponse) -> wit::http::Response {
    let timings = response.timings;
    wit::http::Response {
        status: response.status,
        version: response.version.to_owned(),
        headers: response.headers,
        body: response.body,
        body_truncated: response.body_truncated,
        url: response.url,
        redirects: response.redirects,
        timings: wit::http::Timings {
            dns_ms: timings.dns.map(millis),
            connect_ms: millis(timings.connect),
            tls_ms: timings.tls.map(millis),
            first_byte_ms: millis(timings.first_byte),
            total_ms: millis(timings.total),
        },
        remote_address: response.remote_address.to_string(),
        certificate: response.certificate.map(|certificate| wit::http::Certificate {
            subject: certificate.subject,
            issuer: certificate.issuer,
            not_before_ms: certificate.not_before_ms,
            not_after_ms: certificate.not_after_ms,
        }),
        ext: Vec::new(),
    }
}

fn error_to_guest(error: probe::HttpError) -> wit::http::Error {
    use probe::HttpError as Probe;
    use wit::http::Error as Guest;
    match error {
        Probe::InvalidRequest(text) => Guest::InvalidRequest(text),
        Probe::Denied(text) => Guest::Denied(text),
        Probe::Dns(text) => Guest::Dns(text),
        Probe::Refused(text) => Guest::Refused(text),
        Probe::Unreachable(text) => Guest::Unreachable(text),
        Probe::ConnectTimeout(text) => Guest::ConnectTimeout(text),
        Probe::ReadTimeout(text) => Guest::ReadTimeout(text),
        Probe::Closed(text) => Guest::Closed(text),
        Probe::Tls(text) => Guest::Tls(text),
        Probe::CertificateInvalid(text) => Guest::CertificateInvalid(text),
        Probe::CertificateExpired(at_ms) => Guest::CertificateExpired(at_ms),
        Probe::Protocol(text) => Guest::Protocol(text),
        Probe::Redirect(text) => Guest::Redirect(text),
        Probe::Other(text) => Guest::Other(text),
    }
}
