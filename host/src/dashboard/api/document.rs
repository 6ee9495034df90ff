//! What the OpenAPI document says beside the handlers.

use utoipa::OpenApi as _;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{OpenApi, Server};

use super::ROOT;
use crate::dashboard::Dashboard;
use crate::dashboard::refusal::{Code, ErrorBody, ErrorDetail};

/// The document without its paths.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "PiHook",
        description = "What PiHook knows of the services that it watches. It only reads, but for maintenance.\n\n\
                   Lists come in pages: `next` of an answer is the `cursor` of the request for what follows, and \
                   `null` on the last page. Times are RFC 3339 in UTC.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(ErrorBody, ErrorDetail, Code))
)]
struct Document;

pub(super) fn begin(dashboard: &Dashboard) -> OpenApi {
    let mut document = Document::openapi();
    document.servers = Some(vec![Server::new(format!("{}{ROOT}", dashboard.reach.base_path))]);
    if dashboard.keeper.is_some() {
        let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
        let cookie =
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::dashboard::session::COOKIE)));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("password", basic);
        components.add_security_scheme("session", cookie);
        let none: [&str; 0] = [];
        document.security =
            Some(vec![SecurityRequirement::new("password", none), SecurityRequirement::new("session", none)]);
    }
    document
}
