//! How the dashboard is reached: names, proxies, TLS.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::super::keys::TLS;
use super::super::load::tidy;
use super::super::problem::{Fault, quoted};
use super::super::reader::{Fields, Node, Reader};

/// Names and proxies at most.
const MOST: usize = 50;

/// How the dashboard is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The names by which it is called, beside `localhost` and the machine's own.
    pub hosts: Vec<String>,
    /// What stands before every path, such as `/pihook`; empty if nothing does.
    pub base_path: String,
    /// Proxies whose word counts for who asks.
    pub trusted_proxies: Vec<IpAddr>,
    /// What it speaks TLS with; plain HTTP if none.
    pub tls: Option<TlsFiles>,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

pub(super) fn read(fields: &Fields<'_>, base: &Path, reader: &mut Reader<'_>) -> Reach {
    let base_path = fields.get("base_path").and_then(|node| {
        let text = reader.text(&node)?;
        reader.keep(&node.path, base_path(&text))
    });
    Reach {
        hosts: list(fields.get("hosts"), "such as `[pi.lan]`", host, reader),
        base_path: base_path.unwrap_or_default(),
        trusted_proxies: list(fields.get("trusted_proxies"), "such as `[127.0.0.1]`", proxy, reader),
        tls: fields.get("tls").and_then(|node| read_tls(node, base, reader)),
    }
}

fn list<T>(
    node: Option<Node<'_>>,
    example: &str,
    read: fn(&str) -> Result<T, Fault>,
    reader: &mut Reader<'_>,
) -> Vec<T> {
    let Some(node) = node else { return Vec::new() };
    let items = reader.items(&node, example).unwrap_or_default();
    if items.len() > MOST {
        let fault =
            Fault::new(format!("these are {} entries", items.len()), format!("at most {MOST} of them"));
        reader.fault(&node.path, fault);
    }
    let mut all = Vec::new();
    for item in items.iter().take(MOST) {
        let read = reader.text(item).map(|text| read(&text));
        all.extend(read.and_then(|read| reader.keep(&item.path, read)));
    }
    all
}

fn host(text: &str) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=253).contains(&text.len()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    let what = format!("{} is not a host's name", quoted(text));
    Err(Fault::new(what, "the name alone, without `http://` and port, such as `pi.lan`"))
}

fn base_path(text: &str) -> Result<String, Fault> {
    let bare = text.strip_suffix('/').unwrap_or(text);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '/');
    let good = bare.is_empty() || (bare.starts_with('/') && !bare.contains("//") && bare.chars().all(fits));
    if good && !text.is_empty() && bare.len() <= 200 {
        return Ok(bare.to_owned());
    }
    Err(Fault::new(
        format!("{} is not a path", quoted(text)),
        "what stands before every path, such as `/pihook`",
    ))
}

fn proxy(text: &str) -> Result<IpAddr, Fault> {
    text.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| {
        let what = format!("{} is not an IP address", quoted(text));
        Fault::new(what, "the address that the proxy's connections come from, such as `127.0.0.1`")
    })
}

fn read_tls(node: Node<'_>, base: &Path, reader: &mut Reader<'_>) -> Option<TlsFiles> {
    let path = node.path.clone();
    let is_mapping = node.value.is_object();
    let fields = reader.fields(Some(node), &TLS);
    let mut file = |key: &str| {
        let Some(node) = fields.get(key) else {
            if is_mapping {
                let fault =
                    Fault::new(format!("`{key}` is missing"), "`{ certificate: cert.pem, key: key.pem }`");
                reader.fault(&path, fault);
            }
            return None;
        };
        reader.path(&node).map(|file| tidy(&base.join(file)))
    };
    let (certificate, key) = (file("certificate"), file("key"));
    Some(TlsFiles { certificate: certificate?, key: key? })
}
