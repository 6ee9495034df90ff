//! How often a service is checked, how patiently, and when it counts as well again.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use pihook_core::Flap;

use super::flap;
use super::keys::DEFAULTS;
use super::problem::Fault;
use super::reader::{Fields, Node, Reader};
use super::values::shown_duration;

const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(300);
const RETRIES: RangeInclusive<u32> = 0..=10;
const RECOVERIES: RangeInclusive<u32> = 1..=100;

/// What `defaults:` sets and every service may override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) retries: u32,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) recover_after: NonZeroU32,
    /// None if flapping is not watched.
    pub(super) flap: Option<Flap>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            retries: 2,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(10),
            recover_after: NonZeroU32::MIN,
            flap: Some(Flap::default()),
        }
    }
}

pub(super) fn read_defaults(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Pace {
    let fields = reader.fields(node, &DEFAULTS);
    read(&fields, &Pace::default(), reader)
}

/// The pace of a mapping that may set each of its parts; the others are inherited.
pub(super) fn read(fields: &Fields<'_>, inherited: &Pace, reader: &mut Reader<'_>) -> Pace {
    let interval = fields.get("interval").and_then(|node| reader.duration(&node, &INTERVALS));
    let interval = interval.unwrap_or(inherited.interval);
    let retries = fields.get("retries").and_then(|node| reader.count(&node, &RETRIES));
    let recover_after = fields.get("recover_after").and_then(|node| reader.count(&node, &RECOVERIES));
    let flap = match fields.get("flap") {
        Some(node) => flap::read(&node, inherited.flap, reader),
        None => inherited.flap,
    };
    let mut timeout = |key| {
        let node = fields.get(key)?;
        let timeout = reader.duration(&node, &TIMEOUTS)?;
        if timeout > interval {
            let what = format!(
                "the timeout {} is longer than the interval {}",
                shown_duration(&timeout),
                shown_duration(&interval)
            );
            reader.fault(
                &node.path,
                Fault::new(what, "a timeout of at most the interval, or a longer interval"),
            );
        }
        Some(timeout)
    };
    Pace {
        interval,
        retries: retries.unwrap_or(inherited.retries),
        connect_timeout: timeout("connect_timeout").unwrap_or(inherited.connect_timeout),
        read_timeout: timeout("read_timeout").unwrap_or(inherited.read_timeout),
        recover_after: recover_after.and_then(NonZeroU32::new).unwrap_or(inherited.recover_after),
        flap,
    }
}
