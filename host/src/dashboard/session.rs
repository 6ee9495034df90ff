//! The cookie of whoever has logged in.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pihook_core::sessions::{self, Digest};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::gate::Client;

/// Its name.
pub(super) const COOKIE: &str = "pihook_session";

/// 256 random bits, as text.
pub(super) struct Token(String);

impl Token {
    pub(super) fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn digest(&self) -> Digest {
        digest(&self.0)
    }
}

/// The digests of the tokens that a request shows, at most two: a browser keeps one a path.
pub(super) fn shown(headers: &HeaderMap) -> impl Iterator<Item = Digest> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies =
        values.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.filter(|(name, _)| *name == COOKIE).map(|(_, token)| digest(token)).take(2)
}

/// Has the browser keep the token, or forget it if there is none.
pub(super) fn cookie(token: Option<&Token>, base_path: &str, client: &Client) -> Option<HeaderValue> {
    let path = if base_path.is_empty() { "/" } else { base_path };
    let secure = if client.https { "; Secure" } else { "" };
    let (token, age) = token.map_or(("", 0), |token| (token.as_str(), sessions::LONGEST.as_secs()));
    let text = format!("{COOKIE}={token}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

fn digest(token: &str) -> Digest {
    Sha256::digest(token.as_bytes()).into()
}
