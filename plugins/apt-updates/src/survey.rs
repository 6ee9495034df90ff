//! Reads what apt and dpkg have on disk into what [`crate::check`] judges.

use pihook_plugin::Failure;
use pihook_plugin::files::Error;
use serde::{Deserialize, Serialize};

use crate::release::{Release, Validity, default_release, describing};
use crate::stanza::Reader;
use crate::updates::{Origin, Packages, Security, Updates};
use crate::world::World;

const STATUS: &str = "/var/lib/dpkg/status";
const LISTS: &str = "/var/lib/apt/lists";
const APT: &str = "/etc/apt";
/// Touched when the lists were fetched: by apt's own timer, and by every `apt-get update`.
const FETCHED: [&str; 4] = [
    "/var/lib/apt/periodic/update-success-stamp",
    "/var/lib/apt/periodic/update-stamp",
    "/var/lib/apt/lists/partial",
    "/var/lib/apt/lists",
];
const REBOOT: &str = "/run/reboot-required";
const REBOOT_PACKAGES: &str = "/run/reboot-required.pkgs";
const RUNNING: &str = "/proc/sys/kernel/osrelease";
const MODULES: &str = "/lib/modules";
const BOOT: &str = "/proc/stat";

/// What was found in the lists; kept until one of them changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What is to be done.
    pub updates: Updates,
    /// Whether any list says that it holds security fixes; if not, their number means nothing.
    pub knows_security: bool,
    /// The file that pins versions, if one does: then apt may decide otherwise.
    pub pinned_by: Option<String>,
    /// Of the repositories that say how long they are to be believed, the one that ends first.
    pub ends_first: Option<Validity>,
}

/// What is known of the lists now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What was found in them.
    pub found: Found,
    /// When they were fetched, in milliseconds since 1970 UTC.
    pub fetched_ms: i64,
    /// Whether the machine wants to be restarted, and why.
    pub restart: Option<Restart>,
}

/// Why the machine is to be restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It was asked for, on behalf of these packages if that was said.
    Asked(Vec<String>),
    /// The kernel that runs, with this release, was removed or replaced since it was started.
    KernelGone(String),
}

/// What was kept of the run before.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    inputs: String,
    found: Found,
}

/// Looks at the lists, or takes over what was `kept` if none of them has changed since. Gives what to keep, if that has changed.
///
/// # Errors
/// If there is no telling, why.
pub fn survey(world: &impl World, kept: Option<&[u8]>) -> Result<(Survey, Option<Vec<u8>>), Failure> {
    let before: Option<Kept> = kept.and_then(|kept| serde_json::from_slice(kept).ok());
    let inputs = Inputs::list(world)?;
    let (found, to_keep) = match before {
        Some(before) if before.inputs == inputs.fingerprint => (before.found, None),
        _ => {
            let kept = look(world, inputs)?;
            let bytes = serde_json::to_vec(&kept).map_err(|error| Failure::Other(error.to_string()))?;
            (kept.found, Some(bytes))
        }
    };
    Ok((Survey { found, fetched_ms: fetched(world), restart: restart(world) }, to_keep))
}

/// Reads everything; once more if apt or dpkg replaced a file meanwhile.
fn look(world: &impl World, mut inputs: Inputs) -> Result<Kept, Failure> {
    for _ in 0..2 {
        let found = inputs.read(world);
        let again = Inputs::list(world)?;
        if again.fingerprint == inputs.fingerprint {
            return found.map(|found| Kept { inputs: inputs.fingerprint, found });
        }
        inputs = again;
    }
    Err(Failure::Other(
        "the package lists were replaced while they were read; the next check looks again".to_owned(),
    ))
}

/// All that is read, and what tells one version of it from another.
struct Inputs {
    lists: Vec<String>,
    releases: Vec<String>,
    configuration: Vec<String>,
    preferences: Vec<String>,
    fingerprint: String,
}

impl Inputs {
    fn list(world: &impl World) -> Result<Inputs, Failure> {
        let lists = world.entries(LISTS).map_err(Error::into_failure)?;
        let of_packages = |name: &String| stem(name).ends_with("_Packages");
        let of_releases = |name: &String| name.ends_with("InRelease") || name.ends_with("_Release");
        let within = |folder: &str, end: &str| named_in(world, format!("{APT}/{folder}"), end.to_owned());
        let configuration = within("apt.conf.d", "conf").chain([format!("{APT}/apt.conf")]).collect();
        let preferences = within("preferences.d", "pref").chain([format!("{APT}/preferences")]).collect();
        let mut inputs = Inputs {
            releases: lists.iter().filter(|name| of_releases(name)).cloned().collect(),
            lists: lists.into_iter().filter(of_packages).collect(),
            configuration,
            preferences,
            fingerprint: String::new(),
        };
        let all = inputs.lists.iter().chain(&inputs.releases).map(|name| format!("{LISTS}/{name}"));
        let all = all.chain(inputs.configuration.iter().chain(&inputs.preferences).cloned());
        let mut sum = Sum::default();
        // A later version may find something else in the same lists.
        sum.add(env!("CARGO_PKG_VERSION").as_bytes());
        for path in all.chain([STATUS.to_owned()]) {
            let found = world.stat(&path).ok().map(|info| (info.size, info.modified_ms));
            sum.add(format!("{path} {found:?}\n").as_bytes());
        }
        inputs.fingerprint = format!("{:016x}", sum.0);
        Ok(inputs)
    }

    fn read(&self, world: &impl World) -> Result<Found, Failure> {
        let mut packages = Packages::default();
        let mut reader = Reader::new(|_: &[u8]| true, |stanza| packages.installed(stanza));
        world.stream(STATUS, &mut |chunk| reader.feed(chunk)).map_err(Error::into_failure)?;
        reader.finish();
        if packages.is_empty() {
            return Err(Failure::Other(format!(
                "{STATUS} names no installed package: is this a Debian machine?"
            )));
        }
        if self.lists.is_empty() {
            return Err(Failure::Other(format!(
                "there are no package lists in {LISTS}: run `apt-get update` once"
            )));
        }
        let default =
            self.configuration.iter().filter_map(|path| default_release(&text(world, path))).next_back();
        let mut found = Found { pinned_by: self.pinned_by(world), ..Found::default() };
        for list in &self.lists {
            let release = describing(list, self.releases.iter().map(String::as_str));
            let release = match release {
                Some(name) => {
                    Release::read(&world.read(&format!("{LISTS}/{name}")).map_err(Error::into_failure)?)
                }
                None => Release::default(),
            };
            found.knows_security |= release.is_security();
            let validity = found.ends_first.take().into_iter().chain(release.validity());
            found.ends_first = validity.min_by_key(|validity| validity.until_ms);
            let security = if release.is_security() { Security::Fix } else { Security::No };
            let origin = Origin { priority: release.priority(default.as_deref()), security };
            take(world, &format!("{LISTS}/{list}"), &mut packages, origin)?;
        }
        found.updates = packages.updates();
        Ok(found)
    }

    /// The first file that has a pin.
    fn pinned_by(&self, world: &impl World) -> Option<String> {
        let pins = |path: &&String| {
            let text = text(world, path);
            text.lines().any(|line| line.trim_start().to_ascii_lowercase().starts_with("pin:"))
        };
        self.preferences.iter().find(pins).cloned()
    }
}

/// Takes a list's versions of installed packages in. The stanzas are collected first: who is installed and what is offered
/// are one thing.
fn take(world: &impl World, path: &str, packages: &mut Packages, origin: Origin) -> Result<(), Failure> {
    let mut stanzas = Vec::new();
    let mut reader = Reader::new(|name: &[u8]| packages.has(name), |stanza| stanzas.push(stanza.clone()));
    world.stream(path, &mut |chunk| reader.feed(chunk)).map_err(Error::into_failure)?;
    reader.finish();
    stanzas.iter().for_each(|stanza| packages.offered(stanza, origin));
    Ok(())
}

/// A name without the end that says how the file is compressed.
fn stem(name: &str) -> &str {
    let ends = [".gz", ".xz", ".lz4", ".zst", ".bz2", ".lzma"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// The files in a folder that apt would read there, with this extension or none; none if there is no such folder.
fn named_in(world: &impl World, folder: String, end: String) -> impl Iterator<Item = String> {
    let names = world.entries(&folder).unwrap_or_default();
    let read = move |name: &String| {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        !name.starts_with('.') && !name.ends_with('~') && extension.is_none_or(|extension| extension == end)
    };
    names.into_iter().filter(read).map(move |name| format!("{folder}/{name}"))
}

/// A small file's text; empty if there is none.
fn text(world: &impl World, path: &str) -> String {
    world.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn fetched(world: &impl World) -> i64 {
    FETCHED.iter().filter_map(|path| world.stat(path).ok()).map(|info| info.modified_ms).max().unwrap_or(0)
}

fn restart(world: &impl World) -> Option<Restart> {
    // Its existence counts: some who make it leave it empty.
    if world.stat(REBOOT).is_err() {
        return kernel_gone(world);
    }
    let mut packages: Vec<String> =
        text(world, REBOOT_PACKAGES).lines().map(|line| line.trim().to_owned()).collect();
    packages.retain(|name| !name.is_empty());
    packages.sort();
    packages.dedup();
    Some(Restart::Asked(packages))
}

/// Many machines have nobody who asks for a restart. Where the running kernel's modules have gone since it was started, one is
/// due. Where they never were, as on a virtual machine whose kernel comes from outside, that means nothing.
fn kernel_gone(world: &impl World) -> Option<Restart> {
    let running = text(world, RUNNING).trim().to_owned();
    let installed = world.entries(MODULES).ok()?;
    if running.is_empty() || installed.is_empty() || installed.contains(&running) {
        return None;
    }
    let changed_ms = world.stat(MODULES).ok()?.modified_ms;
    let boot = text(world, BOOT);
    let started: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    (changed_ms > started.saturating_mul(1000)).then_some(Restart::KernelGone(running))
}

/// FNV-1a of 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
struct Sum(u64);

impl Default for Sum {
    fn default() -> Sum {
        Sum(0xcbf2_9ce4_8422_2325)
    }
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests;
