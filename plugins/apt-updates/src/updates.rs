//! Which installed packages have a newer version, by apt's rules without pins.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::stanza::Stanza;
use crate::version::compare;

/// The priority of what is installed, in apt's own status file.
const INSTALLED: i32 = 100;

/// An installed package and the versions that the lists have of it.
#[derive(Debug)]
struct Package {
    version: Vec<u8>,
    hold: Hold,
    offers: Vec<Offer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Free,
    Held,
}

/// A version in the lists.
#[derive(Debug)]
struct Offer {
    version: Vec<u8>,
    priority: i32,
    security: Security,
    phasing: Phasing,
}

/// Whether a version comes from where security fixes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Security {
    /// It does not.
    No,
    /// It does.
    Fix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phasing {
    /// Everybody gets it.
    All,
    /// Some machines get it already.
    Some,
}

/// A list's place among the others.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Its priority.
    pub priority: i32,
    /// What it brings.
    pub security: Security,
}

/// The installed packages, and what is known of newer versions.
#[derive(Debug, Default)]
pub struct Packages {
    /// By name, and then by architecture.
    by_name: BTreeMap<Vec<u8>, Vec<(Vec<u8>, Package)>>,
    /// The architecture of dpkg itself.
    native: Vec<u8>,
}

/// What is to be done, by apt's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Updates {
    /// Packages with a newer version, those with a security fix first, each group by name.
    pub pending: Vec<String>,
    /// How many of them bring a security fix: they are the first ones.
    pub security: usize,
    /// Packages that are held back by `apt-mark hold`.
    pub held: Vec<String>,
    /// Packages whose newer version has not reached every machine yet.
    pub phased: Vec<String>,
    /// Packages that are installed.
    pub installed: usize,
}

impl Packages {
    /// Takes a stanza of dpkg's status file in.
    pub fn installed(&mut self, stanza: &Stanza) {
        let mut words = stanza.status.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let (want, _error, state) = (words.next(), words.next(), words.next());
        // Triggers that are still to run change nothing about what is installed.
        let there = [&b"installed"[..], b"triggers-awaited", b"triggers-pending"];
        if !state.is_some_and(|state| there.contains(&state)) || stanza.version.is_empty() {
            return;
        }
        if stanza.package == b"dpkg" {
            self.native.clone_from(&stanza.architecture);
        }
        let hold = if want == Some(b"hold") { Hold::Held } else { Hold::Free };
        let package = Package { version: stanza.version.clone(), hold, offers: Vec::new() };
        self.by_name.entry(stanza.package.clone()).or_default().push((stanza.architecture.clone(), package));
    }

    /// Whether a package of this name is installed.
    #[must_use]
    pub fn has(&self, name: &[u8]) -> bool {
        self.by_name.contains_key(name)
    }

    /// Whether nothing is installed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Takes a stanza of a list in.
    pub fn offered(&mut self, stanza: &Stanza, origin: Origin) {
        let native = self.native.as_slice();
        let Some(same_name) = self.by_name.get_mut(&stanza.package) else { return };
        // What is for all architectures counts as native, on both sides: a package may change from the one to the other.
        let concrete = |architecture: &[u8]| {
            if architecture == b"all" { native.to_vec() } else { architecture.to_vec() }
        };
        let wanted = concrete(&stanza.architecture);
        for (architecture, package) in same_name {
            // Several may be installed side by side; of the older ones nothing is of interest.
            if concrete(architecture) == wanted && compare(&stanza.version, &package.version).is_ge() {
                package.offer(stanza, origin);
            }
        }
    }

    /// The verdict.
    #[must_use]
    pub fn updates(&self) -> Updates {
        let mut updates = Updates::default();
        let (mut security, mut others) = (Vec::new(), Vec::new());
        for (name, versions) in &self.by_name {
            for (architecture, package) in versions {
                updates.installed += 1;
                let Some(candidate) = package.candidate() else { continue };
                let name = self.label(name, architecture);
                match (package.hold, candidate.phasing) {
                    (Hold::Held, _) => updates.held.push(name),
                    (Hold::Free, Phasing::Some) => updates.phased.push(name),
                    (Hold::Free, Phasing::All) if package.has_fix_up_to(&candidate.version) => {
                        security.push(name)
                    }
                    (Hold::Free, Phasing::All) => others.push(name),
                }
            }
        }
        updates.security = security.len();
        updates.pending = security;
        updates.pending.append(&mut others);
        updates
    }

    /// The name, with the architecture if that is a foreign one.
    fn label(&self, name: &[u8], architecture: &[u8]) -> String {
        let name = String::from_utf8_lossy(name);
        if architecture == self.native || architecture == b"all" {
            name.into_owned()
        } else {
            format!("{name}:{}", String::from_utf8_lossy(architecture))
        }
    }
}

impl Package {
    fn offer(&mut self, stanza: &Stanza, origin: Origin) {
        let phasing = match std::str::from_utf8(&stanza.phased).ok().and_then(|text| text.parse().ok()) {
            Some(0..100_u32) => Phasing::Some,
            _ => Phasing::All,
        };
        // One version in several lists is one version.
        if let Some(known) = self.offers.iter_mut().find(|known| known.version == stanza.version) {
            known.priority = known.priority.max(origin.priority);
            known.security = known.security.max(origin.security);
            return;
        }
        let Origin { priority, security } = origin;
        self.offers.push(Offer { version: stanza.version.clone(), priority, security, phasing });
    }

    /// The version that apt would install, if that is another one than what is there: of the highest priority the highest
    /// version, never below what is installed. What is installed has a priority too, its list's if it is in one.
    fn candidate(&self) -> Option<&Offer> {
        let own = self.offers.iter().find(|offer| offer.version == self.version);
        let own_priority = own.map_or(INSTALLED, |offer| offer.priority.max(INSTALLED));
        // From a priority of 1000 on apt goes back to an older version; only pins, which are not followed, give it.
        let newer =
            self.offers.iter().filter(|offer| compare(&offer.version, &self.version) == Ordering::Greater);
        // What is installed comes last in apt's order of versions, so that equal priorities do not keep it.
        newer
            .filter(|offer| offer.priority >= own_priority)
            .max_by(|a, b| a.priority.cmp(&b.priority).then_with(|| compare(&a.version, &b.version)))
    }

    /// apt's rule: a fix in any version between what is there and the candidate counts, though a newer one without the
    /// name of a fix hides it.
    fn has_fix_up_to(&self, candidate: &[u8]) -> bool {
        self.offers.iter().any(|offer| {
            offer.security == Security::Fix
                && compare(&offer.version, &self.version) == Ordering::Greater
                && compare(&offer.version, candidate).is_le()
        })
    }
}

#[cfg(test)]
mod tests;
