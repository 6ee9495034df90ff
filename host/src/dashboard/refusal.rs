//! Why a request is not answered: as JSON below `/api/`, and as a line of text elsewhere.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    /// A parameter or the body is wrong.
    InvalidRequest,
    /// Name and password are asked for.
    Unauthorized,
    /// The request comes from another page, or from where nothing may be changed.
    Forbidden,
    /// There is nothing at this address, or of this name.
    NotFound,
    /// The address does not know the method.
    MethodNotAllowed,
    /// The body is too long.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The request names a host that PiHook is not.
    MisdirectedRequest,
    /// Wrong passwords came from this address; `Retry-After` says when the next is taken.
    TooManyRequests,
    /// The header is too long.
    HeaderTooLarge,
    /// PiHook failed; its log says more.
    Internal,
    /// The database or the disk does not answer, or PiHook is busy.
    Unavailable,
}

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: Code,
    message: String,
    /// Seconds after which it may be tried again.
    retry_after: Option<u64>,
}

/// Why a request is not answered.
#[derive(Debug, Serialize, ToSchema, IntoResponses)]
#[response(status = "default", description = "Why the request is not answered")]
pub(super) struct ErrorBody {
    error: ErrorDetail,
}

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorDetail {
    /// For programs.
    code: Code,
    /// For people.
    message: String,
}

/// How a refusal is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// For programs.
    Json,
    /// For people.
    Text,
}

impl Manner {
    /// That of an address.
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/api/") { Manner::Json } else { Manner::Text }
    }
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Code::InvalidRequest => StatusCode::BAD_REQUEST,
            Code::Unauthorized => StatusCode::UNAUTHORIZED,
            Code::Forbidden => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::MisdirectedRequest => StatusCode::MISDIRECTED_REQUEST,
            Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Code::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The same, and when to try again.
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// What it says, for a page that has a form.
    pub(super) fn into_message(self) -> String {
        self.message
    }

    /// The answer.
    pub(super) fn answer(self, manner: Manner) -> Response {
        let Self { code, message, retry_after } = self;
        let mut response = match manner {
            Manner::Json => {
                let body = ErrorBody { error: ErrorDetail { code, message } };
                (code.status(), Json(body)).into_response()
            }
            Manner::Text => (code.status(), format!("{message}\n")).into_response(),
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Handlers of the API refuse by themselves.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer(Manner::Json)
    }
}
