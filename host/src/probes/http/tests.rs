use std::future::Future;

use pihook_core::Secret;

use super::*;
use crate::hosts::HostPort;
use crate::probes::web::{Answer, Authority, Behaviour, EXPIRED_AT_MS, Identity, Show, WebServer};

mod exchanges;
mod hops;
mod over_tls;

/// A GET with short timeouts.
fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        credentials: None,
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
        verify: true,
        ca_file: None,
        max_redirects: 5,
        max_body_bytes: 64 * 1024,
    }
}

fn impatient(url: &str) -> HttpRequest {
    let timeout = Duration::from_millis(300);
    HttpRequest { connect_timeout: timeout, read_timeout: timeout, ..get(url) }
}

/// Everything is granted, nothing is secret.
fn open() -> Access {
    Access { grant: HttpGrant::Any, ..Access::default() }
}

/// The server is the service's own, and these are the service's secrets.
fn own(server: &WebServer, secrets: &[&str]) -> Access {
    Access {
        own_hosts: vec![HostPort::new(&server.address().ip().to_string(), server.address().port())],
        secrets: secrets.iter().map(|text| Secret::new((*text).to_owned())).collect(),
        grant: HttpGrant::Any,
        ca_files: Vec::new(),
    }
}

async fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    HttpProbe::new().send(request, &open()).await
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn body(response: &HttpResponse) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

/// Stands in for whoever hosts the plugins: the future must be fit for a task of its own.
#[test]
fn sending_fits_into_a_task() {
    fn is_spawnable(_: impl Future<Output = Result<HttpResponse, HttpError>> + Send + 'static) {}
    let probe = HttpProbe::new();
    let access = open();
    is_spawnable(async move { probe.send(get("http://127.0.0.1/"), &access).await });
}
