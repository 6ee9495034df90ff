//! Plugins that do not come with PiHook, and what they may do.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{ALLOW, PLUGIN};
use super::load::tidy;
use super::problem::{Fault, quoted};
use super::reader::{Node, Reader};
use crate::hosts::{HostPattern, PatternError};

const EXAMPLE: &str = "such as `my-check: { file: plugins/my_check.wasm }`";
const MEMORY: RangeInclusive<u64> = 1 << 20..=1 << 30;
const CPU: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30);

/// One plugin's file, grants and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// The component.
    pub file: PathBuf,
    /// What its content must hash to, in lower-case hex.
    pub sha256: Option<String>,
    /// What it may do, as far as it asks for it.
    pub allow: Allow,
    /// The most memory that it may use, in bytes; the host's default if none.
    pub memory: Option<u64>,
    /// The most CPU time that a run may use; the host's default if none.
    pub cpu: Option<Duration>,
}

/// What a plugin may do. Empty is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Hosts that it may ask beside the service's own.
    pub http: Vec<HostPattern>,
}

pub(super) fn read(
    node: Option<Node<'_>>,
    data_dir: &Path,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, PluginConfig> {
    let entries = reader.named(node, EXAMPLE);
    let read = |(name, node): (&str, Node<'_>)| Some((name.to_owned(), read_plugin(node, data_dir, reader)?));
    entries.into_iter().filter_map(read).collect()
}

fn read_plugin(node: Node<'_>, data_dir: &Path, reader: &mut Reader<'_>) -> Option<PluginConfig> {
    let is_mapping = node.value.is_object();
    let path = node.path.clone();
    let fields = reader.fields(Some(node), &PLUGIN);
    let file = fields.get("file");
    if is_mapping && file.is_none() {
        reader.fault(&path, Fault::new("`file` is missing", EXAMPLE));
    }
    let file = file.and_then(|node| reader.path(&node));
    let sha256 = fields.get("sha256").and_then(|node| {
        let text = reader.text(&node)?.to_ascii_lowercase();
        let good = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
        let fault = || {
            Fault::new("this is not a SHA-256 digest", "64 hexadecimal digits, as `sha256sum FILE` prints")
        };
        reader.keep(&node.path, good.then_some(text).ok_or_else(fault))
    });
    let allow = fields.get("allow").map(|node| read_allow(node, reader)).unwrap_or_default();
    let memory = fields.get("memory").and_then(|node| reader.size(&node, &MEMORY));
    let cpu = fields.get("cpu").and_then(|node| reader.duration(&node, &CPU));
    Some(PluginConfig { file: tidy(&data_dir.join(file?)), sha256, allow, memory, cpu })
}

fn read_allow(node: Node<'_>, reader: &mut Reader<'_>) -> Allow {
    let fields = reader.fields(Some(node), &ALLOW);
    let hosts =
        fields.get("http").and_then(|node| reader.items(&node, "a list of hosts, such as `[\"*.lan:443\"]`"));
    let host = |node: Node<'_>| {
        let text = reader.text(&node)?;
        let remedy = "`host`, `host:port` or `*.domain`, such as `\"nas.lan:8080\"` or `\"*.lan\"`";
        let fault = |error: PatternError| {
            Fault::new(format!("{} is not a host to allow: {error}", quoted(&text)), remedy)
        };
        reader.keep(&node.path, text.parse().map_err(fault))
    };
    Allow { http: hosts.unwrap_or_default().into_iter().filter_map(host).collect() }
}
