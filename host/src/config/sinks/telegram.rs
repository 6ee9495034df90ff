//! Telegram.

use std::collections::BTreeMap;

use pihook_core::{Secret, Severity};
use serde_json::Value;

use super::{Manner, SinkConfig, SinkKind, base, flag, required};
use crate::config::keys::{CHATS, TELEGRAM};
use crate::config::problem::Fault;
use crate::config::reader::{Node, Reader};

const API: &str = "https://api.telegram.org";
const TOKEN: &str = "the bot's token as @BotFather gives it, best as \"${TELEGRAM_TOKEN}\"";
const CHAT: &str =
    "a chat's number such as `\"-1001234567890\"`, or a channel's name such as `\"@my_channel\"`";
const TOPIC: &str = "the topic's number, such as `7`";

/// A Telegram sink.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &TELEGRAM);
    let token = required(&fields, "token", TOKEN, reader).and_then(|node| read_token(&node, reader));
    let api = base(fields.get("api"), API, reader);
    let topic = fields.get("topic").and_then(|node| read_topic(&node, reader));
    let chat = required(&fields, "chat", CHAT, reader).and_then(|node| read_chat(&node, reader));
    let chats = match fields.get("chats") {
        Some(node) => read_chats(node, reader),
        None => BTreeMap::new(),
    };
    let silent_recoveries = flag(fields.get("silent_recoveries"), reader);
    let manner = Manner::read("telegram", &fields, reader);
    let kind =
        SinkKind::Telegram { token: token?, api: api?, chat: (chat?, topic), chats, silent_recoveries };
    Some(manner.of(kind))
}

fn read_token(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Secret> {
    let token = reader.secret(node)?;
    let good = token.expose().split_once(':').is_some_and(|(id, key)| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()) && key.len() >= 8 && key.chars().all(allowed)
    });
    reader
        .keep(&node.path, good.then_some(token).ok_or_else(|| Fault::new("this is not a bot's token", TOKEN)))
}

fn read_chats(node: Node<'_>, reader: &mut Reader<'_>) -> BTreeMap<Severity, (String, Option<i64>)> {
    let fields = reader.fields(Some(node), &CHATS);
    let severities =
        [("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];
    let read = |(key, severity)| Some((severity, read_place(&fields.get(key)?, reader)?));
    severities.into_iter().filter_map(read).collect()
}

/// `"-100123"`, or `"-100123/7"` with a topic.
fn read_place(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<(String, Option<i64>)> {
    let text = text_or_number(node, reader)?;
    let (chat, topic) = match text.split_once('/') {
        Some((chat, topic)) => (chat, topic.parse().ok().filter(|topic: &i64| *topic > 0).map(Some)),
        None => (text.as_str(), Some(None)),
    };
    let place = topic.filter(|_| is_chat(chat)).map(|topic| (chat.to_owned(), topic));
    let fault =
        || Fault::new("this is not a chat", format!("{CHAT}, and a topic as in `\"-1001234567890/7\"`"));
    reader.keep(&node.path, place.ok_or_else(fault))
}

fn read_chat(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let text = text_or_number(node, reader)?;
    reader.keep(
        &node.path,
        is_chat(&text).then_some(text).ok_or_else(|| Fault::new("this is not a chat", CHAT)),
    )
}

fn read_topic(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<i64> {
    let text = text_or_number(node, reader)?;
    let topic = text.parse().ok().filter(|topic: &i64| *topic > 0);
    reader.keep(&node.path, topic.ok_or_else(|| Fault::new("this is not a topic", TOPIC)))
}

fn text_or_number(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<String> {
    match node.value {
        Value::Number(number) => Some(number.to_string()),
        _ => reader.text(node).map(|text| text.trim().to_owned()),
    }
}

fn is_chat(text: &str) -> bool {
    let name = |name: &str| {
        (4..=32).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.parse::<i64>().is_ok_and(|number| number != 0) || text.strip_prefix('@').is_some_and(name)
}
