//! What every request passes before it is looked at: bounds, whom it means, where it comes from, and what it may change.

mod forwarded;
mod hosts;
mod origin;

use std::net::{IpAddr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;

use super::Shared;
use super::guests::Door;
use super::refusal::{Code, Manner, Refusal};

pub(super) use forwarded::Client;
pub use hosts::Hosts;

/// Bytes of a request's header at most.
const HEADER: usize = 32 << 10;

/// How the dashboard is reached, as services.yaml has it.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// What stands before every path, such as `/pihook`; empty if nothing does.
    pub base_path: String,
    /// The names by which it is called.
    pub hosts: Hosts,
    /// Proxies whose word counts for who asks, and how.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether it speaks TLS by itself.
    pub tls: bool,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Lets a request pass, or says why not.
pub(super) async fn pass(
    State(dashboard): State<Shared>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let reach = &dashboard.reach;
    let below = match below(&reach.base_path, request.uri()) {
        Below::At(uri) => uri,
        Below::Beside => request.uri().clone(),
        // Without the slash at its end the page's links would lead elsewhere.
        Below::Bare => {
            let location = [(header::LOCATION, format!("{}/", reach.base_path))];
            return (StatusCode::PERMANENT_REDIRECT, location).into_response();
        }
    };
    let client = Client::of(peer.ip(), request.headers(), reach);
    *request.uri_mut() = below;
    match judge(reach, &client, &request) {
        Ok(()) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(refusal) => refusal.answer(Manner::of(request.uri().path())),
    }
}

fn judge(reach: &Reach, client: &Client, request: &Request) -> Result<(), Refusal> {
    let (headers, path) = (request.headers(), request.uri().path());
    if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > HEADER {
        return Err(Refusal::new(Code::HeaderTooLarge, "the header has more than 32 KiB"));
    }
    // Programs ask for these by whatever name they know; the one tells nothing, and the other takes a token.
    if path == "/healthz" || path.starts_with("/push/") {
        return Ok(());
    }
    let host = client.host.as_deref().or_else(|| named(headers, request.uri()));
    match host {
        Some(host) if reach.hosts.admit(host) => {}
        // Every browser names the host.
        None if request.version() < Version::HTTP_11 => {}
        _ => {
            let text = "PiHook does not know itself by this name. Call it by its IP address, or list the name in \
                        services.yaml: `dashboard: { hosts: [NAME] }`";
            return Err(Refusal::new(Code::MisdirectedRequest, text));
        }
    }
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(request.method());
    if reads || origin::is_own(headers, host) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "this comes from another page, so nothing was changed"))
}

/// The host that a request names; none if it names several.
fn named<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (uri.authority(), values.next(), values.next()) {
        (_, Some(_), Some(_)) => None,
        (Some(authority), ..) => Some(authority.as_str()),
        (None, host, _) => host?.to_str().ok(),
    }
}

/// Where an address lies.
#[derive(Debug, PartialEq, Eq)]
enum Below {
    /// Below the base path: there, the base path is left out.
    At(Uri),
    /// At the base path, without a slash.
    Bare,
    /// Elsewhere: a proxy may have left the base path out.
    Beside,
}

fn below(base: &str, uri: &Uri) -> Below {
    let Some(rest) = uri.path().strip_prefix(base).filter(|_| !base.is_empty()) else { return Below::Beside };
    if rest.is_empty() {
        return Below::Bare;
    }
    if !rest.starts_with('/') {
        return Below::Beside;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(format!("{rest}{query}")).ok();
    Uri::from_parts(parts).map_or(Below::Beside, Below::At)
}

/// From this address up to the dashboard's root, such as `../` from `/services/nas`: so links lead there whatever a proxy
/// has put before it.
pub(super) fn up(path: &str) -> String {
    match path.matches('/').count() {
        0 | 1 => "./".to_owned(),
        deep => "../".repeat(deep - 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Below {
        Below::At(text.parse().unwrap())
    }

    #[test]
    fn a_base_path_is_left_out() {
        let below = |text: &str| below("/pihook", &text.parse().unwrap());
        assert_eq!(below("/pihook/"), at("/"));
        assert_eq!(below("/pihook/api/v1/services?a=b"), at("/api/v1/services?a=b"));
        assert_eq!(below("/pihook"), Below::Bare);
        assert_eq!(below("/pihook?q=a"), Below::Bare);
        for beside in ["/", "/pihooks", "/assets/pihook/", "/PiHook/"] {
            assert_eq!(below(beside), Below::Beside, "{beside}");
        }
        assert_eq!(super::below("", &"/a".parse().unwrap()), Below::Beside);
    }

    #[test]
    fn links_lead_up() {
        for (path, expected) in
            [("/", "./"), ("/login", "./"), ("/services/nas", "../"), ("/api/v1/services", "../../")]
        {
            assert_eq!(up(path), expected);
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(path in "(/pihook)?/[!-~]{0,40}") {
            if let Ok(uri) = path.parse() {
                let _ = below("/pihook", &uri);
            }
        }
    }
}
