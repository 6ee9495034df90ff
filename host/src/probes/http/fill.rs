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
///
/// # Errors
/// Also [`HttpError::Denied`] if a placeholder stands in the scheme, the host or the port: those would show the secret to
/// the name server and in messages, and it is they that decide whether a secret may be sent at all.
pub(super) fn fill_url(template: &str, secrets: &[Secret]) -> Result<String, HttpError> {
    if !has_placeholder(template.as_bytes()) {
        return Ok(template.to_owned());
    }
    let Some((start, host, end)) = authority(template) else {
        return Err(HttpError::Denied(
            "the scheme, host and port of an address cannot come from a secret".to_owned(),
        ));
    };
    let mut out = template[..start].to_owned();
    out += &fill_with(&template[start..host], secrets, percent_encode)?;
    out += &template[host..end];
    out += &fill(&template[end..], secrets)?;
    Ok(out)
}

/// Where user and password, the host and what follows it begin. None if a placeholder stands in the host or before the
/// user, or if a parser could see the host elsewhere: parsers take backslashes for slashes, pass over slashes that are
/// too many, and drop control characters.
fn authority(template: &str) -> Option<(usize, usize, usize)> {
    let start = template.find("://")? + 3;
    let (scheme, rest) = template.split_at(start);
    let end = rest.find(['/', '\\', '?', '#']).map_or(template.len(), |at| start + at);
    let authority = &template[start..end];
    let host = authority.rfind('@').map_or(start, |at| start + at + 1);
    let plain = |text: &str| !has_placeholder(text.as_bytes()) && !text.contains(|c: char| c <= ' ');
    let written_out = ["http://", "https://"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (written_out && host < end && plain(&template[host..end])).then_some((start, host, end))
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
    }

    #[test]
    fn a_secret_cannot_be_or_move_the_host() {
        for template in [
            "${secret:0}",
            "${secret:0}://nas.lan/",
            "http:${secret:0}",
            "http:/${secret:0}/",
            "http:///${secret:0}/",
            "http://\\${secret:0}/",
            "http://\t/${secret:0}/",
            "http://\t\t/${secret:0}/",
            "http://${secret:0}/",
            "http://${secret:0}.evil/",
            "http://nas.lan:${secret:0}/",
            "http://me@${secret:0}/",
            "http://me@/${secret:0}/",
            " http://nas.lan/${secret:0}",
            "ftp://nas.lan/${secret:0}",
        ] {
            let refused = fill_url(template, &secrets()).unwrap_err();
            assert!(matches!(&refused, HttpError::Denied(text) if !text.contains("first")), "{template}");
        }
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
        fn the_host_is_the_one_that_is_written(
            template in "(https?://|HTTP:|http:/)?(\\$\\{secret:[01]\\}|[a-z@:/\\\\?#. \t]){0,9}",
        ) {
            let sent = |secrets: &[Secret]| {
                let url = url::Url::parse(&fill_url(&template, secrets).ok()?).ok()?;
                Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port()))
            };
            let other = ["x/y@z:1", "\\\\?#"].map(|text| Secret::new(text.to_owned()));
            let (one, other) = (sent(&secrets()[..2]), sent(&other));
            prop_assert!(one == other, "{:?} or {:?} by {:?}", one, other, template);
        }

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
                    let url = format!("http://a/{text}");
                    prop_assert!(fill_url(&url, secrets).is_ok());
                }
                Err(_) => prop_assert!(fill_bytes(text.as_bytes(), secrets).is_err()),
            }
        }
    }
}
