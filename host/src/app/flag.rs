//! The maintenance flag as a configuration understands it.

use pihook_core::Timestamp;
use pihook_core::maintenance::Flag;
use tracing::{debug, info, warn};

use crate::config::{Config, ServiceConfig};
use crate::maintenance::FlagFile;
use crate::words::local;

/// The services of this id or name. Case does not matter, unless it tells two apart.
#[must_use]
pub fn services_named<'a>(config: &'a Config, name: &str) -> Vec<&'a ServiceConfig> {
    let named = |same: &dyn Fn(&str) -> bool| -> Vec<&'a ServiceConfig> {
        let all = config.services.iter();
        all.filter(|it| same(it.service.id.as_str()) || same(&it.service.name)).collect()
    };
    let exact = named(&|known| known == name);
    let lower = name.to_lowercase();
    if exact.is_empty() { named(&|known| known.to_lowercase() == lower) } else { exact }
}

/// The zone of this name, with the case of services.yaml.
#[must_use]
pub fn zone_named<'a>(config: &'a Config, name: &str) -> Option<&'a str> {
    let zones = || config.zones.iter().map(pihook_core::ZoneId::as_str);
    let lower = name.to_lowercase();
    zones().find(|zone| *zone == name).or_else(|| zones().find(|zone| zone.to_lowercase() == lower))
}

/// What the flag means for a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// For the monitor: with ids in place of names. None if there is no flag.
    pub flag: Option<Flag>,
    /// In the words of the file.
    written: Option<Flag>,
    problem: Option<String>,
    unknown: Vec<String>,
}

/// Looks up whom the flag names. What nobody is called stays in it, so that it cannot become empty and mute everything.
#[must_use]
pub fn understand(file: FlagFile, config: &Config) -> Understood {
    let FlagFile { flag: written, problem } = file;
    let mut unknown = Vec::new();
    let flag = written.clone().map(|mut flag| {
        let mut services = Vec::new();
        for name in flag.services {
            let found = services_named(config, &name);
            services.extend(found.iter().map(|found| found.service.id.to_string()));
            if found.is_empty() {
                unknown.push(format!("a service {name:?}"));
                services.push(name);
            }
        }
        flag.services = services;
        for zone in &mut flag.zones {
            match zone_named(config, zone) {
                Some(known) => known.clone_into(zone),
                None => unknown.push(format!("a zone {zone:?}")),
            }
        }
        flag
    });
    Understood { flag, written, problem, unknown }
}

impl Understood {
    /// Whether alerts are muted, whose, until when and why: a heading, and the rest of the sentence.
    #[must_use]
    pub fn describe(&self, now: Timestamp) -> (&'static str, String) {
        let Some(flag) = &self.written else {
            return ("maintenance is off:", "alerts are sent".to_owned());
        };
        if flag.until.is_some_and(|until| until <= now) {
            return ("maintenance is over:", "the flag's time has passed, alerts are sent".to_owned());
        }
        let zones = flag.zones.iter().map(|zone| format!("the zone {zone}"));
        let covered: Vec<String> = flag.services.iter().cloned().chain(zones).collect();
        let what = if covered.is_empty() { "everything".to_owned() } else { covered.join(", ") };
        let until = flag
            .until
            .map_or_else(|| "`pihook maintenance off`".to_owned(), |until| local(until, "%Y-%m-%d %H:%M %Z"));
        let reason = flag.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        ("maintenance is on:", format!("alerts are muted for {what} until {until}{reason}"))
    }

    /// What whoever wrote the flag may not have meant.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let problem = self.problem.iter();
        let problem =
            problem.map(|problem| format!("the flag file counts as full maintenance, since {problem}"));
        problem.chain(self.unknown.iter().map(|what| {
            format!("the flag file names {what}, which services.yaml does not have: that mutes nothing")
        }))
    }

    /// Logs all of it.
    pub(super) fn announce(&self, now: Timestamp) {
        let (heading, rest) = self.describe(now);
        if self.flag.is_some() {
            info!("{heading} {rest}");
        } else {
            debug!("{heading} {rest}");
        }
        self.warnings().for_each(|warning| warn!("{warning}"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Surroundings, parse};
    use crate::maintenance;

    fn config() -> Config {
        let text = "
zones: { Attic: {} }
services:
  - { name: Big NAS, zone: Attic, url: 'http://127.0.0.1/' }
  - { name: web, id: a, zone: Attic, url: 'http://127.0.0.1/' }
  - { name: WEB, id: b, zone: Attic, url: 'http://127.0.0.1/' }
";
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &|_| None,
            read_file: &|_| Err(std::io::Error::other("none")),
        };
        parse(text.as_bytes(), &surroundings).unwrap()
    }

    fn understood(text: &str) -> Understood {
        understand(FlagFile { flag: Some(maintenance::parse(text).unwrap()), problem: None }, &config())
    }

    #[track_caller]
    fn check(text: &str, services: &[&str], zones: &[&str], warnings: usize) {
        let understood = understood(text);
        let flag = understood.flag.as_ref().unwrap();
        assert_eq!((flag.services.as_slice(), flag.zones.as_slice()), (&*own(services), &*own(zones)));
        assert_eq!(understood.warnings().count(), warnings, "{understood:?}");
    }

    fn own(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn case_matters_only_where_it_tells_two_apart() {
        check("services: [BIG nas]", &["big-nas"], &[], 0);
        check("services: [big-nas]", &["big-nas"], &[], 0);
        check("services: [WEB]", &["b"], &[], 0);
        check("services: [Web]", &["a", "b"], &[], 0);
        check("zones: [attic]", &[], &["Attic"], 0);
    }

    #[test]
    fn a_name_that_nobody_has_is_told_and_does_not_mute_everything() {
        check("services: [NSA]", &["NSA"], &[], 1);
        check("services: [NSA, Big NAS]\nzones: [cellar]", &["NSA", "big-nas"], &["cellar"], 2);
        let now = Timestamp::UNIX_EPOCH;
        let flag = understood("services: [NSA]").flag.unwrap();
        assert!(!config().services.iter().any(|service| flag.covers(&service.service, now)));
    }

    #[test]
    fn it_says_what_is_muted_until_when() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let say = |text| {
            let (heading, rest) = understood(text).describe(now);
            format!("{heading} {rest}")
        };
        assert_eq!(
            say(""),
            "maintenance is on: alerts are muted for everything until `pihook maintenance off`"
        );
        assert_eq!(
            say("services: [web]\nzones: [Attic]\nreason: dust"),
            "maintenance is on: alerts are muted for web, the zone Attic until `pihook maintenance off` (dust)"
        );
        assert!(say("until: 2026-11-22T11:59:00Z").starts_with("maintenance is over:"));
        let off = understand(FlagFile { flag: None, problem: None }, &config());
        assert_eq!(off.describe(now).0, "maintenance is off:");
    }
}
