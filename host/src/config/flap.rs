//! When a service counts as flapping.

use std::ops::RangeInclusive;

use pihook_core::Flap;
use pihook_core::flap::{LEAST_WINDOW, MOST_WINDOW};

use super::keys::FLAP;
use super::lines::below;
use super::problem::Fault;
use super::reader::{Node, Reader};

const WINDOWS: RangeInclusive<u32> = LEAST_WINDOW..=MOST_WINDOW;
const HIGH: RangeInclusive<u32> = 2..=100;
const LOW: RangeInclusive<u32> = 1..=99;

/// `off`, or a mapping that inherits what it does not say.
pub(super) fn read(node: &Node<'_>, inherited: Option<Flap>, reader: &mut Reader<'_>) -> Option<Flap> {
    if node.value.as_str() == Some("off") || node.value.as_bool() == Some(false) {
        return None;
    }
    let inherited = inherited.unwrap_or_default();
    let fields = reader.fields(Some(node.clone()), &FLAP);
    let window = fields.get("window").and_then(|node| reader.count(&node, &WINDOWS));
    let mut share = |key, range| fields.get(key).and_then(|node| reader.percent(&node, range));
    let (high, low) = (share("high", &HIGH), share("low", &LOW));
    let flap = Flap {
        window: window.unwrap_or(inherited.window),
        high: high.unwrap_or(inherited.high),
        low: low.unwrap_or(inherited.low),
    };
    if flap.low >= flap.high && (high.is_some() || low.is_some()) {
        let path = below(&node.path, if low.is_some() { "low" } else { "high" });
        let what = format!("`low`, {}%, is not below `high`, {}%", flap.low, flap.high);
        reader.fault(
            &path,
            Fault::new(what, "a lower `low` or a higher `high`, such as `{ high: 50%, low: 25% }`"),
        );
    }
    Some(flap)
}
