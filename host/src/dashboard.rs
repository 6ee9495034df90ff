//! What people see in a browser, and where jobs send signs of life. It reads the database and never writes to it: what
//! comes in is passed on.

pub(crate) mod assets;
mod auth;
mod badge;
mod daily;
mod guests;
mod live;
mod metrics;
mod packed;
mod page;
mod plot;
mod push;
mod service;
mod status;
mod stock;
mod xml;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::board::Board;
use crate::clock::Clock;
use crate::heartbeats::Inlet;
use crate::shutdown::Shutdown;

use guests::Door;
use page::Beside;

pub use auth::Credentials;
pub use live::Channel;
pub use status::Rendered;

/// What every request is answered from.
type Shared = Arc<Dashboard>;

/// How long requests may go on after the request to stop.
const GRACE: Duration = Duration::from_secs(1);

/// What the page is made from.
pub struct Dashboard {
    /// The database.
    pub database: PathBuf,
    /// Who may see it; everybody if none.
    pub credentials: Option<Credentials>,
    /// Who may see badges.
    pub badges: Badges,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Why the database cannot be written, while it cannot.
    pub trouble: watch::Receiver<Option<String>>,
    /// Where signs of life go.
    pub inlet: Inlet,
    /// What is known now.
    pub board: Board,
    /// Where its changes are told.
    pub channel: Channel,
    /// The page as it was last made.
    pub rendered: Rendered,
}

/// Who may see badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badges {
    /// Whoever may see the pages.
    Guarded,
    /// Everybody, so that they may stand on other pages.
    Public,
}

/// Opens the port. A taken one is logged and no reason to stop watching.
pub async fn bind(listen: SocketAddr) -> Option<TcpListener> {
    let bound = TcpListener::bind(listen).await.inspect_err(|error| {
        warn!(
            "no dashboard: cannot listen on {listen}: {error}; `dashboard: listen:` may name another address"
        );
    });
    let listener = bound.ok()?;
    if let Ok(address) = listener.local_addr() {
        info!("dashboard: http://{address}/");
    }
    Some(listener)
}

/// Serves until shutdown, and at most a second longer.
pub async fn run(listener: TcpListener, dashboard: Dashboard, shutdown: Shutdown) {
    let requested = |mut shutdown: Shutdown| async move { shutdown.requested().await };
    let dashboard = Arc::new(dashboard);
    let (teller, days) = (live::tell(dashboard.clone()), daily::follow(dashboard.clone()));
    let service = axum::serve(Door::new(listener), router(dashboard))
        .with_graceful_shutdown(requested(shutdown.clone()));
    let late = async {
        requested(shutdown).await;
        sleep(GRACE).await;
    };
    tokio::select! {
        served = service => if let Err(error) = served {
            warn!("the dashboard has stopped: {error}");
        },
        // Who has sent half a request would be waited for, and who listens to events.
        () = late => {}
        // Ends with the board alone.
        () = teller => {}
        () = days => {}
    }
}

fn router(dashboard: Shared) -> Router {
    let badges = Router::new().route("/badge/{id}/{file}", get(badge::badge));
    let (public, private) = match dashboard.badges {
        Badges::Public => (badges, Router::new()),
        Badges::Guarded => (Router::new(), badges),
    };
    let guarded = private
        .route("/", get(status::status_page))
        .route("/services/{id}", get(service::service_page))
        .route("/events", get(live::events))
        .route("/metrics", get(metrics::metrics))
        .route("/assets/pihook.css", get(assets::css))
        .route("/assets/pihook.js", get(assets::js))
        .layer(middleware::from_fn_with_state(dashboard.clone(), admit));
    public
        .merge(guarded)
        .route("/healthz", get(health))
        .route("/push/{token}", get(push::push).post(push::push))
        .layer(middleware::map_response(secure))
        .with_state(dashboard)
}

/// Lets in whoever may see what is known.
async fn admit(State(dashboard): State<Shared>, request: Request, next: Next) -> Response {
    if dashboard.credentials.as_ref().is_none_or(|credentials| credentials.admit(request.headers())) {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"PiHook\", charset=\"UTF-8\"")];
    (StatusCode::UNAUTHORIZED, challenge, "PiHook wants a name and a password.\n").into_response()
}

/// Pages take nothing from elsewhere, run nothing but PiHook's own script, and stay in nobody's cache unless they say
/// otherwise.
const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

async fn secure(mut response: Response) -> Response {
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether PiHook does its work; open to all, since who asks is a program.
async fn health(State(dashboard): State<Shared>) -> Response {
    let trouble = dashboard.trouble.borrow().clone();
    match trouble {
        None => "ok\n".into_response(),
        Some(why) => {
            let text = format!("the database cannot be written: {why}\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

/// What the status page says beside what the board knows.
async fn beside(dashboard: &Shared) -> Beside {
    let trouble = dashboard.trouble.borrow().clone();
    let warnings = trouble.map(|why| format!("The database cannot be written: {why}"));
    Beside {
        warnings: warnings.into_iter().collect(),
        waiting: stock::waiting(dashboard).await,
        days: dashboard.rendered.daily.days(),
    }
}

#[cfg(test)]
mod tests;
