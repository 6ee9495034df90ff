//! Discord, by an incoming webhook. The webhook's address is the secret: whoever has it can post.

mod edit;
mod limits;
mod markdown;
mod payload;
mod rate;
mod settings;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pihook_core::Message;
use reqwest::header::{HeaderMap, USER_AGENT};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::client::{HttpClient, describe, read_start};
use super::{Asking, SendContext, Sending, Sink, Verdict};
use payload::{Payload, Sound};

pub use settings::{DiscordSettings, SettingsError};

/// Discord's proxies turn away requests without an agent of this form.
const AGENT: &str = concat!("DiscordBot (", env!("CARGO_PKG_HOMEPAGE"), ", ", env!("CARGO_PKG_VERSION"), ")");

/// How much of a provider's complaint is passed on, in UTF-16 units.
const DETAIL: usize = 300;

/// Parts of the address from this length on, in bytes, count as secret; `api` and `webhooks` may be said.
const SECRET: usize = 9;

/// A proxy in front of Discord has blocked the request.
const BLOCKED: u64 = 40_333;

/// The channel is a forum, which needs a thread; or it is none, and a thread was named.
const THREADS: RangeInclusive<u64> = 220_001..=220_003;

/// A Discord channel behind an incoming webhook.
pub struct DiscordSink {
    client: HttpClient,
    url: Url,
    username: Option<String>,
    silent_recoveries: bool,
    update: bool,
    fingerprint: String,
    /// When the webhook's rate limit allows the next request, as its last answer told.
    free_at: Mutex<Option<Instant>>,
}

impl fmt::Debug for DiscordSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordSink").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Sink for DiscordSink {
    fn kind(&self) -> &'static str {
        "discord"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            if let Some(wait) = self.must_wait() {
                return Verdict::Wait(wait);
            }
            if self.update
                && let Some(verdict) = self.edit(message, context).await
            {
                return verdict;
            }
            let payload = self.payload(message, context);
            let request = self.client.get().post(self.url.clone()).header(USER_AGENT, AGENT).json(&payload);
            match request.send().await {
                Ok(response) if self.update && response.status().is_success() => {
                    self.note_limit(&response);
                    edit::remember(response, context).await;
                    Verdict::Sent
                }
                Ok(response) => self.judge(response).await,
                Err(error) => Verdict::Retry(self.redact(&describe(error))),
            }
        })
    }

    fn render(&self, message: &Message, context: &SendContext<'_>) -> String {
        shown(&self.payload(message, context))
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async move {
            let mut url = self.url.clone();
            url.set_query(None);
            match self.client.get().get(url).header(USER_AGENT, AGENT).send().await {
                Ok(response) => self.recognise(response).await,
                Err(error) => Err(self.redact(&describe(error))),
            }
        })
    }
}

impl DiscordSink {
    /// A sink that posts to the webhook in `settings`.
    ///
    /// # Errors
    /// When Discord could not accept the settings.
    pub fn new(settings: &DiscordSettings, client: HttpClient) -> Result<Self, SettingsError> {
        Ok(Self {
            client,
            url: settings.endpoint()?,
            username: settings.display_name()?,
            silent_recoveries: settings.silent_recoveries,
            update: settings.update,
            fingerprint: settings.fingerprint(),
            free_at: Mutex::new(None),
        })
    }

    fn payload<'a>(&'a self, message: &'a Message, context: &'a SendContext<'_>) -> Payload<'a> {
        let silent = self.silent_recoveries && context.is_good_news();
        let sound = if silent { Sound::None } else { Sound::Usual };
        Payload::new(message, context, self.username.as_deref(), sound)
    }

    fn must_wait(&self) -> Option<Duration> {
        let free_at = (*self.free_at.lock().unwrap_or_else(PoisonError::into_inner))?;
        let wait = free_at.saturating_duration_since(Instant::now());
        (!wait.is_zero()).then_some(wait)
    }

    fn rest(&self, wait: Duration) {
        *self.free_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
    }

    fn note_limit(&self, response: &Response) {
        if let Some(wait) = rate::exhausted(response.headers()) {
            self.rest(wait);
        }
    }

    async fn judge(&self, response: Response) -> Verdict {
        let status = response.status();
        self.note_limit(&response);
        if status.is_success() {
            // The body is not waited for: the message is posted, and must be noted as such at once.
            return Verdict::Sent;
        }
        let headers = response.headers().clone();
        let body = read_start(response).await;
        self.complaint(status, &headers, &body)
    }

    fn complaint(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
        let complaint = serde_json::from_slice::<Complaint>(body).ok();
        let said = self.redact(&detail(status, complaint.as_ref(), body));
        let code = complaint.and_then(|complaint| complaint.code);
        match (status.as_u16(), code) {
            (429, _) => {
                let wait = rate::wait(headers, body);
                self.rest(wait);
                Verdict::Wait(wait)
            }
            (_, Some(BLOCKED)) => Verdict::Retry(said),
            // Only Discord itself may say so: proxies and hotel networks answer like this too, and they pass.
            (401 | 403, Some(_)) => Verdict::Disabled(format!(
                "{said}: the webhook's address is not valid (any more); copy it again from the channel's settings"
            )),
            (404 | 410, Some(_)) => Verdict::Disabled(format!(
                "{said}: the webhook does not exist (any more); make a new one in the channel's settings"
            )),
            (400, Some(code)) if THREADS.contains(&code) => Verdict::Disabled(format!(
                "{said}: set thread_id to a post of the forum, or use the webhook of a text channel"
            )),
            (300..400 | 405, _) => Verdict::Disabled(format!(
                "{said}: nothing can be posted to this address; copy it again from the channel's settings"
            )),
            (400 | 413 | 422, _) => Verdict::Refused(said),
            _ => Verdict::Retry(said),
        }
    }

    /// Whether the answer to a question is a webhook, and no friendly page of somebody else.
    async fn recognise(&self, response: Response) -> Result<(), String> {
        let status = response.status();
        let body = read_start(response).await;
        if status == StatusCode::OK && serde_json::from_slice::<Webhook>(&body).is_ok() {
            return Ok(());
        }
        let complaint = serde_json::from_slice::<Complaint>(&body).ok();
        Err(self.redact(&detail(status, complaint.as_ref(), &body)))
    }

    /// The text without anything of the webhook's address that is secret.
    fn redact(&self, text: &str) -> String {
        let path = self.url.path();
        let secrets = std::iter::once(path).chain(path.split('/').rev()).filter(|part| part.len() >= SECRET);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The body of a request with the usual settings. The webhook's address is no part of it.
#[must_use]
pub fn render(message: &Message, context: &SendContext<'_>) -> String {
    shown(&Payload::new(message, context, None, Sound::Usual))
}

fn shown(payload: &Payload<'_>) -> String {
    serde_json::to_string_pretty(payload).unwrap_or_default()
}

/// What Discord's errors look like, mostly.
#[derive(Deserialize)]
struct Complaint {
    message: String,
    /// Which error it is. Those of others have none.
    code: Option<u64>,
    errors: Option<serde_json::Value>,
}

/// What Discord says of a webhook.
#[derive(Deserialize)]
struct Webhook {
    #[serde(rename = "id")]
    _id: String,
}

/// What the answer says, on one line of bounded length.
fn detail(status: StatusCode, complaint: Option<&Complaint>, body: &[u8]) -> String {
    let said = match complaint {
        Some(Complaint { message, code, errors }) => {
            let code = code.map(|code| format!(" (code {code})")).unwrap_or_default();
            let errors = errors.as_ref().map(|errors| format!(" {errors}")).unwrap_or_default();
            format!("{message}{code}{errors}")
        }
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let said = markdown::clean(&said, markdown::Lines::Join);
    let said = limits::cut_middle(&said, DETAIL);
    format!("Discord answered {} {said}", status.as_u16()).trim_end().to_owned()
}

/// The other end, for tests.
#[cfg(test)]
#[path = "../../../tests/fixtures/discord.rs"]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
