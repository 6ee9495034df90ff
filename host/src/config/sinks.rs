//! Where alerts can go.

mod discord;
mod email;
mod exec;
mod ntfy;
mod policy;
mod telegram;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pihook_core::dispatch::Policy;
use pihook_core::{Secret, Severity, SinkId};
use serde_json::Value;
use url::{Host, Url};

use super::ladder::{read_formatter, unknown};
use super::problem::Fault;
use super::reader::{Fields, Node, Reader};

const EXAMPLE: &str = "such as `discord: { type: discord, url: \"${DISCORD_WEBHOOK_URL}\" }`";
/// One destination of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// What it is, with what that needs.
    pub kind: SinkKind,
    /// The formatter plugin that words its messages.
    pub formatter: String,
    /// The formatter plugin that makes one message of many, where the sink's own does not.
    pub digest_formatter: String,
    /// How often and when it is told, and who is told instead.
    pub policy: Policy,
}

/// What words a sink's messages unless it says otherwise, by its type: what fits on the screens that it ends on.
const DEFAULT_FORMATTERS: [(&str, &str); 6] = [
    ("discord", "detailed"),
    ("telegram", "compact"),
    ("ntfy", "compact"),
    ("email", "plain"),
    ("exec", "plain"),
    ("webhook", "plain"),
];

/// The formatter of many alerts in one message.
const DIGEST: &str = "digest";

/// The formatter of a sink of this type that names none.
pub(super) fn default_formatter(kind: &str) -> &'static str {
    DEFAULT_FORMATTERS.iter().find(|(known, _)| *known == kind).map_or("plain", |(_, formatter)| formatter)
}

/// What a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// A Discord webhook.
    Discord {
        /// Its address, which is all that it takes to post there.
        url: Secret,
        /// The name to post under, instead of the webhook's own.
        username: Option<String>,
        /// The thread to post into, a number.
        thread_id: Option<String>,
        /// Whether the end of an incident makes no sound.
        silent_recoveries: bool,
        /// Whether the end of an incident changes its message instead of being a new one.
        update: bool,
    },
    /// A Telegram bot.
    Telegram {
        /// Its token.
        token: Secret,
        /// The Bot API's address.
        api: Url,
        /// The chat that it writes to, and the topic.
        chat: (String, Option<i64>),
        /// Those of a severity, instead.
        chats: BTreeMap<Severity, (String, Option<i64>)>,
        /// Whether the end of an incident makes no sound.
        silent_recoveries: bool,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// The server's address.
        server: Url,
        /// The topic's name.
        topic: Secret,
        /// An access token.
        token: Option<Secret>,
        /// A name and a password.
        user: Option<(String, Secret)>,
        /// What a tap opens.
        click: Option<String>,
    },
    /// A web address that takes JSON.
    Webhook {
        /// The address.
        url: Secret,
        /// The signature's key.
        secret: Option<Secret>,
        /// Further headers.
        headers: Vec<(String, Secret)>,
    },
    /// A mail server.
    Email {
        /// Its name.
        server: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        tls: EmailTlsConfig,
        /// A name and a password.
        login: Option<(String, Secret)>,
        /// Who sends.
        from: String,
        /// Who receives.
        to: Vec<String>,
        /// Further certificate authorities.
        ca_file: Option<PathBuf>,
    },
    /// A program of one's own.
    Exec {
        /// The program and its arguments.
        command: Vec<String>,
        /// How long it may run.
        timeout: Duration,
    },
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailTlsConfig {
    /// After a beginning in the clear.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

impl EmailTlsConfig {
    /// The port that goes with it.
    fn usual_port(self) -> u16 {
        match self {
            EmailTlsConfig::StartTls => 587,
            EmailTlsConfig::Implicit => 465,
            EmailTlsConfig::None => 25,
        }
    }
}

/// All declared sinks; none in place of one that cannot be read.
pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> BTreeMap<SinkId, Option<SinkConfig>> {
    let entries = reader.named(node, EXAMPLE);
    let paths: BTreeMap<SinkId, String> =
        entries.iter().map(|(name, node)| (SinkId::new(name), node.path.clone())).collect();
    let sinks =
        entries.into_iter().map(|(name, node)| (SinkId::new(name), read_sink(node, reader))).collect();
    policy::judge_fallbacks(&sinks, &paths, reader);
    sinks
}

fn read_sink(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    match node.value.get("type") {
        Some(Value::String(kind)) if kind == "discord" => discord::read(node, reader),
        Some(Value::String(kind)) if kind == "telegram" => telegram::read(node, reader),
        Some(Value::String(kind)) if kind == "ntfy" => ntfy::read(node, reader),
        Some(Value::String(kind)) if kind == "webhook" => webhook::read(node, reader),
        Some(Value::String(kind)) if kind == "email" => email::read(node, reader),
        Some(Value::String(kind)) if kind == "exec" => exec::read(node, reader),
        Some(Value::String(kind)) => {
            let fault = unknown("sink type", kind, &DEFAULT_FORMATTERS.map(|(kind, _)| kind), "");
            reader.fault(&super::lines::below(&node.path, "type"), fault);
            None
        }
        _ if node.value.is_object() => {
            reader.fault(&node.path, Fault::new("`type` is missing", "`type: discord`"));
            None
        }
        _ => {
            reader.wrong_kind(&node, "a mapping", EXAMPLE.to_owned());
            None
        }
    }
}

/// What sinks of all types have: what words their messages, and how they are told.
struct Manner {
    formatter: String,
    digest: String,
    policy: Policy,
}

impl Manner {
    /// What the sink says of it, and what is usual for its type where it says nothing.
    fn read(kind: &str, fields: &Fields<'_>, reader: &mut Reader<'_>) -> Self {
        let mut named = |key| fields.get(key).and_then(|node| read_formatter(&node, reader));
        let (formatter, digest) = (named("formatter"), named("digest_formatter"));
        Self {
            formatter: formatter.as_deref().unwrap_or(default_formatter(kind)).to_owned(),
            digest: digest.as_deref().unwrap_or(DIGEST).to_owned(),
            policy: policy::read(kind, fields, reader),
        }
    }

    fn of(self, kind: SinkKind) -> SinkConfig {
        let Self { formatter, digest, policy } = self;
        SinkConfig { kind, formatter, digest_formatter: digest, policy }
    }
}

/// `true` or `false`; the latter if it is not there.
pub(super) fn flag(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> bool {
    match node {
        Some(Node { value: Value::Bool(flag), .. }) => *flag,
        Some(node) => {
            reader.wrong_kind(&node, "`true` or `false`", "write `true` or `false`".to_owned());
            false
        }
        None => false,
    }
}

/// What cannot be done without.
fn required<'v>(fields: &Fields<'v>, key: &str, remedy: &str, reader: &mut Reader<'_>) -> Option<Node<'v>> {
    let node = fields.get(key);
    if node.is_none() {
        reader.fault(&fields.path, Fault::new(format!("`{key}` is missing"), remedy));
    }
    node
}

/// The base address of a provider.
fn base(node: Option<Node<'_>>, default: &str, reader: &mut Reader<'_>) -> Option<Url> {
    let Some(node) = node else { return Url::parse(default).ok() };
    let text = reader.text(&node)?;
    let good = Url::parse(text.trim()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let fault = || Fault::new("this is not the address of a server", format!("such as `{default}`"));
    reader.keep(&node.path, good.ok_or_else(fault))
}

fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback_host(&host.to_owned()))
}

/// The same of a bare name or address.
fn is_loopback_name(name: &str) -> bool {
    let address = name.parse().map(Host::Ipv6);
    address.or_else(|_| Host::parse(name)).is_ok_and(|host| is_loopback_host(&host))
}

fn is_loopback_host(host: &Host) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    }
}
