//! Where messages go.
//!
//! A sink makes its provider's request out of a neutral [`Message`], enforces the provider's limits, switches unwanted
//! mentions off and says in a [`Verdict`] what came of it. It keeps nothing and retries nothing: order, patience and
//! persistence are `tasks::deliver`'s.

mod client;
mod discord;
mod email;
mod exec;
mod late;
mod measure;
mod memory;
mod ntfy;
mod ping;
#[cfg(test)]
mod samples;
mod telegram;
mod text;
mod webhook;

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::time::Duration;

use pihook_core::{Alert, AlertKind, Message, Severity, Timestamp};
use sha2::{Digest, Sha256};

#[cfg(test)]
pub(crate) use discord::fake as fake_discord;

pub use client::{ClientError, HttpClient, TIMEOUT};
pub use discord::{DiscordSettings, DiscordSink, SettingsError, render as render_discord};
pub use email::{EMAIL_TIMEOUT, EmailError, EmailSettings, EmailSink, EmailTls};
pub use exec::{ExecSettings, ExecSink};
pub use late::Late;
pub use measure::measure_of;
pub use memory::{Forgetful, Memory, Recalling, Remembering};
pub use ntfy::{NtfyLogin, NtfySettings, NtfySink};
pub use ping::Ping;
pub use telegram::{TelegramChat, TelegramSettings, TelegramSink};
pub use webhook::{WebhookSettings, WebhookSink};

/// A destination of messages.
pub trait Sink: Send + Sync {
    /// Its type in services.yaml, such as `discord`.
    fn kind(&self) -> &'static str;

    /// A short digest of its settings: it changes when they do, and does not give them away.
    fn fingerprint(&self) -> String;

    /// Sends the message once. Dropping the future gives the attempt up.
    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a>;

    /// What [`Sink::send`] would send, indented, without anything that is secret: for people to look at. Of a kind that
    /// does not say, the message as it is.
    fn render(&self, message: &Message, _context: &SendContext<'_>) -> String {
        render_neutral(message)
    }

    /// Asks the provider whether it knows the sink, without sending anything. The error says why not, and holds no
    /// secret.
    fn ask(&self) -> Asking<'_>;
}

/// The message itself as JSON, indented.
#[must_use]
pub fn render_neutral(message: &Message) -> String {
    let fields: Vec<_> = message
        .fields
        .iter()
        .map(|field| serde_json::json!({ "name": field.name, "value": field.value }))
        .collect();
    let whole = serde_json::json!({ "title": message.title, "body": message.body, "fields": fields });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

/// What [`Sink::send`] returns.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// What [`Sink::ask`] returns.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// The circumstances of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct SendContext<'a> {
    /// The alert that the message words: who is mentioned, how loud it is, when it was decided. Of several, the one
    /// that matters most.
    pub alert: &'a Alert,
    /// The other alerts that the message stands for, in order; none if it words one alone.
    pub also: &'a [&'a Alert],
    /// Set when the message comes late; the sink says so in its own way.
    pub late: Option<&'a Late>,
    /// How the message is to be laid out.
    pub form: Form,
    /// What time it is.
    pub now: Timestamp,
    /// The delivery's number, which no other has in this database; 0 outside of the outbox.
    pub delivery: i64,
    /// What the sink knows from earlier attempts.
    pub memory: &'a dyn Memory,
}

impl<'a> SendContext<'a> {
    /// That of an alert that is sent at once, past the outbox.
    #[must_use]
    pub fn of(alert: &'a Alert) -> Self {
        Self {
            alert,
            also: &[],
            late: None,
            form: Form::Rich,
            now: alert.at,
            delivery: 0,
            memory: &Forgetful,
        }
    }

    /// Names the delivery, for receivers who want to recognise one that comes twice: always the same for one, and
    /// different for each other, also those of another PiHook.
    fn key(&self) -> String {
        let (alert, number) = (self.alert, self.delivery.to_string());
        let at = alert.at.as_nanosecond().to_string();
        digest([&number, &at, alert.kind.as_str(), alert.service.as_str()].map(Some))
    }

    /// All alerts that the message stands for, the one that matters most first.
    pub fn alerts(&self) -> impl Iterator<Item = &'a Alert> {
        std::iter::once(self.alert).chain(self.also.iter().copied())
    }

    /// How loud the message is: as loud as its loudest alert.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.alerts().map(|alert| alert.severity).max().unwrap_or(self.alert.severity)
    }

    /// Whether it tells of nothing but recoveries, for which nobody needs to be disturbed.
    #[must_use]
    pub fn is_good_news(&self) -> bool {
        self.alerts().all(|alert| alert.kind == AlertKind::Recovered)
    }
}

/// How a message is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With all that the provider offers.
    Rich,
    /// As bare text: the least that a provider can find fault with.
    Plain,
}

/// What came of an attempt. No text in it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider took it.
    Sent,
    /// The provider asks for patience; nothing is wrong.
    Wait(Duration),
    /// It failed and may work later.
    Retry(String),
    /// This request can never be sent as it is.
    Refused(String),
    /// The sink itself is dead: nothing can be sent before somebody mends it, here or at the provider's.
    Disabled(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Sent => f.write_str("sent"),
            Verdict::Wait(wait) => write!(f, "asked to wait {:.1} s", wait.as_secs_f64()),
            Verdict::Retry(why) | Verdict::Refused(why) | Verdict::Disabled(why) => f.write_str(why),
        }
    }
}

/// A digest's first 64 bits: enough to notice a change, and what is secret in it is too long to be found by trying.
fn digest<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        // Lengths keep neighbours apart; the largest stands for none.
        digest.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        digest.update(text.unwrap_or_default());
    }
    hex(digest.finalize().iter().take(8))
}

fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
