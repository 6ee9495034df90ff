//! When it is told that PiHook has started.

use pihook_core::absence::Policy;

use super::ladder::unknown;
use super::reader::{Node, Reader};

pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Policy {
    let policy = node.and_then(|node| {
        let text = reader.text(&node)?;
        let policy = Policy::parse(&text)
            .ok_or_else(|| unknown("start-up message", &text, &Policy::ALL.map(Policy::as_str), ""));
        reader.keep(&node.path, policy)
    });
    policy.unwrap_or_default()
}
