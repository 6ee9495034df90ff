//! Who is told that checks are being made.

use std::ops::RangeInclusive;
use std::time::Duration;

use pihook_core::Secret;
use url::Url;

use super::keys::WATCHDOG;
use super::problem::Fault;
use super::reader::{Node, Reader};

const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(86_400);
const ADDRESS: &str = "the address that the dead man's switch gives out, best as \"${HEALTHCHECK_URL}\"";

/// A dead man's switch elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// Where signs of life go; of `http` or `https`.
    pub url: Secret,
    /// How often.
    pub interval: Duration,
}

pub(super) fn read(node: Option<Node<'_>>, reader: &mut Reader<'_>) -> Option<Watchdog> {
    let fields = reader.fields(Some(node?), &WATCHDOG);
    let interval = fields.get("interval").and_then(|node| reader.duration(&node, &INTERVAL));
    let Some(node) = fields.get("url") else {
        reader.fault(&fields.path, Fault::new("`url` is missing", ADDRESS));
        return None;
    };
    let url = reader.secret(&node)?;
    let checked = address(&url);
    reader.keep(&node.path, checked)?;
    Some(Watchdog { url, interval: interval.unwrap_or(Duration::from_secs(60)) })
}

/// Checks the address without ever showing it.
fn address(url: &Secret) -> Result<(), Fault> {
    match Url::parse(url.expose()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(_) => Err(Fault::new("an address of the web starts with `https://` or `http://`", ADDRESS)),
        Err(_) => Err(Fault::new("this is not a web address", ADDRESS)),
    }
}
