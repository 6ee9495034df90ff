//! Whether a request that changes something comes from PiHook's own pages, or from a program. A page elsewhere can have a
//! browser send one too, with all that the browser knows of PiHook.

use axum::http::{HeaderMap, HeaderName, header};

/// Browsers write it themselves, over HTTPS and on this machine.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether it may change something, by where it says that it comes from.
pub(super) fn is_own(headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = headers.get(SITE) {
        return site == "same-origin" || site == "none";
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
        return authority.zip(host).is_some_and(|(authority, host)| same(authority, host));
    }
    // Programs say nothing. A browser that is so old that it says nothing either would send its cookie.
    !headers.contains_key(header::COOKIE)
}

/// Whether both name the same host and port; the ports of HTTP and HTTPS need not be written.
fn same(one: &str, other: &str) -> bool {
    let usual = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.strip_suffix(":80").or_else(|| text.strip_suffix(":443")).map_or(text.clone(), str::to_owned)
    };
    usual(one) == usual(other)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn own(lines: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        is_own(&headers, Some("pi.lan:8420"))
    }

    #[test]
    fn own_pages_and_programs_may_and_other_pages_may_not() {
        assert!(own(&[]));
        assert!(own(&[("authorization", "Basic YTpi")]));
        assert!(own(&[("sec-fetch-site", "same-origin"), ("cookie", "a=b")]));
        assert!(own(&[("origin", "http://pi.lan:8420"), ("cookie", "a=b")]));
        assert!(own(&[("origin", "https://PI.lan:8420")]));
        for wrong in [
            vec![("sec-fetch-site", "cross-site"), ("origin", "http://pi.lan:8420")],
            vec![("sec-fetch-site", "same-site")],
            vec![("origin", "http://evil.example")],
            vec![("origin", "http://pi.lan")],
            vec![("origin", "null")],
            vec![("origin", "pi.lan:8420")],
            vec![("cookie", "a=b")],
        ] {
            assert!(!own(&wrong), "{wrong:?}");
        }
    }

    #[test]
    fn the_usual_ports_need_not_be_written() {
        assert!(same("pi.lan", "pi.lan:443") && same("pi.lan:80", "PI.LAN"));
        assert!(!same("pi.lan:8420", "pi.lan") && !same("evil.lan", "pi.lan"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_no_stranger_passes(origin in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&origin) {
                let mut headers = HeaderMap::new();
                headers.insert(header::ORIGIN, value);
                proptest::prop_assert!(!is_own(&headers, Some("pi.lan:8420")) || origin.ends_with(b"8420"));
            }
        }
    }
}
