//! Where messages go.
//!
//! A sink makes its provider's request out of a neutral [`Message`], enforces the provider's limits, switches unwanted
//! mentions off and says in a [`Verdict`] what came of it. It keeps nothing and retries nothing: order, patience and
//! persistence are `tasks::deliver`'s.

mod client;
mod discord;
mod late;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use pihook_core::{Alert, AlertKind, Message, Severity};

#[cfg(test)]
pub(crate) use discord::fake as fake_discord;

pub use client::{ClientError, HttpClient, TIMEOUT};
pub use discord::{DiscordSettings, DiscordSink, SettingsError};
pub use late::Late;

/// A destination of messages.
pub trait Sink: Send + Sync {
    /// Its type in services.yaml, such as `discord`.
    fn kind(&self) -> &'static str;

    /// A short digest of its settings: it changes when they do, and does not give them away.
    fn fingerprint(&self) -> String;

    /// Sends the message once. Dropping the future gives the attempt up.
    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a>;

    /// Asks the provider whether it knows the sink, without sending anything. The error says why not, and holds no
    /// secret.
    fn ask(&self) -> Asking<'_>;
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
}

impl<'a> SendContext<'a> {
    /// The circumstances of one alert that is sent in time, with all that the provider offers.
    #[must_use]
    pub fn of(alert: &'a Alert) -> Self {
        Self { alert, also: &[], late: None, form: Form::Rich }
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
