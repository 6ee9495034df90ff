//! Where alerts can go.

use std::collections::BTreeMap;

use pihook_core::{Secret, SinkId};
use serde_json::Value;
use url::{Host, Url};

use super::keys::{DISCORD, later};
use super::ladder::{read_formatter, unknown};
use super::problem::Fault;
use super::reader::{Node, Reader};

const EXAMPLE: &str = "such as `discord: { type: discord, url: \"${DISCORD_WEBHOOK_URL}\" }`";
const WEBHOOK: &str = "the webhook's address as Discord gives it: \
    `https://discord.com/api/webhooks/…`, best as \"${DISCORD_WEBHOOK_URL}\"";

/// One destination of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// What it is, with what that needs.
    pub kind: SinkKind,
    /// The formatter plugin that words its messages.
    pub formatter: String,
    /// The formatter plugin that makes one message of many, where the sink's own does not.
    pub digest_formatter: String,
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
    },
}

/// All declared sinks; none in place of one that cannot be read.
pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> BTreeMap<SinkId, Option<SinkConfig>> {
    let entries = reader.named(node, EXAMPLE);
    entries.into_iter().map(|(name, node)| (SinkId::new(name), read_sink(node, reader))).collect()
}

fn read_sink(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    match node.value.get("type") {
        Some(Value::String(kind)) if kind == "discord" => read_discord(node, reader),
        Some(Value::String(kind)) => {
            let fault = match kind.as_str() {
                "telegram" | "webhook" => later(&format!("sinks of the type `{kind}`")),
                _ => unknown("sink type", kind, &["discord"], ""),
            };
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

fn read_discord(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &DISCORD);
    let url = match fields.get("url") {
        Some(node) => reader.secret(&node).and_then(|url| {
            let checked = discord_url(&url);
            reader.keep(&node.path, checked).map(|()| url)
        }),
        None => {
            reader.fault(&fields.path, Fault::new("`url` is missing", WEBHOOK));
            None
        }
    };
    let formatter = fields.get("formatter").and_then(|node| read_formatter(&node, reader));
    let digest = fields.get("digest_formatter").and_then(|node| read_formatter(&node, reader));
    let username = fields.get("username").and_then(|node| {
        let text = reader.text(&node)?;
        let length = text.trim().chars().count();
        let fault = || Fault::new("Discord does not take this as a name", "1 to 80 characters on one line");
        let good = (1..=80).contains(&length) && !text.contains(char::is_control);
        reader.keep(&node.path, good.then(|| text.trim().to_owned()).ok_or_else(fault))
    });
    let thread_id = fields.get("thread_id").and_then(|node| read_thread(&node, reader));
    let kind = SinkKind::Discord { url: url?, username, thread_id };
    Some(SinkConfig {
        kind,
        formatter: formatter.as_deref().unwrap_or(default_formatter("discord")).to_owned(),
        digest_formatter: digest.as_deref().unwrap_or(DIGEST).to_owned(),
    })
}

fn read_thread(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = match node.value {
        Value::Number(number) => number.to_string(),
        _ => reader.text(node)?,
    };
    let good = (1..=20).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
    let fault =
        || Fault::new("this is not a thread's ID", "the number that Discord gives for \"Copy Thread ID\"");
    reader.keep(&node.path, good.then_some(text).ok_or_else(fault))
}

/// Checks the address without ever showing it.
fn discord_url(url: &Secret) -> Result<(), Fault> {
    let Ok(url) = Url::parse(url.expose()) else {
        return Err(Fault::new("this is not a web address", WEBHOOK));
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        return Err(Fault::new("a webhook's address starts with `https://`", WEBHOOK));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let remedy = "end it before the `?` or `#`; a thread is named by `thread_id:`";
        return Err(Fault::new("a webhook's address has nothing after its path", remedy));
    }
    let path: Vec<_> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
    match path.as_slice() {
        _ if loopback => Ok(()),
        [.., "webhooks", id, _token] if id.chars().all(|c| c.is_ascii_digit()) => Ok(()),
        _ => Err(Fault::new("this is not the address of a Discord webhook", WEBHOOK)),
    }
}
