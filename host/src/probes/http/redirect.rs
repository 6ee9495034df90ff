//! Where a redirect leads and what becomes of the request (RFC 9110, section 15.4, as browsers do it). Pure.

use http::{HeaderName, Method, StatusCode, header};
use url::Url;

use super::HttpError;

/// Headers that describe a body, and go when it goes.
const OF_THE_BODY: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_LANGUAGE, header::CONTENT_ENCODING, header::CONTENT_LOCATION];

/// Whether the status sends the client elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether a request is repeated as a GET without its body.
pub(super) fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => method == Method::POST,
        303 => method != Method::GET && method != Method::HEAD,
        _ => false,
    }
}

/// Whether the header belongs to a body that is no longer sent.
pub(super) fn describes_body(name: &HeaderName) -> bool {
    OF_THE_BODY.contains(name)
}

/// Where `location` leads, seen from `base`. User and password in it are not used.
///
/// # Errors
/// [`HttpError::Redirect`] if there is none, or it is no address on the web.
pub(super) fn target(base: &Url, status: StatusCode, location: Option<&[u8]>) -> Result<Url, HttpError> {
    let nowhere = |why: &str| HttpError::Redirect(format!("the redirect ({}) {why}", status.as_u16()));
    let location = location.ok_or_else(|| nowhere("has no Location"))?;
    let location = std::str::from_utf8(location).map_err(|_| nowhere("has a Location that is not text"))?;
    let mut url = base.join(location).map_err(|_| nowhere("has a Location that is no address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(nowhere(&format!("leads to `{}:`, which is not http", url.scheme())));
    }
    strip_userinfo(&mut url);
    Ok(url)
}

/// Takes user and password out of an address.
pub(super) fn strip_userinfo(url: &mut Url) {
    // Only an address without a host refuses, and it has no userinfo either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(location: &[u8]) -> Result<String, HttpError> {
        let base = Url::parse("https://nas.lan/a/b?c").unwrap();
        target(&base, StatusCode::FOUND, Some(location)).map(String::from)
    }

    #[test]
    fn locations_are_seen_from_the_base() {
        assert_eq!(to(b"/x").unwrap(), "https://nas.lan/x");
        assert_eq!(to(b"x?y").unwrap(), "https://nas.lan/a/x?y");
        assert_eq!(to(b"//other.lan/").unwrap(), "https://other.lan/");
        assert_eq!(to(b"http://me:pw@other.lan:81").unwrap(), "http://other.lan:81/");
        assert_eq!(to("/ü".as_bytes()).unwrap(), "https://nas.lan/%C3%BC");
        assert_eq!(to(b"").unwrap(), "https://nas.lan/a/b?c");
    }

    #[test]
    fn what_leads_nowhere_is_an_error() {
        for location in
            [&b"\xff"[..], b"http://", b"javascript:alert(1)", b"file:///etc/passwd", b"http://a b/"]
        {
            assert!(matches!(to(location), Err(HttpError::Redirect(_))), "{location:?}");
        }
        let base = Url::parse("http://nas.lan/").unwrap();
        assert!(matches!(target(&base, StatusCode::FOUND, None), Err(HttpError::Redirect(_))));
    }

    #[test]
    fn methods_change_as_in_browsers() {
        for (status, method, get) in [
            (301, "POST", true),
            (302, "POST", true),
            (301, "PUT", false),
            (302, "GET", false),
            (303, "PUT", true),
            (303, "HEAD", false),
            (307, "POST", false),
            (308, "POST", false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(becomes_get(status, &method.parse().unwrap()), get, "{status} {method}");
        }
    }
}
