//! Where the status page is served, and to whom.

mod reach;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use pihook_core::Secret;

use super::keys::{AUTH, DASHBOARD};
use super::problem::{Fault, quoted};
use super::reader::{Fields, Node, Reader};
use super::sinks::flag;
use crate::password::PasswordHash;

pub use reach::{Reach, TlsFiles};

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
        /// By which names, through which proxies, and how.
        reach: Box<Reach>,
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
        /// What the password is known by.
        password: Password,
    },
}

/// What a password is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// Itself; not empty.
    Plain(Secret),
    /// Its hash.
    Hashed(PasswordHash),
}

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8420);

/// `base` is the folder that paths are relative to.
pub(super) fn read(node: Option<Node<'_>>, base: &Path, reader: &mut Reader<'_>) -> Dashboard {
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
    let reach = Box::new(reach::read(&fields, base, reader));
    Dashboard::At { listen: listen.unwrap_or(LISTEN), auth, badges, reach }
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
    if user.is_none() {
        reader.fault(&node.path, Fault::new("`user` is missing", remedy));
    }
    let password = read_password(node, remedy, &fields, reader);
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
    match (user, password) {
        (Some(user), Some(password)) => Auth::Basic { user, password },
        _ => Auth::Open,
    }
}

fn read_password(
    auth: &Node<'_>,
    missing: &str,
    fields: &Fields<'_>,
    reader: &mut Reader<'_>,
) -> Option<Password> {
    let remedy =
        "`password: \"${PIHOOK_PASSWORD}\"`, or the `password_hash:` that `pihook hash-password` prints";
    let (plain, hash) = (fields.get("password"), fields.get("password_hash"));
    match (plain, hash) {
        (None, None) => {
            reader.fault(&auth.path, Fault::new("`password` is missing", missing));
            None
        }
        (Some(_), Some(hash)) => {
            reader.fault(&hash.path, Fault::new("the password stands here twice", "keep one of the two"));
            None
        }
        (Some(plain), None) => {
            let password = reader.secret(&plain)?;
            if password.expose().is_empty() {
                reader.fault(&plain.path, Fault::new("the password is empty", remedy));
            }
            Some(Password::Plain(password))
        }
        (None, Some(hash)) => {
            let text = reader.secret(&hash)?;
            let parsed = PasswordHash::parse(text.expose().trim());
            let remedy = "what `pihook hash-password` prints, in single quotes: it has dollar signs";
            reader.keep(&hash.path, parsed.map_err(|what| Fault::new(what, remedy))).map(Password::Hashed)
        }
    }
}
