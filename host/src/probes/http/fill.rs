//! Placeholders `${secret:N}`: where they stand and what they become. Pure.

use std::fmt::Write as _;

use pihook_core::Secret;

use super::HttpError;

const OPEN: &str = "${secret:";

/// Whether the text holds a placeholder, or what looks like one.
pub(super) fn has_placeholder(text: &[u8]) -> bool {
    text.windows(OPEN.len()).any(|window| window == OPEN.as_bytes())
}

/// The text with every placeholder replaced by its secret, as it is.
///
/// # Errors
/// [`HttpError::InvalidRequest`] if a placeholder is malformed or its number is unknown.
pub(super) fn fill(text: &str, secrets: &[Secret]) -> Result<String, HttpError> {
    fill_with(text, secrets, |out, value| out.push_str(value))
}

/// The same for a body, which need not be text.
pub(super) fn fill_bytes(body: &[u8], secrets: &[Secret]) -> Result<Vec<u8>, HttpError> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.windows(OPEN.len()).position(|window| window == OPEN.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        let (secret, after) = placeholder(&rest[at..], secrets)?;
        out.extend_from_slice(secret.expose().as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// The same for an address. Secrets are put in as they are, as if they had been written there; save in user and
/// password, where they are percent-encoded: a password may hold an `@` or a `/`.
pub(super) fn fill_url(template: &str, secrets: &[Secret]) -> Result<String, HttpError> {
    let start = template.find("://").map_or(0, |at| at + 3);
    let end = template[start..].find(['/', '?', '#']).map_or(template.len(), |at| start + at);
    let userinfo = template[start..end].rfind('@').map_or(start, |at| start + at);
    let mut out = fill(&template[..start], secrets)?;
    out += &fill_with(&template[start..userinfo], secrets, percent_encode)?;
    out += &fill(&template[userinfo..], secrets)?;
    Ok(out)
}

fn fill_with(text: &str, secrets: &[Secret], put: impl Fn(&mut String, &str)) -> Result<String, HttpError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        out.push_str(&rest[..at]);
        let (secret, after) = placeholder(&rest.as_bytes()[at..], secrets)?;
        put(&mut out, secret.expose());
        rest = &rest[rest.len() - after.len()..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The secret that the placeholder at the start stands for, and what follows the placeholder.
fn placeholder<'a, 's>(text: &'a [u8], secrets: &'s [Secret]) -> Result<(&'s Secret, &'a [u8]), HttpError> {
    let inside = &text[OPEN.len()..];
    let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let secret = std::str::from_utf8(&inside[..digits])
        .ok()
        .filter(|_| inside.get(digits) == Some(&b'}'))
        .and_then(|number| number.parse::<usize>().ok())
        .and_then(|number| secrets.get(number));
    match secret {
        Some(secret) => Ok((secret, &inside[digits + 1..])),
        None => Err(HttpError::InvalidRequest(
            "the request names a secret that this service does not have".to_owned(),
        )),
    }
}

fn percent_encode(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The bytes that percent-encoded text stands for. What is no escape stays as it is.
pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = (byte == b'%').then(|| hex(after)).flatten();
        out.push(escape.unwrap_or(byte));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    out
}

/// The byte that the two hexadecimal digits at the start stand for.
pub(super) fn hex(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets() -> Vec<Secret> {
        ["first", "p@ss/w?rd", "${secret:0}"].map(|text| Secret::new(text.to_owned())).to_vec()
    }

    #[test]
    fn placeholders_become_their_secrets() {
        assert_eq!(
            fill("a ${secret:0} b ${secret:1}${secret:0}", &secrets()).unwrap(),
            "a first b p@ss/w?rdfirst"
        );
        assert_eq!(fill_bytes(b"\xff${secret:0}\xff", &secrets()).unwrap(), b"\xfffirst\xff");
        assert_eq!(fill("nothing $ {secret:0}", &secrets()).unwrap(), "nothing $ {secret:0}");
    }

    #[test]
    fn what_a_secret_holds_is_not_filled_in_again() {
        assert_eq!(fill("${secret:2}", &secrets()).unwrap(), "${secret:0}");
    }

    #[test]
    fn a_secret_in_the_userinfo_cannot_move_the_host() {
        assert_eq!(
            fill_url("http://me:${secret:1}@nas.lan/${secret:1}", &secrets()).unwrap(),
            "http://me:p%40ss%2Fw%3Frd@nas.lan/p@ss/w?rd"
        );
        assert_eq!(
            fill_url("http://nas.lan?k=a@${secret:1}", &secrets()).unwrap(),
            "http://nas.lan?k=a@p@ss/w?rd"
        );
        assert_eq!(fill_url("${secret:0}", &secrets()).unwrap(), "first");
    }

    #[test]
    fn unknown_and_broken_placeholders_are_refused() {
        for text in
            ["${secret:3}", "${secret:}", "${secret:0", "${secret:x}", "${secret:99999999999999999999999}"]
        {
            assert!(has_placeholder(text.as_bytes()));
            assert!(matches!(fill(text, &secrets()), Err(HttpError::InvalidRequest(_))), "{text}");
            assert!(
                matches!(fill_bytes(text.as_bytes(), &secrets()), Err(HttpError::InvalidRequest(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn percent_decoding_is_the_way_back() {
        assert_eq!(percent_decode("a%20b%zz%4"), b"a b%zz%4");
    }

    proptest! {
        #[test]
        fn encoded_text_decodes_to_itself(text in ".{0,20}") {
            let mut encoded = String::new();
            percent_encode(&mut encoded, &text);
            prop_assert_eq!(percent_decode(&encoded), text.as_bytes());
        }

        #[test]
        fn text_and_bytes_agree_and_leave_no_placeholder(text in "(\\$\\{secret:[0-3]\\}|[a-z${:}]|é){0,12}") {
            let secrets = &secrets()[..2];
            match fill(&text, secrets) {
                Ok(filled) => {
                    prop_assert_eq!(filled.as_bytes(), fill_bytes(text.as_bytes(), secrets).unwrap());
                    prop_assert!(fill_url(&text, secrets).is_ok());
                }
                Err(_) => prop_assert!(fill_bytes(text.as_bytes(), secrets).is_err()),
            }
        }
    }
}
