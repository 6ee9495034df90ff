//! ntfy, on ntfy.sh or a server of one's own. Whoever knows a topic's name can read it, so it counts as secret.

use std::fmt;
use std::time::Duration;

use pihook_core::{Message, Secret, Severity};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::client::{HttpClient, describe, read_start, retry_after};
use super::text::{Lines, clean, cut_middle, cut_to_bytes, layout};
use super::{Asking, Form, SendContext, Sending, Sink, Verdict, digest};

/// The longest message in bytes: ntfy makes an attachment of a longer one.
const MESSAGE: usize = 4096;
/// That of the least message, for a server with tighter limits.
const MESSAGE_PLAIN: usize = 1000;
const TITLE: usize = 250;
const DETAIL: usize = 300;
/// How long to wait after a 429 that does not say.
const PAUSE: Duration = Duration::from_secs(10);
/// How long to wait once the day's messages are used up.
const QUOTA_PAUSE: Duration = Duration::from_secs(600);
/// The day's messages are used up.
const QUOTA: u64 = 42_908;

/// What services.yaml says of an ntfy sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfySettings {
    /// The server's address.
    pub server: Url,
    /// The topic's name.
    pub topic: Secret,
    /// How to log in.
    pub login: NtfyLogin,
    /// What is opened by a tap on the notification.
    pub click: Option<String>,
}

/// How to log in to ntfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfyLogin {
    /// Not at all.
    Anonymous,
    /// By an access token.
    Token(Secret),
    /// By a name and a password.
    Password(String, Secret),
}

/// A topic of an ntfy server.
pub struct NtfySink {
    client: HttpClient,
    settings: NtfySettings,
}

impl fmt::Debug for NtfySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtfySink").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Sink for NtfySink {
    fn kind(&self) -> &'static str {
        "ntfy"
    }

    fn fingerprint(&self) -> String {
        let settings = &self.settings;
        let (user, secret) = match &settings.login {
            NtfyLogin::Anonymous => (None, None),
            NtfyLogin::Token(token) => (None, Some(token.expose())),
            NtfyLogin::Password(user, password) => (Some(user.as_str()), Some(password.expose())),
        };
        let texts = [Some(settings.topic.expose()), user, secret, settings.click.as_deref()];
        digest([Some("ntfy"), Some(settings.server.as_str())].into_iter().chain(texts))
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            let body = self.body(message, context);
            let request = self.login(self.client.get().post(self.settings.server.clone()).json(&body));
            match request.send().await {
                Ok(response) => self.judge(response).await,
                Err(error) => Verdict::Retry(self.redact(&describe(error))),
            }
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async move {
            let path = match self.settings.login {
                NtfyLogin::Anonymous => "v1/health",
                NtfyLogin::Token(_) | NtfyLogin::Password(..) => "v1/account",
            };
            let mut url = self.settings.server.clone();
            url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
            match self.login(self.client.get().get(url)).send().await {
                Ok(response) => self.recognise(response).await,
                Err(error) => Err(self.redact(&describe(error))),
            }
        })
    }
}

impl NtfySink {
    /// A sink that posts to the topic in `settings`.
    #[must_use]
    pub fn new(settings: NtfySettings, client: HttpClient) -> Self {
        Self { client, settings }
    }

    fn body(&self, message: &Message, context: &SendContext<'_>) -> serde_json::Value {
        let limit = if context.form == Form::Rich { MESSAGE } else { MESSAGE_PLAIN };
        let (priority, tag) = loudness(context);
        let mut body = json!({
            "topic": self.settings.topic.expose(),
            "title": cut_middle(&clean(&message.title, Lines::Join), TITLE),
            "message": cut_to_bytes(&layout(message, context.late), limit),
            "priority": priority,
            "tags": [tag],
        });
        if let Some(click) = &self.settings.click {
            body["click"] = json!(click);
        }
        body
    }

    fn login(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.settings.login {
            NtfyLogin::Anonymous => request,
            NtfyLogin::Token(token) => request.bearer_auth(token.expose()),
            NtfyLogin::Password(user, password) => request.basic_auth(user, Some(password.expose())),
        }
    }

    async fn judge(&self, response: Response) -> Verdict {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_start(response).await;
        if status.is_success() {
            // A network that answers everything with a page of its own has not taken the message.
            return match serde_json::from_slice::<Taken>(&body) {
                Ok(_) => Verdict::Sent,
                Err(_) => Verdict::Retry("the answer is not ntfy's".to_owned()),
            };
        }
        self.complaint(status, &headers, &body)
    }

    fn complaint(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
        let complaint = serde_json::from_slice::<Complaint>(body).ok();
        let code = complaint.as_ref().and_then(|complaint| complaint.code);
        let said = self.said(status, complaint.as_ref());
        match (status.as_u16(), code) {
            (429, Some(QUOTA)) => Verdict::Wait(retry_after(headers).unwrap_or(QUOTA_PAUSE)),
            (429, _) => Verdict::Wait(retry_after(headers).unwrap_or(PAUSE)),
            (401 | 403, Some(_)) => Verdict::Disabled(format!(
                "{said}: set a `token`, or `user` and `password`, that may write to the topic"
            )),
            (400, Some(40_009 | 40_010)) => Verdict::Disabled(format!("{said}: choose another `topic`")),
            (404, Some(_)) | (300..400 | 405, _) => Verdict::Disabled(format!(
                "{said}: `server` is the address of ntfy itself, without the topic"
            )),
            (400 | 413, _) => Verdict::Refused(said),
            _ => Verdict::Retry(said),
        }
    }

    async fn recognise(&self, response: Response) -> Result<(), String> {
        let status = response.status();
        let body = read_start(response).await;
        if status.is_success() && serde_json::from_slice::<serde_json::Value>(&body).is_ok() {
            return Ok(());
        }
        Err(self.said(status, serde_json::from_slice(&body).ok().as_ref()))
    }

    fn said(&self, status: StatusCode, complaint: Option<&Complaint>) -> String {
        let said = complaint.map_or_else(String::new, |complaint| {
            let code = complaint.code.map(|code| format!(" (code {code})")).unwrap_or_default();
            format!(" {}{code}", cut_middle(&clean(&complaint.error, Lines::Join), DETAIL))
        });
        self.redact(&format!("ntfy answered {}{said}", status.as_u16()))
    }

    /// The text without what is secret.
    fn redact(&self, text: &str) -> String {
        let secret = match &self.settings.login {
            NtfyLogin::Anonymous => None,
            NtfyLogin::Token(secret) | NtfyLogin::Password(_, secret) => Some(secret.expose()),
        };
        let secrets = secret.into_iter().chain([self.settings.topic.expose()]);
        secrets.filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, it| text.replace(it, "***"))
    }
}

/// ntfy's priority, from 1 to 5, and the tag that it shows as an emoji.
fn loudness(context: &SendContext<'_>) -> (u8, &'static str) {
    match context.severity() {
        _ if context.is_good_news() => (2, "white_check_mark"),
        Severity::Critical => (5, "rotating_light"),
        Severity::Warning => (4, "warning"),
        Severity::Info => (2, "information_source"),
    }
}

/// A message that was taken.
#[derive(Deserialize)]
struct Taken {
    #[serde(rename = "id")]
    _id: String,
}

/// What ntfy's errors look like.
#[derive(Deserialize)]
struct Complaint {
    /// Its first three digits are the status.
    code: Option<u64>,
    error: String,
}

#[cfg(test)]
mod tests;
