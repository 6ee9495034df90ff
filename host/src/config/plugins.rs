//! Plugins that do not come with PiHook, and what they may do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{ALLOW, PLUGIN, listed};
use super::load::tidy;
use super::problem::{Fault, quoted};
use super::reader::{Node, Reader};
use crate::hosts::{HostPattern, PatternError};
use crate::machine::Machine;
use crate::paths::{PathError, PathPattern};

const EXAMPLE: &str = "such as `my-check: { file: plugins/my_check.wasm }`";
const COMMAND: &str = "such as `smart: [smartctl, --json, -H, /dev/sda]`";
const MEMORY: RangeInclusive<u64> = 1 << 20..=1 << 30;
/// Words of a command.
const MOST_WORDS: usize = 100;
const CPU: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30);

/// One plugin's file, grants and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// The component; none for a plugin that comes with PiHook.
    pub file: Option<PathBuf>,
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
    /// Hosts that it may reach by something else than HTTP.
    pub network: Vec<HostPattern>,
    /// What the machine may tell it of itself.
    pub machine: BTreeSet<Machine>,
    /// Files and folders that it may read.
    pub files: Vec<PathPattern>,
    /// Commands that it may run, by their names: a program and its arguments.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Sockets of Docker and Podman that it may ask, by their absolute paths.
    pub sockets: Vec<PathBuf>,
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
    let fields = reader.fields(Some(node), &PLUGIN);
    let file = fields.get("file").map(|node| reader.path(&node));
    let sha256 = fields.get("sha256").and_then(|node| {
        let text = reader.text(&node)?.to_ascii_lowercase();
        let good = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
        let fault = || {
            Fault::new("this is not a SHA-256 digest", "64 hexadecimal digits, as `sha256sum FILE` prints")
        };
        reader.keep(&node.path, good.then_some(text).ok_or_else(fault))
    });
    if let Some(node) = fields.get("sha256").filter(|_| file.is_none()) {
        reader.fault(&node.path, Fault::new("there is no `file` that this could be the digest of", EXAMPLE));
    }
    let allow = fields.get("allow").map(|node| read_allow(node, reader)).unwrap_or_default();
    let memory = fields.get("memory").and_then(|node| reader.size(&node, &MEMORY));
    let cpu = fields.get("cpu").and_then(|node| reader.duration(&node, &CPU));
    // All mistakes are told, and then what is not the path of a file is no plugin.
    let file = match file {
        Some(path) => Some(tidy(&data_dir.join(path?))),
        None => None,
    };
    Some(PluginConfig { file, sha256, allow, memory, cpu })
}

fn read_allow(node: Node<'_>, reader: &mut Reader<'_>) -> Allow {
    let fields = reader.fields(Some(node), &ALLOW);
    Allow {
        http: read_hosts(
            fields.get("http"),
            "`host`, `host:port` or `*.domain`, such as `\"nas.lan:8080\"` or `\"*.lan\"`",
            reader,
        ),
        network: read_hosts(
            fields.get("network"),
            "`host`, `host:port` or `*.domain`, such as `\"nas.lan:22\"` or `\"*.lan\"`",
            reader,
        ),
        machine: read_machine(fields.get("machine"), reader),
        files: read_files(fields.get("files"), reader),
        commands: read_commands(fields.get("commands"), reader),
        sockets: read_sockets(fields.get("sockets"), reader),
    }
}

fn read_hosts(node: Option<Node<'_>>, remedy: &str, reader: &mut Reader<'_>) -> Vec<HostPattern> {
    let hosts = node.and_then(|node| reader.items(&node, "a list of hosts, such as `[\"*.lan:443\"]`"));
    let host = |node: Node<'_>| {
        let text = reader.text(&node)?;
        let fault = |error: PatternError| {
            Fault::new(format!("{} is not a host to allow: {error}", quoted(&text)), remedy)
        };
        reader.keep(&node.path, text.parse().map_err(fault))
    };
    hosts.unwrap_or_default().into_iter().filter_map(host).collect()
}

fn read_machine(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> BTreeSet<Machine> {
    let names = Machine::ALL.map(|(name, _)| name);
    let items = node.and_then(|node| reader.items(&node, "a list, such as `[filesystems]`"));
    let known = |node: Node<'_>| {
        let text = reader.text(&node)?;
        let found = Machine::ALL.iter().find(|(name, _)| *name == text).map(|(_, machine)| *machine);
        let fault = || {
            let what = format!("{} is nothing that the machine tells", quoted(&text));
            Fault::new(what, format!("one of {}", listed(&names)))
        };
        reader.keep(&node.path, found.ok_or_else(fault))
    };
    items.unwrap_or_default().into_iter().filter_map(known).collect()
}

fn read_files(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Vec<PathPattern> {
    let paths = node.and_then(|node| reader.items(&node, "a list of paths, such as `[/proc/mdstat]`"));
    let path = |node: Node<'_>| {
        let text = reader.text(&node)?;
        let fault = |error: PathError| {
            let what = format!("{} is not a path to allow: {error}", quoted(&text));
            Fault::new(
                what,
                "an absolute path such as `/proc/mdstat`, `/sys/fs/ext4/*/errors_count` or `/var/log/apt/**`",
            )
        };
        reader.keep(&node.path, text.parse().map_err(fault))
    };
    paths.unwrap_or_default().into_iter().filter_map(path).collect()
}

fn read_sockets(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Vec<PathBuf> {
    let items = node.and_then(|node| reader.items(&node, "a list, such as `[/run/docker.sock]`"));
    let socket = |node: Node<'_>| {
        let text = reader.text(&node)?;
        let absolute = text.starts_with('/') && !text.contains('\0');
        let fault = || {
            let what = format!("{} is not an absolute path", quoted(&text));
            Fault::new(what, "the socket's whole path, such as `/run/docker.sock`")
        };
        reader.keep(&node.path, absolute.then(|| PathBuf::from(&text)).ok_or_else(fault))
    };
    items.unwrap_or_default().into_iter().filter_map(socket).collect()
}

fn read_commands(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> BTreeMap<String, Vec<String>> {
    let entries = reader.named(node, COMMAND);
    entries
        .into_iter()
        .filter_map(|(name, node)| Some((name.to_owned(), read_command(&node, reader)?)))
        .collect()
}

/// A program and its arguments, or none after its mistakes are noted.
fn read_command(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let items = reader.items(node, COMMAND)?;
    if items.len() > MOST_WORDS {
        let what = format!("this command has {} words", items.len());
        reader.fault(&node.path, Fault::new(what, format!("at most {MOST_WORDS} of them")));
        return None;
    }
    let words: Vec<Option<String>> = items
        .iter()
        .map(|node| {
            let text = reader.text(node)?;
            let fault = || Fault::new("this holds a NUL character", "a word without one");
            reader.keep(&node.path, (!text.contains('\0')).then_some(text).ok_or_else(fault))
        })
        .collect();
    let words = words.into_iter().collect::<Option<Vec<_>>>()?;
    let Some(program) = words.first().filter(|program| !program.trim().is_empty()) else {
        reader.fault(&node.path, Fault::new("this command has no program to run", COMMAND));
        return None;
    };
    if program.contains('/') && !program.starts_with('/') {
        let what = format!("{} is a relative path", quoted(program));
        let remedy = "a program's name, or an absolute path such as `/usr/sbin/smartctl`";
        reader.fault(&node.path, Fault::new(what, remedy));
        return None;
    }
    Some(words)
}
