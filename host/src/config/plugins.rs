//! Plugins that do not come with PiHook, and what they may do.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{ALLOW, PLUGIN};
use super::load::tidy;
use super::problem::{Fault, quoted};
use super::reader::{Node, Reader};

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
    /// Hosts beside the service's own, as `host`, `host:port` or `*.domain:port`.
    pub http: Vec<String>,
    /// Files that it may read, by their absolute paths.
    pub files: Vec<PathBuf>,
    /// Commands that it may run by name, each with its whole argument list.
    pub commands: BTreeMap<String, Vec<String>>,
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
    let mut list = |key, example, check: fn(&str) -> Result<(), Fault>| -> Vec<String> {
        let items = fields.get(key).and_then(|node| reader.items(&node, example)).unwrap_or_default();
        let mut read = |node: Node<'_>| {
            let text = reader.text(&node)?;
            reader.keep(&node.path, check(&text)).map(|()| text)
        };
        items.into_iter().filter_map(&mut read).collect()
    };
    let http = list("http", "a list of hosts, such as `[\"*.lan:443\"]`", host_pattern);
    let files = list("files", "a list of paths, such as `[/proc/mdstat]`", absolute);
    let commands = reader.named(fields.get("commands"), "such as `{ smart: [smartctl, --json] }`");
    let command = |(name, node): (&str, Node<'_>)| Some((name.to_owned(), read_command(&node, reader)?));
    Allow {
        http,
        files: files.into_iter().map(PathBuf::from).collect(),
        commands: commands.into_iter().filter_map(command).collect(),
    }
}

fn read_command(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let example = "a program and its arguments, such as `[smartctl, --json]`";
    let items = reader.items(node, example)?;
    let words: Vec<_> = items.iter().filter_map(|item| reader.text(item)).collect();
    if items.is_empty() || words.iter().any(|word| word.contains('\0')) {
        reader.fault(&node.path, Fault::new("this names no program", example));
        return None;
    }
    Some(words)
}

fn absolute(text: &str) -> Result<(), Fault> {
    let path = Path::new(text);
    if path.is_absolute() && tidy(path).as_os_str() == path.as_os_str() && !text.contains('\0') {
        return Ok(());
    }
    Err(Fault::new(format!("{} is not a full path", quoted(text)), "one from `/` on and without `..`"))
}

fn host_pattern(text: &str) -> Result<(), Fault> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && (!host.contains(':') || host.ends_with(']')) => {
            (host, port)
        }
        _ => (text, "443"),
    };
    let name = host.strip_prefix("*.").unwrap_or(host);
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let good_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_'));
    if good_name && (port == "*" || port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Ok(());
    }
    let what = format!("{} is not a host to allow", quoted(text));
    Err(Fault::new(what, "`host:port`, such as `\"nas.lan:443\"` or `\"*.lan:443\"`"))
}
