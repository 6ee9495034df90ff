//! Files that the pages refer to. They are in the program, and their address changes with their content, so that a browser
//! may keep them.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// A file of the program.
pub(crate) struct Asset {
    content: &'static str,
    kind: &'static str,
    tag: LazyLock<String>,
}

/// The style of all pages.
pub(crate) static CSS: Asset = Asset {
    content: include_str!("../../assets/pihook.css"),
    kind: "text/css; charset=utf-8",
    tag: LazyLock::new(|| tag(include_str!("../../assets/pihook.css"))),
};

/// What makes the status page live.
pub(crate) static JS: Asset = Asset {
    content: include_str!("../../assets/pihook.js"),
    kind: "text/javascript; charset=utf-8",
    tag: LazyLock::new(|| tag(include_str!("../../assets/pihook.js"))),
};

impl Asset {
    /// A short digest of its content.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    fn answer(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.content).into_response()
    }
}

pub(super) async fn css() -> Response {
    CSS.answer()
}

pub(super) async fn js() -> Response {
    JS.answer()
}

fn tag(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
