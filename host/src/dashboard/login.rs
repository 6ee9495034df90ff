//! `/login` and `/logout`.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, extract::rejection::FormRejection};
use serde::Deserialize;
use tracing::{error, info, warn};

use super::gate::Client;
use super::refusal::{Code, Manner, Refusal};
use super::{Shared, session};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    user: String,
    password: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    wrong: &'a str,
}

/// The form. Where nobody has to log in there is none.
pub(super) async fn show(State(dashboard): State<Shared>, headers: HeaderMap) -> Response {
    let now = dashboard.clock.now().uptime;
    match &dashboard.keeper {
        Some(keeper) if !keeper.is_logged_in(&headers, now) => page(StatusCode::OK, ""),
        _ => home(),
    }
}

/// Begins a session. The password is checked and throttled as it is elsewhere.
pub(super) async fn log_in(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Response {
    let Some(keeper) = &dashboard.keeper else { return home() };
    let Sent { user, password } = match sent {
        Ok(Form(sent)) => sent,
        Err(error) => return Refusal::new(Code::InvalidRequest, error.body_text()).answer(Manner::Text),
    };
    if let Err(refusal) = keeper.check(&user, &password, &client, &dashboard.clock).await {
        warn!(address = %client.address, "somebody has failed to log in to the dashboard");
        let retry = refusal.clone().answer(Manner::Text);
        let mut response = page(retry.status(), &refusal.into_message());
        if let Some(after) = retry.headers().get(header::RETRY_AFTER) {
            response.headers_mut().insert(header::RETRY_AFTER, after.clone());
        }
        return response;
    }
    // The old one would go on beside it.
    keeper.end(&headers);
    let token = match keeper.begin(dashboard.clock.now().uptime) {
        Ok(token) => token,
        Err(error) => {
            error!("nobody can log in: {error}");
            return Refusal::new(Code::Internal, error.to_string()).answer(Manner::Text);
        }
    };
    info!(address = %client.address, "somebody has logged in to the dashboard");
    with_cookie(home(), session::cookie(Some(&token), &dashboard.reach.base_path, &client))
}

/// Ends the session.
pub(super) async fn log_out(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    if let Some(keeper) = &dashboard.keeper {
        keeper.end(&headers);
    }
    let login = (StatusCode::SEE_OTHER, [(header::LOCATION, "login")]).into_response();
    with_cookie(login, session::cookie(None, &dashboard.reach.base_path, &client))
}

/// Back to the status page.
fn home() -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, "./")]).into_response()
}

fn page(status: StatusCode, wrong: &str) -> Response {
    match (LoginPage { wrong }).render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => {
            error!("the login page cannot be made: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
