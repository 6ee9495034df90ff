//! A web address of one's own, which gets the alert as JSON. docs/sinks.md and docs/webhook.schema.json describe it.

use std::fmt;
use std::time::Duration;

use pihook_core::{Alert, Colour, IncidentId, Message, Secret};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use ring::hmac;
use serde_json::{Value, json};
use url::Url;

use super::client::{HttpClient, describe, read_start, retry_after};
use super::text::{Lines, clean, cut_middle};
use super::{Asking, SendContext, Sending, Sink, Verdict, digest, hex};

/// The format's version: it grows when a receiver would have to change.
const VERSION: u32 = 1;
const DETAIL: usize = 200;
/// How long to wait after a 429 that does not say.
const PAUSE: Duration = Duration::from_secs(10);

/// What services.yaml says of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where to post to.
    pub url: Secret,
    /// The key of the signature.
    pub secret: Option<Secret>,
    /// Further headers.
    pub headers: Vec<(String, Secret)>,
}

/// A web address that takes alerts.
pub struct WebhookSink {
    client: HttpClient,
    url: Url,
    headers: HeaderMap,
    settings: WebhookSettings,
}

/// The settings are none that a request can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The address is none.
    #[error("this is not a web address")]
    Url,
    /// A header that HTTP does not allow.
    #[error("these are not headers that HTTP allows")]
    Headers,
}

impl fmt::Debug for WebhookSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSink").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Sink for WebhookSink {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn fingerprint(&self) -> String {
        let settings = &self.settings;
        let headers =
            settings.headers.iter().flat_map(|(name, value)| [Some(name.as_str()), Some(value.expose())]);
        let texts =
            [Some("webhook"), Some(settings.url.expose()), settings.secret.as_ref().map(Secret::expose)];
        digest(texts.into_iter().chain(headers))
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            let key = context.key();
            let body = alert_as_json(&key, message, context).to_string();
            let stamp = context.now.as_second().to_string();
            let mut request = self
                .client
                .get()
                .post(self.url.clone())
                .headers(self.headers.clone())
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", key)
                .header("x-pihook-event", context.alert.kind.as_str())
                .header("x-pihook-timestamp", &stamp);
            if let Some(secret) = &self.settings.secret {
                request = request.header("x-pihook-signature", signature(secret, &stamp, &body));
            }
            match request.body(body).send().await {
                Ok(response) => self.judge(response).await,
                Err(error) => Verdict::Retry(self.redact(&describe(error))),
            }
        })
    }

    /// There is no way to ask without sending, so the next alert is the question.
    fn ask(&self) -> Asking<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl WebhookSink {
    /// A sink that posts as `settings` say.
    ///
    /// # Errors
    /// When no request can be made of them.
    pub fn new(settings: WebhookSettings, client: HttpClient) -> Result<Self, WebhookError> {
        let url: Url = settings.url.expose().trim().parse().map_err(|_| WebhookError::Url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name: HeaderName = name.parse().map_err(|_| WebhookError::Headers)?;
            let mut value: HeaderValue = value.expose().parse().map_err(|_| WebhookError::Headers)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self { client, url, headers, settings })
    }

    async fn judge(&self, response: Response) -> Verdict {
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Verdict::Sent;
        }
        let body = read_start(response).await;
        let said = self.said(status, &body);
        match status.as_u16() {
            429 => Verdict::Wait(retry_after(&headers).unwrap_or(PAUSE)),
            503 if retry_after(&headers).is_some() => Verdict::Wait(retry_after(&headers).unwrap_or(PAUSE)),
            401 | 403 => {
                Verdict::Disabled(format!("{said}: the receiver does not accept `secret` or `headers`"))
            }
            300..400 | 405 | 410 => {
                Verdict::Disabled(format!("{said}: nothing can be posted to this address (any more)"))
            }
            400 | 413 | 415 | 422 => Verdict::Refused(said),
            _ => Verdict::Retry(said),
        }
    }

    fn said(&self, status: StatusCode, body: &[u8]) -> String {
        let body = clean(&String::from_utf8_lossy(body), Lines::Join);
        let text =
            format!("the receiver answered {} {}", status.as_u16(), cut_middle(&self.redact(&body), DETAIL));
        text.trim_end().to_owned()
    }

    /// The text without what is secret: the address's path and query, the key and the headers' values.
    fn redact(&self, text: &str) -> String {
        let path =
            [self.url.path(), self.url.query().unwrap_or_default(), self.url.password().unwrap_or_default()];
        let parts = path.into_iter().flat_map(|part| part.split(['/', '&', '=']).chain([part]));
        let headers = self.settings.headers.iter().map(|(_, value)| value.expose());
        let mut secrets: Vec<&str> =
            parts.chain(headers).chain(self.settings.secret.as_ref().map(Secret::expose)).collect();
        secrets.retain(|secret| secret.len() >= 8);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// HMAC-SHA256 over the time, a full stop and the body.
fn signature(secret: &Secret, stamp: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, format!("{stamp}.{body}").as_bytes());
    format!("sha256={}", hex(tag.as_ref()))
}

/// The alert and its message as docs/webhook.schema.json describes them.
pub(super) fn alert_as_json(key: &str, message: &Message, context: &SendContext<'_>) -> Value {
    let field = |field: &pihook_core::Field| json!({ "name": field.name, "value": field.value });
    let mut json = facts(context.alert);
    json["version"] = json!(VERSION);
    json["id"] = json!(key);
    json["also"] = context.also.iter().map(|alert| facts(alert)).collect();
    json["late"] = json!(context.late.map(ToString::to_string));
    json["message"] = json!({
        "title": message.title,
        "body": message.body,
        "fields": message.fields.iter().map(field).collect::<Vec<_>>(),
        "colour": match message.colour {
            Colour::Good => "good",
            Colour::Warning => "warning",
            Colour::Bad => "bad",
            Colour::Neutral => "neutral",
        },
    });
    json
}

/// What is known of one alert.
fn facts(alert: &Alert) -> Value {
    json!({
        "event": alert.kind.as_str(),
        "reason": alert.reason.as_str(),
        "incident": (alert.incident != IncidentId::NONE).then_some(alert.incident.0),
        "service": { "id": alert.service.as_str(), "name": &*alert.name, "zone": alert.zone.as_str() },
        "status": alert.status.to_string(),
        "severity": alert.severity.to_string(),
        "level": alert.level,
        "at": alert.at.to_string(),
        "since": alert.since.to_string(),
        "lasted_seconds": alert.lasted.as_secs(),
        "failures": alert.failures,
        "summary": alert.summary,
        "response_ms": alert.response_time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    })
}

#[cfg(test)]
mod tests;
