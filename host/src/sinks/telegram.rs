//! Telegram, by a bot. The bot's token stands in every address, so no address is ever shown.

mod html;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pihook_core::{Message, Secret, Severity};
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::warn;
use url::Url;

use super::client::{HttpClient, describe, read_start, retry_after};
use super::text::{Lines, clean, cut_middle, layout};
use super::{Asking, Form, SendContext, Sending, Sink, Verdict, digest};

/// The longest text, after its entities were parsed, in UTF-16 units.
const TEXT: usize = 4096;
const DETAIL: usize = 300;
/// How long to wait after a 429 that does not say.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest wait that is believed.
const LONGEST: u64 = 3600;
/// Telegram asks for no more than one message a second to a chat.
const PACE: Duration = Duration::from_secs(1);
/// The topic of memory that tells which chat a group has become.
const MIGRATED: &str = "migrated chat";

/// What Telegram says of a chat or a topic that cannot be written to before somebody changes something.
const DEAD_ENDS: [&str; 6] = [
    "chat not found",
    "peer_id_invalid",
    "message thread not found",
    "topic_closed",
    "not enough rights",
    "need administrator rights",
];

/// What services.yaml says of a Telegram sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: Secret,
    /// The Bot API's address.
    pub api: Url,
    /// Where messages go.
    pub chat: TelegramChat,
    /// Where those of a severity go instead.
    pub chats: BTreeMap<Severity, TelegramChat>,
    /// Whether the end of an incident makes no sound.
    pub silent_recoveries: bool,
}

/// A chat, and perhaps a topic of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramChat {
    /// Its number, or `@` and a channel's name.
    pub chat: String,
    /// The topic's number.
    pub topic: Option<i64>,
}

/// A bot that writes to chats.
pub struct TelegramSink {
    client: HttpClient,
    settings: TelegramSettings,
    /// When the next request may go out.
    free_at: Mutex<Option<Instant>>,
}

impl fmt::Debug for TelegramSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramSink").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

impl Sink for TelegramSink {
    fn kind(&self) -> &'static str {
        "telegram"
    }

    fn fingerprint(&self) -> String {
        let settings = &self.settings;
        let chats = format!("{:?} {:?} {}", settings.chat, settings.chats, settings.silent_recoveries);
        digest(["telegram", settings.api.as_str(), settings.token.expose(), &chats].map(Some))
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            if let Some(wait) = self.must_wait() {
                return Verdict::Wait(wait);
            }
            let configured = self.settings.chats.get(&context.severity()).unwrap_or(&self.settings.chat);
            let known = context.memory.recall(MIGRATED, &configured.chat).await;
            let chat = known.unwrap_or_else(|| configured.chat.clone());
            let mut body = self.body(message, context, configured, &chat);
            self.rest(PACE);
            match self.post(&body).await {
                Said::Moved(to) => {
                    warn!(
                        "a Telegram group has become the supergroup {to}, which is used from now on; write it into services.yaml as `chat`"
                    );
                    context.memory.remember(MIGRATED, &configured.chat, &to).await;
                    body["chat_id"] = json!(to);
                    match self.post(&body).await {
                        Said::Verdict(verdict) => verdict,
                        Said::Moved(_) => Verdict::Retry("Telegram sends the chat on and on".to_owned()),
                    }
                }
                Said::Verdict(verdict) => verdict,
            }
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async move {
            match self.client.get().get(self.method("getMe")).send().await {
                Ok(response) => self.recognise(response).await,
                Err(error) => Err(self.redact(&describe(error))),
            }
        })
    }
}

/// What came of a request.
enum Said {
    Verdict(Verdict),
    /// The chat has another number from now on.
    Moved(String),
}

impl TelegramSink {
    /// A sink that writes as `settings` say.
    #[must_use]
    pub fn new(settings: TelegramSettings, client: HttpClient) -> Self {
        Self { client, settings, free_at: Mutex::new(None) }
    }

    fn body(&self, message: &Message, context: &SendContext<'_>, to: &TelegramChat, chat: &str) -> Value {
        let mut body = json!({ "chat_id": chat, "link_preview_options": { "is_disabled": true } });
        match context.form {
            Form::Rich => {
                body["text"] = json!(html::render(message, context.late, TEXT));
                body["parse_mode"] = json!("HTML");
            }
            Form::Plain => {
                let text =
                    format!("{}\n{}", clean(&message.title, Lines::Join), layout(message, context.late));
                body["text"] = json!(cut_middle(text.trim(), TEXT));
            }
        }
        if let Some(topic) = to.topic {
            body["message_thread_id"] = json!(topic);
        }
        if self.settings.silent_recoveries && context.is_good_news() {
            body["disable_notification"] = json!(true);
        }
        body
    }

    fn method(&self, name: &str) -> Url {
        let mut url = self.settings.api.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/bot{}/{name}", self.settings.token.expose()));
        url
    }

    async fn post(&self, body: &Value) -> Said {
        match self.client.get().post(self.method("sendMessage")).json(body).send().await {
            Ok(response) => self.judge(response).await,
            Err(error) => Said::Verdict(Verdict::Retry(self.redact(&describe(error)))),
        }
    }

    async fn judge(&self, response: Response) -> Said {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_start(response).await;
        let answer = serde_json::from_slice::<Answer>(&body).ok();
        if let Some(to) = answer.as_ref().and_then(|answer| answer.parameters.migrate_to_chat_id) {
            return Said::Moved(to.to_string());
        }
        Said::Verdict(self.verdict(status, &headers, answer))
    }

    fn verdict(&self, status: StatusCode, headers: &HeaderMap, answer: Option<Answer>) -> Verdict {
        let said = self.said(status, answer.as_ref());
        let Some(answer) = answer else {
            // Not Telegram's own words, so perhaps a proxy's or a hotel network's.
            return match retry_after(headers) {
                Some(wait) if status == StatusCode::TOO_MANY_REQUESTS => Verdict::Wait(wait),
                _ => Verdict::Retry(said),
            };
        };
        let description = answer.description.to_lowercase();
        match answer.error_code.unwrap_or(status.as_u16()) {
            _ if answer.ok => Verdict::Sent,
            429 => {
                let said =
                    answer.parameters.retry_after.map(|wait| Duration::from_secs(wait.clamp(1, LONGEST)));
                let wait = said.or_else(|| retry_after(headers)).unwrap_or(PAUSE);
                self.rest(wait);
                Verdict::Wait(wait)
            }
            401 | 404 => {
                Verdict::Disabled(format!("{said}: `token` is not valid (any more); @BotFather gives it"))
            }
            403 => Verdict::Disabled(format!(
                "{said}: the bot may not write there; unblock it, or let it join the chat"
            )),
            400 if DEAD_ENDS.iter().any(|end| description.contains(end)) => Verdict::Disabled(format!(
                "{said}: look at `chat` and `topic`, and whether the bot is a member"
            )),
            400 | 413 => Verdict::Refused(said),
            _ => Verdict::Retry(said),
        }
    }

    async fn recognise(&self, response: Response) -> Result<(), String> {
        let status = response.status();
        let answer = serde_json::from_slice::<Answer>(&read_start(response).await).ok();
        if answer.as_ref().is_some_and(|answer| answer.ok) {
            Ok(())
        } else {
            Err(self.said(status, answer.as_ref()))
        }
    }

    fn said(&self, status: StatusCode, answer: Option<&Answer>) -> String {
        let said = answer.map_or("", |answer| answer.description.as_str());
        let said = clean(&self.redact(said), Lines::Join);
        let said = cut_middle(&said, DETAIL);
        format!("Telegram answered {} {said}", status.as_u16()).trim_end().to_owned()
    }

    fn must_wait(&self) -> Option<Duration> {
        let free_at = (*self.free_at.lock().unwrap_or_else(PoisonError::into_inner))?;
        let wait = free_at.saturating_duration_since(Instant::now());
        (!wait.is_zero()).then_some(wait)
    }

    fn rest(&self, wait: Duration) {
        *self.free_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
    }

    /// The text without the token.
    fn redact(&self, text: &str) -> String {
        text.replace(self.settings.token.expose(), "***")
    }
}

/// What Telegram answers.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
    migrate_to_chat_id: Option<i64>,
}

#[cfg(test)]
mod tests;
