//! The services: who they are, in which zone, under which names.

use std::collections::BTreeMap;
use std::sync::Arc;

use pihook_core::{Cadence, Ladder, Service, ServiceId, ZoneId};

use super::check::{self, CheckConfig};
use super::depends::{self, Named};
use super::keys::SERVICE;
use super::ladder::{Known, read_degraded, read_formatter, read_ladder, unknown, worded_by};
use super::lines::below;
use super::pace::{self, Pace};
use super::problem::{Fault, quoted};
use super::reader::{Fields, Node, Reader};

const MOST: usize = 1000;
const LONGEST_NAME: usize = 100;
const EXAMPLE: &str = "such as `- { name: Jellyfin, url: \"http://192.168.1.10:8096/health\" }`";

/// One service and its check.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceConfig {
    /// What decisions need.
    pub service: Service,
    /// The question that it asks.
    pub check: CheckConfig,
    /// Where it stands in the file, as `services[2]`.
    pub path: String,
    has_short_url: bool,
}

impl ServiceConfig {
    /// The path in the file of something below this service's settings, such as `expect.status`, as a plugin names
    /// it; empty for the settings as a whole.
    #[must_use]
    pub fn path_of_setting(&self, inside: &str) -> String {
        match inside {
            "url" if self.has_short_url => format!("{}.url", self.path),
            "" => format!("{}.settings", self.path),
            _ if inside.starts_with('[') => format!("{}.settings{inside}", self.path),
            _ => format!("{}.settings.{inside}", self.path),
        }
    }
}

/// What a service takes over where it says nothing itself.
pub(super) struct Inherited {
    pub(super) pace: Pace,
    pub(super) ladder: Arc<Ladder>,
    pub(super) degraded: Option<Arc<Ladder>>,
}

/// The names that are taken, each with the path of its owner.
#[derive(Default)]
struct Taken {
    names: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
    /// What each service depends on, by its path.
    depends: BTreeMap<String, Named>,
}

pub(super) fn read(
    node: Option<Node<'_>>,
    known: &Known<'_>,
    inherited: &Inherited,
    reader: &mut Reader<'_>,
) -> Vec<ServiceConfig> {
    let Some(node) = node else {
        // A file that was emptied by accident must not pass for one that watches nothing.
        let remedy = format!("a list of services, {EXAMPLE}; `services: []` for none");
        reader.fault("services", Fault::new("there is no list of services", remedy));
        return Vec::new();
    };
    let items = reader.items(&node, EXAMPLE).unwrap_or_default();
    if let Some(beyond) = items.get(MOST) {
        let fault =
            Fault::new(format!("these are more than {MOST} services"), "fewer services, or a second PiHook");
        reader.fault(&beyond.path, fault);
    }
    let mut taken = Taken::default();
    let read = |node: Node<'_>| read_service(node, known, inherited, &mut taken, reader);
    let mut services: Vec<ServiceConfig> = items.into_iter().take(MOST).filter_map(read).collect();
    let names: Vec<&str> = taken.names.keys().chain(taken.ids.keys()).map(String::as_str).collect();
    depends::link(&mut services, taken.depends, &names, reader);
    services
}

fn read_service(
    node: Node<'_>,
    known: &Known<'_>,
    inherited: &Inherited,
    taken: &mut Taken,
    reader: &mut Reader<'_>,
) -> Option<ServiceConfig> {
    let is_mapping = node.value.is_object();
    let path = node.path.clone();
    let fields = reader.fields(Some(node), &SERVICE);
    if !is_mapping {
        return None;
    }
    let name = read_name(&fields, taken, reader);
    let id = read_id(&fields, name.as_deref(), taken, reader);
    let zone = read_zone(&fields, known, reader);
    let pace = pace::read(&fields, &inherited.pace, reader);
    let ladder = match fields.get("escalation") {
        Some(node) => read_ladder(Some(node), known, reader),
        None => inherited.ladder.clone(),
    };
    let degraded = match fields.get("escalation_degraded") {
        Some(node) => Some(read_degraded(&node, &ladder, known, reader)),
        // Who brings a ladder brings it for all.
        None if fields.get("escalation").is_some() => None,
        None => inherited.degraded.clone(),
    };
    let formatter = fields.get("formatter").and_then(|node| read_formatter(&node, reader));
    let worded = |ladder: Arc<Ladder>| match &formatter {
        Some(formatter) => Arc::new(worded_by(formatter, &ladder)),
        None => ladder,
    };
    let check = check::read(&fields, &pace, reader);
    taken.depends.insert(path.clone(), depends::read(&fields, reader));
    let service = Service {
        id: id?,
        name: Arc::from(name?),
        zone: zone?,
        cadence: Cadence::Every(pace.interval),
        recover_after: pace.recover_after,
        depends_on: Vec::new(),
        flap: pace.flap,
        degraded: degraded.map(worded),
        ladder: worded(ladder),
    };
    Some(ServiceConfig { service, check: check?, path, has_short_url: fields.get("url").is_some() })
}

fn read_name(fields: &Fields<'_>, taken: &mut Taken, reader: &mut Reader<'_>) -> Option<String> {
    let Some(node) = fields.get("name") else {
        reader.fault(&fields.path, Fault::new("`name` is missing", "`name: Jellyfin`, say"));
        return None;
    };
    let name = reader.text(&node)?.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        let remedy = format!("1 to {LONGEST_NAME} characters on one line");
        reader.fault(&node.path, Fault::new("this cannot be a name", remedy));
        return None;
    }
    if let Some(owner) = taken.names.get(&name) {
        let what =
            format!("{} is the name of `{owner}` already, in line {}", quoted(&name), reader.line(owner));
        reader.fault(&node.path, Fault::new(what, "a name that no other service has"));
        return None;
    }
    taken.names.insert(name.clone(), fields.path.clone());
    Some(name)
}

fn read_id(
    fields: &Fields<'_>,
    name: Option<&str>,
    taken: &mut Taken,
    reader: &mut Reader<'_>,
) -> Option<ServiceId> {
    let (path, id) = match fields.get("id") {
        Some(node) => {
            let id = reader.text(&node)?;
            if !is_id(&id) {
                let what = format!("{} cannot be an id", quoted(&id));
                let remedy = match slug(&id) {
                    slug if slug.is_empty() => {
                        "up to 100 of the characters `a`-`z`, `0`-`9`, `-` and `_`".to_owned()
                    }
                    slug => format!("small letters, digits, `-` and `_`, such as `{slug}`"),
                };
                reader.fault(&node.path, Fault::new(what, remedy));
                return None;
            }
            (node.path, id)
        }
        None => (below(&fields.path, "name"), slug(name?)),
    };
    if id.is_empty() {
        let fault =
            Fault::new("this name has no letter or digit to make an id of", "add one: `id: my-service`");
        reader.fault(&path, fault);
        return None;
    }
    if let Some(owner) = taken.ids.get(&id) {
        let what = format!("the id `{id}` is that of `{owner}` already, in line {}", reader.line(owner));
        reader.fault(&path, Fault::new(what, format!("give this one an id of its own: `id: {id}-2`")));
        return None;
    }
    taken.ids.insert(id.clone(), fields.path.clone());
    Some(ServiceId::new(&id))
}

fn read_zone(fields: &Fields<'_>, known: &Known<'_>, reader: &mut Reader<'_>) -> Option<ZoneId> {
    let (path, name) = match fields.get("zone") {
        Some(node) => (node.path.clone(), reader.text(&node)?),
        None => (fields.path.clone(), "local".to_owned()),
    };
    let zone = ZoneId::new(&name);
    if known.zones.contains(&zone) {
        return Some(zone);
    }
    reader.fault_by(&path, || {
        let names: Vec<_> = known.zones.iter().map(ZoneId::as_str).collect();
        unknown("zone", &name, &names, "declare it under `zones:`")
    });
    None
}

fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(allowed)
}

/// The id that a name gives: ASCII letters and digits in lower case, anything else as one `-` between them.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_an_id_or_empty() {
        for (name, expected) in [
            ("Jellyfin", "jellyfin"),
            ("Root disk", "root-disk"),
            ("  My NAS (new!)  ", "my-nas-new"),
            ("a__b--c", "a-b-c"),
            ("Küche", "k-che"),
            ("日本", ""),
            ("...", ""),
        ] {
            assert_eq!(slug(name), expected, "{name}");
            assert!(expected.is_empty() || is_id(expected), "{expected}");
        }
    }
}
