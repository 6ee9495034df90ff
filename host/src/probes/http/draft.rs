//! A request as it goes out, hop by hop: which headers, credentials and secrets each host gets. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::body::Bytes;
use url::{Position, Url};

use super::access::Access;
use super::mask::Masker;
use super::{Credentials, HttpError, HttpRequest, fill, redirect};
use crate::hosts::{HostPort, Scheme};

const USER_AGENT: &str = concat!("pihook/", env!("CARGO_PKG_VERSION"));

/// Headers that frame the message or rule the connection: the probe's own, since two opinions about them are how
/// requests get smuggled.
const OF_THE_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("proxy-connection"),
];

/// Headers that say who asks. They go to the host that was asked first, and not where it redirects to.
const PERSONAL: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// A checked request on its way from hop to hop.
pub(super) struct Draft<'a> {
    access: &'a Access,
    method: Method,
    headers: Vec<(HeaderName, String)>,
    body: Option<Bytes>,
    credentials: Option<Credentials>,
    url: Url,
    /// The host that was asked first.
    first: HostPort,
    /// Whether a hop of the chain was encrypted: after that, nothing secret goes out in plain text.
    was_https: bool,
}

/// One hop's request.
pub(super) struct Hop {
    pub(super) scheme: Scheme,
    pub(super) to: HostPort,
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<'a> Draft<'a> {
    /// Checks the request's parts and fills the address in.
    ///
    /// What the request makes secret beside `access.secrets` is added to `masker`.
    pub(super) fn new(
        request: HttpRequest,
        access: &'a Access,
        masker: &mut Masker,
    ) -> Result<Self, HttpError> {
        if request.ca_file.as_ref().is_some_and(|file| !access.trusts_file(file)) {
            // Nothing about the file: whether there is one is none of the plugin's business.
            return Err(HttpError::Denied(
                "only the ca_file that the service's settings name may be used".to_owned(),
            ));
        }
        let method = method(&request.method)?;
        let headers = header_names(request.headers)?;
        let filled = fill::fill_url(&request.url, &access.secrets)?;
        let mut url = Url::parse(&filled)
            .map_err(|error| HttpError::InvalidRequest(format!("the address is not valid: {error}")))?;
        let (_, first) = ends(&url)?;
        if fill::has_placeholder(request.url.as_bytes()) && !access.own_hosts.contains(&first) {
            return Err(foreign(&first, "the address"));
        }
        let credentials = request.credentials.or_else(|| userinfo(&url));
        redirect::strip_userinfo(&mut url);
        hide(credentials.as_ref(), access, masker);
        let body = request.body.map(Bytes::from);
        Ok(Self { access, method, headers, body, credentials, url, first, was_https: false })
    }

    /// Where the draft goes next.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The next request, if it may be made.
    ///
    /// # Errors
    /// [`HttpError::Denied`] if the host is not granted, or the body or address would take a secret to a foreign host;
    /// [`HttpError::InvalidRequest`] if a filled-in value is none that can be sent.
    pub(super) fn hop(&mut self) -> Result<Hop, HttpError> {
        let (scheme, to) = ends(&self.url)?;
        if !self.access.reaches(scheme, &to) {
            return Err(HttpError::Denied(format!(
                "services.yaml does not grant http to {to}; add `allow: {{ http: [\"{to}\"] }}` to the plugin"
            )));
        }
        let downgraded = self.was_https && scheme == Scheme::Http;
        self.was_https |= scheme == Scheme::Https;
        let trust = Trust {
            with_secrets: self.access.own_hosts.contains(&to) && !downgraded,
            with_headers: to == self.first && !downgraded,
        };
        let headers = self.headers(&to, trust)?;
        let body = self.body(&to, trust)?;
        Ok(Hop { scheme, to, url: self.url.clone(), method: self.method.clone(), headers, body })
    }

    /// Turns to where a redirect leads.
    ///
    /// # Errors
    /// [`HttpError::Redirect`] if it leads nowhere; [`HttpError::Denied`] if it would carry a secret to another host.
    pub(super) fn follow(
        &mut self,
        status: StatusCode,
        location: Option<&HeaderValue>,
        masker: &Masker,
    ) -> Result<(), HttpError> {
        let url = redirect::target(&self.url, status, location.map(HeaderValue::as_bytes))?;
        let (scheme, to) = ends(&url)?;
        let trusted = self.access.own_hosts.contains(&to) && !(self.was_https && scheme == Scheme::Http);
        if !trusted && (masker.finds(url.as_str()) || masker.finds_in_host(to.host())) {
            // Without the host's name, which may be the secret.
            return Err(HttpError::Denied(
                "the redirect holds a secret, which goes to the service's own host only".to_owned(),
            ));
        }
        if redirect::becomes_get(status, &self.method) {
            self.method = Method::GET;
            self.body = None;
            self.headers.retain(|(name, _)| !redirect::describes_body(name));
        }
        self.url = url;
        Ok(())
    }

    fn headers(&self, to: &HostPort, trust: Trust) -> Result<HeaderMap, HttpError> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 5);
        let authority = &self.url[Position::BeforeHost..Position::AfterPort];
        headers.insert(header::HOST, value(&header::HOST, authority)?);
        for (name, template) in &self.headers {
            let withheld = if fill::has_placeholder(template.as_bytes()) {
                !trust.with_secrets
            } else {
                PERSONAL.contains(name) && !(trust.with_secrets || trust.with_headers)
            };
            if withheld {
                continue;
            }
            let value = value(name, &fill::fill(template, &self.access.secrets)?)?;
            if *name != header::HOST {
                headers.append(name, value);
            } else if *to == self.first {
                headers.insert(name, value);
            }
        }
        if !headers.contains_key(header::USER_AGENT) {
            headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        }
        if !headers.contains_key(header::ACCEPT) {
            headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        }
        if let Some(credentials) = self.credentials.as_ref().filter(|_| trust.with_secrets)
            && !headers.contains_key(header::AUTHORIZATION)
        {
            headers.insert(header::AUTHORIZATION, authorization(credentials, self.access)?);
        }
        Ok(headers)
    }

    fn body(&self, to: &HostPort, trust: Trust) -> Result<Bytes, HttpError> {
        match &self.body {
            None => Ok(Bytes::new()),
            Some(body) if !fill::has_placeholder(body) => Ok(body.clone()),
            Some(_) if !trust.with_secrets => Err(foreign(to, "the body")),
            Some(body) => fill::fill_bytes(body, &self.access.secrets).map(Bytes::from),
        }
    }
}

/// What a hop's host may be told.
#[derive(Clone, Copy)]
struct Trust {
    with_secrets: bool,
    with_headers: bool,
}

fn foreign(to: &HostPort, what: &str) -> HttpError {
    HttpError::Denied(format!(
        "{what} holds a secret, which goes to the service's own host only and not to {to}"
    ))
}

fn ends(url: &Url) -> Result<(Scheme, HostPort), HttpError> {
    let scheme = Scheme::of(url).ok_or_else(|| {
        HttpError::InvalidRequest("the address begins with neither http:// nor https://".to_owned())
    })?;
    let to =
        HostPort::of(url).ok_or_else(|| HttpError::InvalidRequest("the address has no host".to_owned()))?;
    Ok((scheme, to))
}

fn method(name: &str) -> Result<Method, HttpError> {
    match Method::from_bytes(name.as_bytes()) {
        Ok(Method::CONNECT) => Err(HttpError::InvalidRequest("the method CONNECT is for proxies".to_owned())),
        Ok(method) => Ok(method),
        Err(_) => Err(HttpError::InvalidRequest("the method is not one word of letters".to_owned())),
    }
}

fn header_names(headers: Vec<(String, String)>) -> Result<Vec<(HeaderName, String)>, HttpError> {
    let checked = |(name, value): (String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| HttpError::InvalidRequest(format!("{name:?} is not a header's name")))?;
        if OF_THE_CONNECTION.contains(&name) || name.as_str() == "keep-alive" {
            return Err(HttpError::InvalidRequest(format!("the header {name} is set by PiHook itself")));
        }
        Ok((name, value))
    };
    headers.into_iter().map(checked).collect()
}

fn value(name: &HeaderName, text: &str) -> Result<HeaderValue, HttpError> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        HttpError::InvalidRequest(format!(
            "the value of the header {name} holds a line break or a control character"
        ))
    })?;
    value.set_sensitive(PERSONAL.contains(name));
    Ok(value)
}

fn userinfo(url: &Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| String::from_utf8_lossy(&fill::percent_decode(text)).into_owned();
    Some(Credentials::Basic {
        user: decode(url.username()),
        password: decode(url.password().unwrap_or_default()),
    })
}

fn authorization(credentials: &Credentials, access: &Access) -> Result<HeaderValue, HttpError> {
    let text = match credentials {
        Credentials::Basic { .. } => {
            format!("Basic {}", STANDARD.encode(pair(credentials, access)?.as_bytes()))
        }
        Credentials::Bearer(token) => format!("Bearer {}", fill::fill(token, &access.secrets)?),
    };
    value(&header::AUTHORIZATION, &text)
}

/// `user:password`, filled in.
fn pair(credentials: &Credentials, access: &Access) -> Result<String, HttpError> {
    let Credentials::Basic { user, password } = credentials else { return Ok(String::new()) };
    let user = fill::fill(user, &access.secrets)?;
    if user.contains(':') {
        return Err(HttpError::InvalidRequest(
            "the user's name holds a colon, which basic authentication forbids".to_owned(),
        ));
    }
    Ok(format!("{user}:{}", fill::fill(password, &access.secrets)?))
}

/// Credentials are secret even where no placeholder says so.
fn hide(credentials: Option<&Credentials>, access: &Access, masker: &mut Masker) {
    let Some(credentials) = credentials else { return };
    let secret = match credentials {
        Credentials::Basic { password, .. } => password,
        Credentials::Bearer(token) => token,
    };
    if let Ok(secret) = fill::fill(secret, &access.secrets) {
        masker.add(secret.into_bytes());
    }
    if let Ok(pair) = pair(credentials, access)
        && !pair.is_empty()
    {
        masker.add_base64(pair.as_bytes());
    }
}

#[cfg(test)]
mod tests;
