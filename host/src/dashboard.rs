//! What people see in a browser, and where jobs send signs of life. It reads the database and never writes to it: what
//! comes in is passed on.

mod auth;
mod guests;
mod metrics;
mod page;
mod push;
mod stock;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::board::Board;
use crate::clock::Clock;
use crate::heartbeats::Inlet;
use crate::shutdown::Shutdown;
use crate::store::StoreReader;

use guests::Door;

pub use auth::Credentials;

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
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Why the database cannot be written, while it cannot.
    pub trouble: watch::Receiver<Option<String>>,
    /// Where signs of life go.
    pub inlet: Inlet,
    /// What is known now.
    pub board: Board,
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
    let service = axum::serve(Door::new(listener), router(Arc::new(dashboard)))
        .with_graceful_shutdown(requested(shutdown.clone()));
    let late = async {
        requested(shutdown).await;
        sleep(GRACE).await;
    };
    tokio::select! {
        served = service => if let Err(error) = served {
            warn!("the dashboard has stopped: {error}");
        },
        // Who has sent half a request would be waited for.
        () = late => {}
    }
}

fn router(dashboard: Arc<Dashboard>) -> Router {
    Router::new()
        .route("/", get(status_page))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics::metrics))
        .route("/push/{token}", get(push::push).post(push::push))
        .with_state(dashboard)
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

async fn status_page(State(dashboard): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(credentials) = &dashboard.credentials
        && !credentials.admit(&headers)
    {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"PiHook\", charset=\"UTF-8\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "PiHook wants a name and a password.\n")
            .into_response();
    }
    let read = tokio::task::spawn_blocking(move || {
        let reader = StoreReader::open(&dashboard.database)?;
        let now = dashboard.clock.now().wall;
        Ok::<_, crate::store::StoreError>(page::render(&reader.services()?, &reader.open_incidents()?, now))
    });
    match read.await {
        Ok(Ok(page)) => (page::SECURITY_HEADERS, Html(page)).into_response(),
        Ok(Err(error)) => {
            warn!("the status page cannot read the database: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "The database cannot be read; the log says why.\n")
                .into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
