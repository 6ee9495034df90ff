//! ntfy.

use url::Url;

use super::{Manner, SinkConfig, SinkKind, base, required};
use crate::config::keys::NTFY;
use crate::config::problem::Fault;
use crate::config::reader::{Node, Reader};

const SERVER: &str = "https://ntfy.sh";
const TOPIC: &str =
    "up to 64 letters, digits, `-` and `_`, best as \"${NTFY_TOPIC}\": who knows it can read along";

/// An ntfy sink.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &NTFY);
    let server = base(fields.get("server"), SERVER, reader);
    let topic = required(&fields, "topic", TOPIC, reader).and_then(|node| {
        let topic = reader.secret(&node)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let good = (1..=64).contains(&topic.expose().len()) && topic.expose().chars().all(allowed);
        reader.keep(
            &node.path,
            good.then_some(topic).ok_or_else(|| Fault::new("ntfy does not take this as a topic", TOPIC)),
        )
    });
    let token = fields.get("token").and_then(|node| reader.secret(&node));
    let user = fields.get("user").and_then(|node| reader.text(&node));
    let password = fields.get("password").and_then(|node| reader.secret(&node));
    if user.is_some() != password.is_some() || (user.is_some() && token.is_some()) {
        let remedy = "either `token`, or `user` and `password`, or none of them";
        reader.fault(&fields.path, Fault::new("this is half a login, or two", remedy));
    }
    let click = fields.get("click").and_then(|node| {
        let text = reader.text(&node)?;
        let fault = || Fault::new("this is not an address", "such as `http://pi.lan:8420`");
        reader.keep(&node.path, Url::parse(&text).is_ok().then_some(text).ok_or_else(fault))
    });
    let manner = Manner::read("ntfy", &fields, reader);
    let kind = SinkKind::Ntfy { server: server?, topic: topic?, token, user: user.zip(password), click };
    Some(manner.of(kind))
}
