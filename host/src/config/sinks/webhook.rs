//! Webhooks of one's own.

use url::Url;

use super::{Manner, SinkConfig, SinkKind, required};
use crate::config::keys::WEBHOOK;
use crate::config::problem::{Fault, quoted};
use crate::config::reader::{Node, Reader};

const URL: &str = "such as `https://n8n.lan/webhook/alert`; may be secret";
const HEADERS: &str = "such as `{ Authorization: \"Bearer ${TOKEN}\" }`";
/// Headers that PiHook itself sets.
const RESERVED: [&str; 5] =
    ["content-type", "content-length", "host", "idempotency-key", "transfer-encoding"];
const MOST_HEADERS: usize = 20;

/// A webhook.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &WEBHOOK);
    let url = required(&fields, "url", URL, reader).and_then(|node| {
        let url = reader.secret(&node)?;
        let parsed = Url::parse(url.expose().trim()).ok();
        let good = parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        reader
            .keep(&node.path, good.then_some(url).ok_or_else(|| Fault::new("this is not a web address", URL)))
    });
    let secret = fields.get("secret").and_then(|node| {
        let secret = reader.secret(&node)?;
        let fault = || {
            Fault::new(
                "a signature's key of less than 16 characters can be guessed",
                "such as what `openssl rand -hex 32` prints",
            )
        };
        reader.keep(&node.path, (secret.expose().len() >= 16).then_some(secret).ok_or_else(fault))
    });
    let headers = fields.get("headers").map(|node| read_headers(&node, reader)).unwrap_or_default();
    let manner = Manner::read("webhook", &fields, reader);
    Some(manner.of(SinkKind::Webhook { url: url?, secret, headers }))
}

fn read_headers(node: &Node<'_>, reader: &mut Reader<'_>) -> Vec<(String, pihook_core::Secret)> {
    let Some(map) = node.value.as_object() else {
        reader.wrong_kind(node, "a mapping from headers to values", HEADERS.to_owned());
        return Vec::new();
    };
    if map.len() > MOST_HEADERS {
        reader.fault(&node.path, Fault::new("these are too many headers", "20 at most"));
    }
    let mut headers = Vec::new();
    for (name, value) in map.iter().take(MOST_HEADERS) {
        let path = crate::config::lines::below(&node.path, name);
        let lower = name.to_ascii_lowercase();
        let token =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !token || RESERVED.contains(&lower.as_str()) || lower.starts_with("x-pihook-") {
            let what = format!("the header {} cannot be set here", quoted(name));
            reader.fault(&path, Fault::new(what, HEADERS));
            continue;
        }
        let Some(secret) = reader.secret(&Node { value, path: path.clone() }) else { continue };
        if secret.expose().chars().all(|c| matches!(c, ' '..='~')) {
            headers.push((name.clone(), secret));
        } else {
            reader.fault(
                &path,
                Fault::new("HTTP does not allow this as a header's value", "ASCII on one line"),
            );
        }
    }
    headers
}
