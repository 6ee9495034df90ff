//! Which services depend on which: by their names, and not in a circle.

use std::collections::{BTreeMap, BTreeSet};

use pihook_core::ServiceId;

use super::ladder::unknown;
use super::lines::below;
use super::problem::{Fault, quoted};
use super::reader::{Fields, Reader};
use super::services::ServiceConfig;

const MOST: usize = 20;
const EXAMPLE: &str = "a list of services, such as `[Router]`";
/// So many names of a circle are told.
const MOST_TOLD: usize = 6;

/// The names in a service's `depends_on`, each with its path.
pub(super) type Named = Vec<(String, String)>;

pub(super) fn read(fields: &Fields<'_>, reader: &mut Reader<'_>) -> Named {
    let Some(node) = fields.get("depends_on") else { return Vec::new() };
    let Some(items) = reader.items(&node, EXAMPLE) else { return Vec::new() };
    if items.len() > MOST {
        let what = format!("these are {} services", items.len());
        reader.fault(
            &node.path,
            Fault::new(what, format!("at most {MOST}: what they depend on counts anyway")),
        );
    }
    let mut named = Named::new();
    for item in items.into_iter().take(MOST) {
        let Some(name) = reader.text(&item) else { continue };
        if named.iter().any(|(_, other)| *other == name) {
            let what = format!("{} stands here twice", quoted(&name));
            reader.fault(&item.path, Fault::new(what, "keep one"));
        } else {
            named.push((item.path, name));
        }
    }
    named
}

/// Finds the services that are named, by name or id. `names` are all that the file has, also of services with mistakes.
/// `depends` has what each service names, by its path.
pub(super) fn link(
    services: &mut [ServiceConfig],
    mut depends: BTreeMap<String, Named>,
    names: &[&str],
    reader: &mut Reader<'_>,
) {
    let ids = |service: &ServiceConfig| (service.service.id.to_string(), service.service.id.clone());
    let mut known: BTreeMap<String, ServiceId> = services.iter().map(ids).collect();
    known.extend(
        services.iter().map(|service| (service.service.name.to_string(), service.service.id.clone())),
    );
    for config in services.iter_mut() {
        let service = &mut config.service;
        for (path, name) in depends.remove(&config.path).unwrap_or_default() {
            match known.get(&name) {
                Some(id) if *id == service.id => {
                    reader.fault(&path, Fault::new("a service cannot depend on itself", "remove it here"));
                }
                Some(id) if service.depends_on.contains(id) => {
                    let what = format!("{} stands here by its name and by its id", quoted(&name));
                    reader.fault(&path, Fault::new(what, "keep one"));
                }
                Some(id) => service.depends_on.push(id.clone()),
                None if names.contains(&name.as_str()) => {}
                None => reader.fault_by(&path, || unknown("service", &name, names, "add it to `services:`")),
            }
        }
    }
    for circle in circles(services) {
        let in_circle: Vec<&ServiceConfig> = circle.iter().filter_map(|index| services.get(*index)).collect();
        let Some(first) = in_circle.first() else { continue };
        let mut told: Vec<&str> = in_circle.iter().take(MOST_TOLD).map(|it| &*it.service.name).collect();
        told.extend((in_circle.len() > MOST_TOLD).then_some("…"));
        told.push(&first.service.name);
        let what = format!("this goes round in a circle: {}", told.join(" → "));
        let remedy = "each service depends only on what is needed to reach it: remove one of these";
        reader.fault(&below(&first.path, "depends_on"), Fault::new(what, remedy));
    }
}

/// Circles of dependencies, each once, beginning with the service that comes first in the file.
fn circles(services: &[ServiceConfig]) -> Vec<Vec<usize>> {
    let index: BTreeMap<&ServiceId, usize> =
        services.iter().zip(0..).map(|(config, index)| (&config.service.id, index)).collect();
    let depends_on = |of: usize| {
        let ids = services.get(of).into_iter().flat_map(|config| &config.service.depends_on);
        ids.filter_map(|id| index.get(id).copied())
    };
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..services.len() {
        // The way from the start, each with those of its dependencies that are still to be looked at.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        if done.insert(start) {
            way.push((start, depends_on(start).collect()));
        }
        while let Some((_, next)) = way.last_mut() {
            let Some(next) = next.pop() else {
                way.pop();
                continue;
            };
            if done.insert(next) {
                way.push((next, depends_on(next).collect()));
            } else if let Some(place) = way.iter().position(|(passed, _)| *passed == next) {
                let mut circle: Vec<usize> = way.iter().skip(place).map(|(index, _)| *index).collect();
                let first =
                    circle.iter().enumerate().min_by_key(|(_, index)| **index).map_or(0, |(at, _)| at);
                circle.rotate_left(first);
                found.push(circle);
            }
        }
    }
    found
}
