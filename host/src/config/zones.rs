//! The zones, and the canaries that tell whether one is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::{Flap, Ladder, ZoneId};

use super::keys::ZONE;
use super::problem::{Fault, quoted};
use super::reader::{Node, Reader};
use super::services::Inherited;
use crate::hosts::Canary;

const MOST: usize = 10;
const EXAMPLE: &str = "such as `[https://1.1.1.1, \"192.168.1.1:53\"]`";
/// A zone is looked at this often at least, so that its return is noticed.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// Others wait for the canaries, so whoever does not answer soon has not answered.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(5);
const MOST_RETRIES: u32 = 2;

/// How it is found out whether a zone is cut off, and who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct CanaryConfig {
    /// Who is asked, at least one; the zone is cut off when nobody answers.
    pub addresses: Vec<Canary>,
    /// How often, when no service of the zone fails.
    pub interval: Duration,
    /// Immediate further attempts.
    pub retries: u32,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long the answer may take.
    pub read_timeout: Duration,
    /// Answers in a row that end it.
    pub recover_after: NonZeroU32,
    /// When the zone itself counts as flapping; never if none.
    pub flap: Option<Flap>,
    /// When, how loudly and to whom.
    pub ladder: Arc<Ladder>,
}

/// The zones as they are declared.
pub(super) struct Declared {
    pub(super) zones: BTreeSet<ZoneId>,
    addresses: BTreeMap<ZoneId, Vec<Canary>>,
}

/// The declared zones, or the usual two.
pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Declared {
    let mut declared = Declared { zones: BTreeSet::new(), addresses: BTreeMap::new() };
    if node.is_none() {
        declared.zones.extend(["local", "external"].into_iter().map(ZoneId::new));
    }
    for (name, node) in reader.named(node, "such as `{ local: {}, external: {} }`") {
        let zone = ZoneId::new(name);
        if !node.value.is_null() {
            let fields = reader.fields(Some(node), &ZONE);
            let canaries = fields.get("canaries").map(|node| read_canaries(&node, reader));
            declared.addresses.extend(canaries.map(|canaries| (zone.clone(), canaries)));
        }
        declared.zones.insert(zone);
    }
    declared
}

fn read_canaries(node: &Node<'_>, reader: &mut Reader<'_>) -> Vec<Canary> {
    let Some(items) = reader.items(node, EXAMPLE) else { return Vec::new() };
    if items.is_empty() || items.len() > MOST {
        let what = format!("a zone has 1 to {MOST} canaries, and this has {}", items.len());
        reader.fault(&node.path, Fault::new(what, format!("{EXAMPLE}, or leave the key out")));
    }
    let mut canaries = Vec::new();
    for item in items.iter().take(MOST) {
        let Some(text) = reader.text(item) else { continue };
        let read = text.trim().parse::<Canary>();
        let fault = |error| Fault::new(format!("{} {error}", quoted(&text)), EXAMPLE);
        let Some(canary) = reader.keep(&item.path, read.map_err(fault)) else { continue };
        if canaries.contains(&canary) {
            let what = format!("{} stands here twice", quoted(&text));
            reader.fault(&item.path, Fault::new(what, "keep one"));
        } else {
            canaries.push(canary);
        }
    }
    canaries
}

impl Declared {
    /// How the zones with canaries are watched: at the pace of services that say nothing themselves, but no slower than
    /// is good for whoever waits for the answer.
    pub(super) fn canaries(self, inherited: &Inherited) -> BTreeMap<ZoneId, CanaryConfig> {
        let pace = &inherited.pace;
        let watched = |addresses| CanaryConfig {
            addresses,
            interval: pace.interval.min(LONGEST_INTERVAL),
            retries: pace.retries.min(MOST_RETRIES),
            connect_timeout: pace.connect_timeout.min(LONGEST_TIMEOUT),
            read_timeout: pace.read_timeout.min(LONGEST_TIMEOUT),
            recover_after: pace.recover_after,
            flap: pace.flap,
            ladder: inherited.ladder.clone(),
        };
        let some = self.addresses.into_iter().filter(|(_, addresses)| !addresses.is_empty());
        some.map(|(zone, addresses)| (zone, watched(addresses))).collect()
    }
}
