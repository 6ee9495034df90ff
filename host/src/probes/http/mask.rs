//! Keeps secrets out of what comes back: each occurrence becomes `***`. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pihook_core::Secret;

use super::fill;

const MASK: &[u8] = b"***";

/// Shorter secrets would mask half of every page.
const SHORTEST: usize = 4;

/// Knows the secrets of a service in the forms that a server may show them in: as they are, percent-encoded, escaped
/// as in JSON and HTML, and in base64.
#[derive(Default)]
pub(super) struct Masker {
    /// Longest first, so that a secret that contains another one is masked as a whole.
    needles: Vec<Vec<u8>>,
    /// Whether a byte can begin an occurrence.
    begins: Option<Box<[bool; 256]>>,
}

impl Masker {
    /// Of the service's secrets, those shorter than four bytes left out.
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let mut masker = Self::default();
        for secret in secrets {
            let value = secret.expose().as_bytes();
            masker.add(value.to_vec());
            if value.len() >= SHORTEST {
                masker.add_base64(value);
            }
        }
        masker
    }

    /// Hides these bytes in base64 too, such as user and password of basic authentication.
    pub(super) fn add_base64(&mut self, value: &[u8]) {
        let encoded = STANDARD.encode(value);
        let bare = encoded.trim_end_matches('=');
        self.add(bare.replace('+', "-").replace('/', "_").into_bytes());
        self.add(bare.to_owned().into_bytes());
        self.add(encoded.into_bytes());
    }

    /// Hides these bytes.
    pub(super) fn add(&mut self, needle: Vec<u8>) {
        if needle.len() < SHORTEST || self.needles.contains(&needle) {
            return;
        }
        let begins = self.begins.get_or_insert_with(|| {
            let mut table = Box::new([false; 256]);
            for byte in b"%\\&" {
                table[usize::from(*byte)] = true;
            }
            table
        });
        begins[usize::from(needle[0])] = true;
        begins[usize::from(b'+')] |= needle[0] == b' ';
        self.needles.push(needle);
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// Whether the text holds a secret.
    pub(super) fn finds(&self, text: &str) -> bool {
        self.masked(text.as_bytes(), false).is_some()
    }

    /// Whether a host's name, which is in lower case whatever was written, holds a secret.
    pub(super) fn finds_in_host(&self, host: &str) -> bool {
        let holds = |needle: &Vec<u8>| {
            host.as_bytes().windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
        };
        self.needles.iter().any(holds)
    }

    /// The text without secrets.
    pub(super) fn text(&self, text: String) -> String {
        match self.masked(text.as_bytes(), false) {
            Some(masked) => String::from_utf8_lossy(&masked).into_owned(),
            None => text,
        }
    }

    /// The body without secrets. The end of a `truncated` one may have cut a secret in two.
    pub(super) fn body(&self, body: Vec<u8>, truncated: bool) -> Vec<u8> {
        self.masked(&body, truncated).unwrap_or(body)
    }

    /// None if there is nothing to hide.
    fn masked(&self, text: &[u8], truncated: bool) -> Option<Vec<u8>> {
        let begins = self.begins.as_ref()?;
        let mut out: Option<Vec<u8>> = None;
        let mut kept = 0;
        let mut at = 0;
        while at < text.len() {
            let found =
                begins[usize::from(text[at])].then(|| self.occurrence(&text[at..], truncated)).flatten();
            if let Some(length) = found {
                let out = out.get_or_insert_with(|| Vec::with_capacity(text.len()));
                out.extend_from_slice(&text[kept..at]);
                out.extend_from_slice(MASK);
                at += length;
                kept = at;
            } else {
                at += 1;
            }
        }
        let mut out = out?;
        out.extend_from_slice(&text[kept..]);
        Some(out)
    }

    /// The length of the occurrence that the text begins with.
    fn occurrence(&self, text: &[u8], truncated: bool) -> Option<usize> {
        self.needles.iter().find_map(|needle| occurrence(text, needle, truncated))
    }
}

fn occurrence(text: &[u8], needle: &[u8], truncated: bool) -> Option<usize> {
    // A secret may itself look like an escape, so as it is comes first.
    if text.starts_with(needle) {
        return Some(needle.len());
    }
    if truncated && text.len() >= SHORTEST && needle.starts_with(text) {
        return Some(text.len());
    }
    let mut at = 0;
    for (matched, wanted) in needle.iter().enumerate() {
        let rest = &text[at..];
        match (rest.first(), unescaped(rest)) {
            (None, _) => return (truncated && matched >= SHORTEST).then_some(at),
            (_, Some((byte, length))) if byte == *wanted => at += length,
            (Some(byte), _) if byte == wanted => at += 1,
            (Some(b'+'), _) if *wanted == b' ' => at += 1,
            _ => return None,
        }
    }
    Some(at)
}

/// The byte that an escape at the start stands for, and the escape's length.
fn unescaped(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'%', digits @ ..] => fill::hex(digits).map(|byte| (byte, 3)),
        [b'\\', b'u', b'0', b'0', digits @ ..] => fill::hex(digits).map(|byte| (byte, 6)),
        [b'\\', byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => Some((*byte, 2)),
        [b'&', ..] => [
            ("&amp;", b'&'),
            ("&lt;", b'<'),
            ("&gt;", b'>'),
            ("&quot;", b'"'),
            ("&#39;", b'\''),
            ("&#34;", b'"'),
        ]
        .into_iter()
        .find(|(entity, _)| text.starts_with(entity.as_bytes()))
        .map(|(entity, byte)| (byte, entity.len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masker(secrets: &[&str]) -> Masker {
        Masker::new(&secrets.iter().map(|text| Secret::new((*text).to_owned())).collect::<Vec<_>>())
    }

    fn masked(secret: &str, text: &str) -> String {
        masker(&[secret]).text(text.to_owned())
    }

    #[test]
    fn every_form_is_masked() {
        assert_eq!(masked("tok en", "a tok en b tok+en c tok%20en"), "a *** b *** c ***");
        assert_eq!(masked("a/b?c", "%61%2fb%3Fc a%2Fb?c a\\/b?c"), "*** *** ***");
        assert_eq!(
            masked("p\"&<x>", r#""p\"&<x>" p&quot;&amp;&lt;x&gt; p\u0022\u0026\u003cx\u003e"#),
            "\"***\" *** ***"
        );
        assert_eq!(masked("hunter2", "aHVudGVyMg== aHVudGVyMg"), "*** ***");
        assert_eq!(masked("hunter2", "nothing here"), "nothing here");
        assert_eq!(masked("\\\\%41", "\\\\%41 \\\\\\\\%41 %5C%5c%2541"), "*** *** ***");
        assert_eq!(masked("mañana", "ma%C3%B1ana mañana"), "*** ***");
    }

    #[test]
    fn a_pair_is_masked_in_base64() {
        let mut masker = masker(&["pass"]);
        masker.add_base64(b"me:pass");
        assert_eq!(masker.text("Basic bWU6cGFzcw==".to_owned()), "Basic ***");
    }

    #[test]
    fn a_secret_within_a_secret_is_masked_with_it() {
        assert_eq!(masker(&["abcd", "abcdefgh"]).text("abcdefgh abcd".to_owned()), "*** ***");
    }

    #[test]
    fn a_host_shows_a_secret_in_lower_case() {
        let masker = masker(&["TopSecret"]);
        assert!(masker.finds_in_host("a.topsecret.evil") && !masker.finds_in_host("a.topsecre.evil"));
    }

    #[test]
    fn short_secrets_are_left_alone() {
        assert_eq!(masked("abc", "abc YWJj"), "abc YWJj");
        assert_eq!(masked("", "abc"), "abc");
    }

    #[test]
    fn a_secret_cut_by_the_limit_is_masked() {
        let masker = masker(&["topsecret"]);
        assert_eq!(masker.body(b"x topsec".to_vec(), true), b"x ***");
        assert_eq!(masker.body(b"x topsec".to_vec(), false), b"x topsec");
        assert_eq!(masker.body(b"x top".to_vec(), true), b"x top");
    }

    proptest! {
        #[test]
        fn no_secret_survives(secret in "[ -~]{4,12}", before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            let text = masked(&secret, &format!("{before}{secret}{after}"));
            // What is left of an overlapping occurrence may spell it again only through the mask's own stars.
            prop_assert!(!text.contains(&secret) || secret.contains('*'), "{}", text);
        }

        #[test]
        fn any_bytes_are_taken(body in prop::collection::vec(any::<u8>(), 0..64), truncated: bool) {
            let _ = masker(&["%2&\\u00", "secret"]).body(body, truncated);
        }
    }
}
