//! E-mail.

use url::Host;

use super::{EmailTlsConfig, Manner, SinkConfig, SinkKind, required};
use crate::config::keys::EMAIL;
use crate::config::problem::{Fault, quoted};
use crate::config::reader::{Node, Reader};

const SERVER: &str = "such as `smtp.example.org`";
const FROM: &str = "such as `pi@example.org`";
const TO: &str = "such as `[you@example.org]`";
const TLS: &str = "`starttls`, `implicit`, or `none` for a server on this machine";
const MOST_RECIPIENTS: usize = 20;

/// An e-mail sink.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &EMAIL);
    let server = required(&fields, "server", SERVER, reader).and_then(|node| {
        let text = reader.text(&node)?;
        let good = Host::parse(text.trim()).is_ok() || text.trim().parse::<std::net::Ipv6Addr>().is_ok();
        let fault = || Fault::new("this is not the name of a mail server", SERVER);
        reader.keep(&node.path, good.then(|| text.trim().to_owned()).ok_or_else(fault))
    });
    let tls = match fields.get("tls") {
        Some(node) => read_tls(&node, reader),
        None => Some(EmailTlsConfig::StartTls),
    };
    let port = fields.get("port").and_then(|node| reader.count(&node, &(1..=u32::from(u16::MAX))));
    let user = fields.get("user").and_then(|node| reader.text(&node));
    let password = fields.get("password").and_then(|node| reader.secret(&node));
    if user.is_some() != password.is_some() {
        let remedy = "`user` and `password`, or none of them";
        reader.fault(&fields.path, Fault::new("this is half a login", remedy));
    }
    if tls == Some(EmailTlsConfig::None)
        && user.is_some()
        && !server.as_deref().is_none_or(super::is_loopback_name)
    {
        let what = "without encryption everybody on the way could read the password";
        reader.fault(&fields.path, Fault::new(what, "`tls: starttls` or `tls: implicit`"));
    }
    let from = required(&fields, "from", FROM, reader).and_then(|node| reader.text(&node));
    let to = required(&fields, "to", TO, reader).and_then(|node| read_recipients(&node, reader));
    let ca_file = fields.get("ca_file").and_then(|node| reader.path(&node));
    let manner = Manner::read("email", &fields, reader);
    let tls = tls?;
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(tls.usual_port());
    let login = user.zip(password);
    Some(manner.of(SinkKind::Email { server: server?, port, tls, login, from: from?, to: to?, ca_file }))
}

fn read_tls(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<EmailTlsConfig> {
    let text = reader.text(node)?;
    let tls = match text.as_str() {
        "starttls" => Ok(EmailTlsConfig::StartTls),
        "implicit" => Ok(EmailTlsConfig::Implicit),
        "none" => Ok(EmailTlsConfig::None),
        other => Err(Fault::new(format!("{} is no way to encrypt mail", quoted(other)), TLS)),
    };
    reader.keep(&node.path, tls)
}

fn read_recipients(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let nodes = reader.items(node, TO)?;
    if !(1..=MOST_RECIPIENTS).contains(&nodes.len()) {
        let what = format!("mail goes to 1 to {MOST_RECIPIENTS} addresses, and these are {}", nodes.len());
        reader.fault(&node.path, Fault::new(what, TO));
        return None;
    }
    nodes.iter().map(|node| reader.text(node)).collect()
}
