//! Who may see the page.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pihook_core::Secret;
use sha2::{Digest, Sha256};

/// A name and a password, kept as the digest of what a browser sends.
#[derive(Clone)]
pub struct Credentials {
    expected: [u8; 32],
}

impl Credentials {
    /// Admits whoever sends these.
    #[must_use]
    pub fn new(user: &str, password: &Secret) -> Self {
        let sent = format!("{user}:{}", password.expose());
        Self { expected: Sha256::digest(sent.as_bytes()).into() }
    }

    /// Whether the request carries them. Digests are compared, so that the time taken says nothing about the text.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some((scheme, encoded)) = value.split_once(' ') else { return false };
        let Ok(sent) = STANDARD.decode(encoded.trim()) else { return false };
        let sent: [u8; 32] = Sha256::digest(&sent).into();
        scheme.eq_ignore_ascii_case("basic") && sent == self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn only_the_right_name_and_password_are_admitted() {
        let credentials = Credentials::new("admin", &Secret::new("hunter2".into()));
        assert!(credentials.admit(&headers("Basic YWRtaW46aHVudGVyMg==")));
        assert!(credentials.admit(&headers("basic YWRtaW46aHVudGVyMg==")));
        for wrong in
            ["Basic YWRtaW46aHVudGVyMw==", "Bearer YWRtaW46aHVudGVyMg==", "Basic", "Basic !", "Basic A"]
        {
            assert!(!credentials.admit(&headers(wrong)), "{wrong}");
        }
        assert!(!credentials.admit(&HeaderMap::new()));
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(text in "[ -~]{0,80}") {
            let _ = Credentials::new("a", &Secret::new("b".into())).admit(&headers(&text));
        }
    }
}
