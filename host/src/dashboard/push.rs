//! Where jobs send their signs of life: `/push/{token}`. The token is all that it takes, so nothing here tells which
//! tokens exist, or logs one.

mod sign;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Dashboard;
use crate::heartbeats::Refused;

/// What is read of a request's body.
const BODY: usize = 64 << 10;

/// The address holds a secret: nobody is to keep it, or to pass it on.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

pub(super) async fn push(
    State(dashboard): State<Arc<Dashboard>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Before anything is read of it: whoever has no token learns nothing, and is not listened to.
    let Some(service) = dashboard.inlet.owner(&token) else {
        return answer(
            StatusCode::NOT_FOUND,
            "nothing is pushed here: is the token the one in services.yaml?",
        );
    };
    let at = dashboard.clock.now();
    let body = if method == Method::POST { to_bytes(body, BODY).await } else { Ok(Default::default()) };
    let Ok(body) = body else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, "nothing was noted: a body may have 64 KiB");
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let sign = match sign::read(query.as_deref().unwrap_or_default(), kind, &body, &token) {
        Ok(sign) => sign,
        Err(wrong) => return answer(StatusCode::BAD_REQUEST, &format!("nothing was noted: {wrong}")),
    };
    match dashboard.inlet.take(service, sign, at).await {
        Ok(()) => answer(StatusCode::OK, "ok"),
        Err(refused @ Refused::TooMany) => answer(StatusCode::TOO_MANY_REQUESTS, &refused.to_string()),
        Err(refused @ Refused::Gone) => answer(StatusCode::NOT_FOUND, &refused.to_string()),
        Err(refused) => answer(StatusCode::SERVICE_UNAVAILABLE, &refused.to_string()),
    }
}

fn answer(status: StatusCode, text: &str) -> Response {
    (status, HEADERS, format!("{text}\n")).into_response()
}
