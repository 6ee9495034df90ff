//! What people see in a browser: a status page, and a sign of life. It reads the database and never writes to it.

mod auth;
mod page;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::store::StoreReader;

pub use auth::Credentials;

/// What the page is made from.
pub struct Dashboard {
    /// The database.
    pub database: PathBuf,
    /// Who may see it; everybody if none.
    pub credentials: Option<Credentials>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
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

/// Serves until shutdown.
pub async fn run(listener: TcpListener, dashboard: Dashboard, mut shutdown: Shutdown) {
    let service = axum::serve(listener, router(Arc::new(dashboard)));
    if let Err(error) = service.with_graceful_shutdown(async move { shutdown.requested().await }).await {
        warn!("the dashboard has stopped: {error}");
    }
}

fn router(dashboard: Arc<Dashboard>) -> Router {
    Router::new()
        .route("/", get(status_page))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(dashboard)
}

async fn status_page(State(dashboard): State<Arc<Dashboard>>, headers: HeaderMap) -> Response {
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
