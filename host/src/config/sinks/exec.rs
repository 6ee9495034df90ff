//! A program of one's own.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::{Manner, SinkConfig, SinkKind, required};
use crate::config::keys::EXEC;
use crate::config::problem::Fault;
use crate::config::reader::{Node, Reader};

const COMMAND: &str = "such as `[/usr/local/bin/notify, --loud]`";
const GRANT: &str = "`allow: exec`, if whoever may write to this file may run programs as PiHook's user";
const TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);
const MOST_ARGUMENTS: usize = 50;

/// A sink that runs a program.
pub(super) fn read(node: Node<'_>, reader: &mut Reader<'_>) -> Option<SinkConfig> {
    let fields = reader.fields(Some(node), &EXEC);
    let command = required(&fields, "command", COMMAND, reader).and_then(|node| read_command(&node, reader));
    let timeout = match fields.get("timeout") {
        Some(node) => reader.duration(&node, &TIMEOUTS),
        None => Some(TIMEOUT),
    };
    let granted = match fields.get("allow") {
        Some(Node { value: Value::String(word), .. }) if word == "exec" => true,
        Some(node) => {
            reader.fault(&node.path, Fault::new("this allows nothing that is known", GRANT));
            false
        }
        None => {
            let what = "a sink that runs a program has all rights of PiHook, and nobody has allowed that";
            reader.fault(&fields.path, Fault::new(what, GRANT));
            false
        }
    };
    let manner = Manner::read("exec", &fields, reader);
    let kind = SinkKind::Exec { command: command?, timeout: timeout? };
    granted.then(|| manner.of(kind))
}

fn read_command(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let nodes = reader.items(node, COMMAND)?;
    if nodes.is_empty() || nodes.len() > MOST_ARGUMENTS {
        let what = "this is no program with up to 49 arguments";
        reader.fault(&node.path, Fault::new(what, COMMAND));
        return None;
    }
    // Not secret: everybody on the machine can see the arguments of a program that runs.
    let command: Vec<String> = nodes.iter().map(|node| reader.text(node)).collect::<Option<_>>()?;
    let absolute = command.first().is_some_and(|program| program.starts_with('/'));
    let good = absolute && !command.iter().any(|part| part.contains('\0'));
    let fault = || Fault::new("the program must be named by its absolute path", COMMAND);
    reader.keep(&node.path, good.then_some(command).ok_or_else(fault))
}
