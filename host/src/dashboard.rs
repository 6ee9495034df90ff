//! What people see in a browser, what programs are told, and where jobs send signs of life. It reads the database and never
//! writes to it: what comes in is passed on.

mod api;
pub(crate) mod assets;
mod auth;
mod badge;
mod daily;
mod desk;
mod gate;
mod guests;
mod live;
mod login;
mod metrics;
mod packed;
mod page;
mod plot;
mod push;
mod refusal;
mod service;
mod session;
mod status;
mod stock;
mod tls;
mod xml;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pihook_core::liveness::{self, Progress};
use pihook_core::maintenance::Window;
use pihook_core::{IncidentId, ServiceId, ZoneId};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::board::Board;
use crate::clock::Clock;
use crate::heartbeats::Inlet;
use crate::shutdown::Shutdown;

use guests::Door;
use page::Beside;
use refusal::{Code, Manner, Refusal};

pub use auth::{Keeper, Known, NoRandomness};
pub use desk::Desk;
pub use gate::{Hosts, Reach};
pub use live::Channel;
pub use status::Rendered;
pub use tls::{Certificate, TlsError, TlsFiles};

/// What every request is answered from.
type Shared = Arc<Dashboard>;

/// How long requests may go on after the request to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Bytes of a request's body at most; signs of life have a bound of their own.
const BODY: usize = 64 << 10;

/// What services.yaml says that is shown, or that maintenance needs.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// The settings of each service's check, without secrets.
    pub settings: BTreeMap<ServiceId, Value>,
    /// The declared zones.
    pub zones: BTreeSet<ZoneId>,
    /// The file whose presence mutes alerts.
    pub maintenance_flag: PathBuf,
    /// The windows of maintenance.
    pub windows: Vec<Window>,
}

/// What the page is made from.
pub struct Dashboard {
    /// The database.
    pub database: PathBuf,
    /// Who may see it; everybody if none.
    pub keeper: Option<Arc<Keeper>>,
    /// Who may see badges.
    pub badges: Badges,
    /// How it is reached.
    pub reach: Reach,
    /// Whether only this machine reaches it.
    pub is_private: bool,
    /// What services.yaml says.
    pub configured: watch::Receiver<Arc<Configured>>,
    /// Where maintenance begins and ends.
    pub desk: Desk,
    /// Where it is said that somebody sees to an incident.
    pub acknowledgements: mpsc::Sender<Acknowledge>,
    /// How far the engine has come.
    pub progress: watch::Receiver<Progress>,
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

/// Somebody sees to an incident.
#[derive(Debug)]
pub struct Acknowledge {
    /// Which.
    pub incident: IncidentId,
    /// Hears what came of it.
    pub answer: oneshot::Sender<Acknowledgement>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is on disk.
    Noted,
    /// No such incident is open.
    NotOpen,
    /// It counts, but is not on disk.
    Unwritten,
}

impl Dashboard {
    /// Passes it on, and waits for the disk.
    async fn acknowledge(&self, incident: IncidentId) -> Acknowledgement {
        let (answer, answered) = oneshot::channel();
        if self.acknowledgements.send(Acknowledge { incident, answer }).await.is_err() {
            return Acknowledgement::NotOpen;
        }
        answered.await.unwrap_or(Acknowledgement::Unwritten)
    }
}

/// Opens the port. A taken one is logged and no reason to stop watching.
pub async fn bind(listen: SocketAddr, reach: &Reach) -> Option<TcpListener> {
    let bound = TcpListener::bind(listen).await.inspect_err(|error| {
        warn!(
            "no dashboard: cannot listen on {listen}: {error}; `dashboard: listen:` may name another address"
        );
    });
    let listener = bound.ok()?;
    if let Ok(address) = listener.local_addr() {
        let scheme = if reach.tls { "https" } else { "http" };
        info!("dashboard: {scheme}://{address}{}/", reach.base_path);
    }
    Some(listener)
}

/// Serves until shutdown, and at most a second longer.
pub async fn run(
    listener: TcpListener,
    certificate: Option<Certificate>,
    dashboard: Dashboard,
    shutdown: Shutdown,
) {
    let requested = |mut shutdown: Shutdown| async move { shutdown.requested().await };
    let dashboard = Arc::new(dashboard);
    let (teller, days) = (live::tell(dashboard.clone()), daily::follow(dashboard.clone()));
    let service = router(dashboard).into_make_service_with_connect_info::<gate::Peer>();
    let door = Door::new(listener, certificate.as_ref().map(Certificate::current));
    let service = axum::serve(door, service).with_graceful_shutdown(requested(shutdown.clone()));
    let renewal = async {
        match certificate {
            Some(certificate) => certificate.follow().await,
            None => pending().await,
        }
    };
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
        // Does not end.
        () = renewal => {}
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
        .route("/maintenance", post(desk::post))
        .merge(api::router(&dashboard))
        .layer(middleware::from_fn_with_state(dashboard.clone(), auth::admit));
    let inner = public
        .merge(guarded)
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(login::log_out))
        // The login page is made with them, and they tell nothing.
        .route("/assets/pihook.css", get(assets::css))
        .route("/assets/pihook.js", get(assets::js))
        .route("/healthz", get(health))
        .route("/push/{token}", get(push::push).post(push::push))
        .method_not_allowed_fallback(no_such_method)
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(dashboard.clone());
    // What comes before the routes may change the path.
    Router::new()
        .fallback_service(inner)
        .layer(middleware::from_fn_with_state(dashboard, gate::pass))
        .layer(middleware::map_response(secure))
}

async fn nothing_here(uri: Uri) -> Response {
    Refusal::new(Code::NotFound, "there is nothing at this address").answer(Manner::of(uri.path()))
}

async fn no_such_method(method: Method, uri: Uri) -> Response {
    let text = format!("this address does not know the method {method}");
    Refusal::new(Code::MethodNotAllowed, text).answer(Manner::of(uri.path()))
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
    let unwritable = trouble.map(|why| format!("the database cannot be written: {why}\n"));
    let late = liveness::overdue(*dashboard.progress.borrow(), dashboard.clock.now().uptime);
    let late = late.map(|late| format!("a check should have started {} s ago\n", late.as_secs()));
    let wrong: String = unwritable.into_iter().chain(late).collect();
    if wrong.is_empty() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, wrong).into_response()
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
