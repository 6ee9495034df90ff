//! The host's side of the WIT imports. Types are converted here, at the wall.

use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinSet;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::check::pihook::plugin as wit;
use super::log_lines::Level;
use super::run::RunState;
use crate::probes::http as probe;

/// Links what plugins may import: PiHook's interfaces, and WASI with an empty world behind it.
pub(super) fn link(linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wit::log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::clock::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::state::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::http::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    Ok(())
}

impl wit::types::Host for RunState {}

impl wit::log::Host for RunState {
    fn write(&mut self, level: wit::log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            wit::log::Level::Debug => Level::Debug,
            wit::log::Level::Info => Level::Info,
            wit::log::Level::Warn => Level::Warn,
            wit::log::Level::Error => Level::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl wit::clock::Host for RunState {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        Ok(self.reach.clock.now().wall.as_millisecond())
    }

    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.reach.clock.now().uptime.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl wit::state::Host for RunState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.reach.kept.get(&key).cloned())
    }

    fn set(&mut self, key: String, value: Option<Vec<u8>>) -> wasmtime::Result<Result<(), String>> {
        Ok(self.reach.kept.set(key, value))
    }
}

impl wit::http::Host for RunState {
    async fn send(&mut self, request: wit::http::Request) -> Result<wit::http::Response, wit::http::Error> {
        let Some((probe, access)) = self.reach.network.clone() else {
            return Err(wit::http::Error::Denied(self.offline.into()));
        };
        let request = request_from_guest(request);
        // In a task of its own: this future is polled on the guest's small stack, and TLS is not modest.
        // The set ends it with whoever waits for it.
        let mut task = JoinSet::new();
        task.spawn(async move { probe.send(request, &access).await });
        match task.join_next().await {
            Some(Ok(Ok(response))) => Ok(response_to_guest(response)),
            Some(Ok(Err(error))) => Err(error_to_guest(error)),
            Some(Err(_)) | None => Err(wit::http::Error::Other("the request was aborted".into())),
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

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
