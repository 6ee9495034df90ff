//! Where the status page is served, and to whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use pihook_core::Secret;

use super::keys::{AUTH, DASHBOARD};
use super::problem::{Fault, quoted};
use super::reader::{Node, Reader};
use super::sinks::flag;

/// Where the status page is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dashboard {
    /// Nowhere.
    Off,
    /// At this address.
    At {
        /// The address; a port of 0 takes any free one.
        listen: SocketAddr,
        /// Who may see it.
        auth: Auth,
        /// Who may see badges.
        badges: Badges,
    },
}

/// Who may see badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badges {
    /// Whoever may see the status page.
    Guarded,
    /// Everybody.
    Public,
}

/// Who may see the status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Whoever reaches it.
    Open,
    /// Whoever knows this name and password.
    Basic {
        /// The name.
        user: String,
        /// The password; not empty.
        password: Secret,
    },
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Dashboard {
    if let Some(node) = node.as_ref().filter(|node| !node.value.is_object()) {
        if node.value != "off" {
            let remedy = "`dashboard: off`, or a mapping with `listen` and `auth`";
            reader.wrong_kind(node, "a mapping or `off`", remedy.to_owned());
        }
        return Dashboard::Off;
    }
    let fields = reader.fields(node, &DASHBOARD);
    let address = fields.get("listen");
    let listen = address.as_ref().and_then(|node| {
        let text = reader.text(node)?;
        reader.keep(&node.path, listen_address(&text))
    });
    let auth = fields.get("auth");
    let exposed = listen.is_some_and(|listen| !listen.ip().is_loopback());
    if let (Some(node), true, None) = (&address, exposed, &auth) {
        let what = "everybody who reaches this address could see the dashboard";
        let remedy = "add `auth: { user: …, password: \"${PIHOOK_PASSWORD}\" }`, or `auth: none` if that is what you want";
        reader.fault(&node.path, Fault::new(what, remedy));
    }
    let auth = auth.map_or(Auth::Open, |node| read_auth(&node, reader));
    let badges = if flag(fields.get("public_badges"), reader) { Badges::Public } else { Badges::Guarded };
    Dashboard::At { listen: listen.unwrap_or(LISTEN), auth, badges }
}

fn listen_address(text: &str) -> Result<SocketAddr, Fault> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    numeric.as_deref().unwrap_or(text).parse().map_err(|_| {
        let what = format!("{} is not an address to listen on", quoted(text));
        Fault::new(
            what,
            "an IP address and a port, such as `127.0.0.1:8420`, `0.0.0.0:8420` or `\"[::]:8420\"`",
        )
    })
}

fn read_auth(node: &Node<'_>, reader: &mut Reader<'_>) -> Auth {
    let remedy = "`none`, or `{ user: …, password: \"${PIHOOK_PASSWORD}\" }`";
    if !node.value.is_object() {
        if node.value != "none" {
            reader.wrong_kind(node, "a mapping or `none`", remedy.to_owned());
        }
        return Auth::Open;
    }
    let fields = reader.fields(Some(node.clone()), &AUTH);
    let user = fields.get("user");
    let password = fields.get("password");
    if user.is_none() || password.is_none() {
        let missing = if user.is_none() { "user" } else { "password" };
        reader.fault(&node.path, Fault::new(format!("`{missing}` is missing"), remedy));
    }
    let user = user.and_then(|node| {
        let user = reader.text(&node)?;
        // Basic authentication ends the name at the first colon.
        if user.is_empty() || user.contains(|c: char| c == ':' || c.is_control()) {
            let fault =
                Fault::new("this cannot be a user's name", "some text without a colon, such as `admin`");
            reader.fault(&node.path, fault);
        }
        Some(user)
    });
    let password = password.and_then(|node| {
        let password = reader.secret(&node)?;
        if password.expose().is_empty() {
            reader.fault(&node.path, Fault::new("the password is empty", remedy));
        }
        Some(password)
    });
    match (user, password) {
        (Some(user), Some(password)) => Auth::Basic { user, password },
        _ => Auth::Open,
    }
}
