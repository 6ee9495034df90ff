//! Discord.

use pihook_core::Secret;
use serde_json::Value;
use url::Url;

use super::{Manner, SinkConfig, SinkKind, is_loopback};
use crate::config::keys::DISCORD;
use crate::config::problem::Fault;
use crate::config::reader::{Node, Reader};

const WEBHOOK: &str = "the webhook's address as Discord gives it: \
    `https://discord.com/api/webhooks/…`, best as \"${DISCORD_WEBHOOK_URL}\"";

/// A Discord sink.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
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
    let username = fields.get("username").and_then(|node| {
        let text = reader.text(&node)?;
        let length = text.trim().chars().count();
        let fault = || Fault::new("Discord does not take this as a name", "1 to 80 characters on one line");
        let good = (1..=80).contains(&length) && !text.contains(char::is_control);
        reader.keep(&node.path, good.then(|| text.trim().to_owned()).ok_or_else(fault))
    });
    let thread_id = fields.get("thread_id").and_then(|node| read_thread(&node, reader));
    let silent_recoveries = super::flag(fields.get("silent_recoveries"), reader);
    let update = super::flag(fields.get("update"), reader);
    let manner = Manner::read("discord", &fields, reader);
    let kind = SinkKind::Discord { url: url?, username, thread_id, silent_recoveries, update };
    Some(manner.of(kind))
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
    let loopback = is_loopback(&url);
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
