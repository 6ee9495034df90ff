use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pihook_plugin::files::{Info, Kind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// A folder as the machine that is looked at.
struct Folder {
    root: PathBuf,
    /// Files that were read.
    streamed: Cell<usize>,
}

impl Folder {
    fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), streamed: Cell::new(0) }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

fn error(path: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound(format!("there is no {path}")),
        _ => Error::Other(format!("{path}: {error}")),
    }
}

impl World for Folder {
    fn stat(&self, path: &str) -> Result<Info, Error> {
        let found = fs::metadata(self.path(path)).map_err(|e| error(path, &e))?;
        let modified = found.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
        let kind = if found.is_dir() { Kind::Folder } else { Kind::File };
        Ok(Info { kind, size: found.len(), modified_ms: i64::try_from(modified.as_millis()).unwrap() })
    }

    fn entries(&self, folder: &str) -> Result<Vec<String>, Error> {
        let entries = fs::read_dir(self.path(folder)).map_err(|e| error(folder, &e))?;
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        fs::read(self.path(path)).map_err(|e| error(path, &e))
    }

    fn stream(&self, path: &str, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        self.streamed.set(self.streamed.get() + 1);
        let path = self.path(path);
        // apt's own helper decompresses what apt compressed.
        let compressed =
            [".lz4", ".xz", ".gz", ".zst"].iter().any(|end| path.display().to_string().ends_with(end));
        let bytes = if compressed {
            let helper = Command::new("/usr/lib/apt/apt-helper").arg("cat-file").arg(&path).output();
            helper.map_err(|e| error("apt-helper", &e))?.stdout
        } else {
            fs::read(&path).map_err(|e| error(&path.display().to_string(), &e))?
        };
        bytes.chunks(65_000).for_each(take);
        Ok(())
    }
}

fn look_at(world: &Folder) -> Result<Survey, String> {
    survey(world, None).map(|(survey, _)| survey).map_err(|failure| format!("{failure:?}"))
}

const DPKG: &str = "Package: dpkg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n";

fn machine() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    let world = Folder::at(folder.path());
    world.write(
        "var/lib/dpkg/status",
        &format!("{DPKG}Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"),
    );
    world.write(
        "var/lib/apt/lists/r_dists_s_main_binary-amd64_Packages",
        "Package: a\nVersion: 2\nArchitecture: all\n",
    );
    world.write("var/lib/apt/lists/r_dists_s_Release", "Suite: stable-security\n");
    (folder, world)
}

#[test]
fn a_machine_is_looked_at_once_and_again_when_something_changes() {
    let (_folder, world) = machine();
    let (survey, kept) = super::survey(&world, None).unwrap();
    assert_eq!(
        (survey.found.updates.pending.as_slice(), survey.found.updates.security),
        (&["a".to_owned()][..], 1)
    );
    assert!(survey.found.knows_security && survey.found.pinned_by.is_none() && survey.restart.is_none());
    let kept = kept.unwrap();
    let read = world.streamed.get();
    let (again, unchanged) = super::survey(&world, Some(&kept)).unwrap();
    assert_eq!((again.found, unchanged, world.streamed.get()), (survey.found, None, read));
    world.write("var/lib/apt/lists/r_dists_s_main_binary-amd64_Packages", "Package: a\nVersion: 1\n");
    let (now, changed) = super::survey(&world, Some(&kept)).unwrap();
    assert!(now.found.updates.pending.is_empty() && changed.is_some());
    // What was kept and is no use is as good as nothing.
    assert!(super::survey(&world, Some(b"rubbish")).unwrap().1.is_some());
}

#[test]
fn what_else_matters_is_noticed() {
    let (_folder, world) = machine();
    world.write("etc/apt/preferences.d/nodejs", "# no pin\nPackage: *\n");
    assert_eq!(look_at(&world).unwrap().found.pinned_by, None);
    world.write("etc/apt/preferences.d/nodejs", "Package: *\nPin: origin x\nPin-Priority: 1001\n");
    world.write("run/reboot-required", "");
    world.write("run/reboot-required.pkgs", "linux\nlibc6\nlinux\n\n");
    let survey = look_at(&world).unwrap();
    assert_eq!(survey.found.pinned_by.as_deref(), Some("/etc/apt/preferences.d/nodejs"));
    assert_eq!(survey.restart, Some(Restart::Asked(vec!["libc6".to_owned(), "linux".to_owned()])));
    assert!(survey.fetched_ms > 1_700_000_000_000);
}

#[test]
fn only_files_that_apt_reads_pin() {
    let (_folder, world) = machine();
    for (name, read) in [("a.disabled", false), ("a.pref.bak", false), ("a~", false), ("a.pref", true)] {
        world.write(&format!("etc/apt/preferences.d/{name}"), "Package: *\nPin: origin x\nPin-Priority: 1\n");
        assert_eq!(look_at(&world).unwrap().found.pinned_by.is_some(), read, "{name}");
    }
}

#[test]
fn the_repository_that_ends_first_is_known() {
    let (_folder, world) = machine();
    let dates = |until: &str| format!("Date: Thu, 01 Jan 1970 00:00:00 UTC\nValid-Until: {until}\n");
    let ends = |world: &Folder| look_at(world).unwrap().found.ends_first.map(|first| first.suite);
    assert_eq!(ends(&world), None);
    for (name, until) in [("s", "Fri, 09 Jan 1970 00:00:00 UTC"), ("t", "Thu, 08 Jan 1970 00:00:00 UTC")] {
        world.write(
            &format!("var/lib/apt/lists/r_dists_{name}_Release"),
            &format!("Suite: {name}\n{}", dates(until)),
        );
    }
    // What has no lists does not matter.
    assert_eq!(ends(&world).as_deref(), Some("s"));
    world.write("var/lib/apt/lists/r_dists_t_main_binary-amd64_Packages", "");
    assert_eq!(ends(&world).as_deref(), Some("t"));
}

#[test]
fn a_kernel_that_was_replaced_since_its_start_asks_for_a_restart() {
    let (_folder, world) = machine();
    let restart = |world: &Folder| look_at(world).unwrap().restart;
    assert_eq!(restart(&world), None);
    world.write("proc/sys/kernel/osrelease", "6.1.21-v8+\n");
    world.write("proc/stat", "cpu 1 2\nbtime 1600000000\nprocesses 1\n");
    assert_eq!(restart(&world), None, "no modules at all: nothing is known of kernels");
    fs::create_dir_all(world.path("/lib/modules")).unwrap();
    assert_eq!(restart(&world), None, "likewise");
    fs::create_dir_all(world.path("/lib/modules/6.1.63-v8+")).unwrap();
    assert_eq!(restart(&world), Some(Restart::KernelGone("6.1.21-v8+".to_owned())));
    world.write("proc/stat", "btime 99999999999\n");
    assert_eq!(restart(&world), None, "it was so when the machine was started");
    world.write("proc/stat", "btime many\n");
    assert_eq!(restart(&world), None);
    world.write("proc/stat", "btime 1600000000\n");
    fs::create_dir_all(world.path("/lib/modules/6.1.21-v8+")).unwrap();
    assert_eq!(restart(&world), None);
}

#[test]
fn what_cannot_be_told_is_never_no_updates() {
    let (_folder, world) = machine();
    fs::remove_file(world.path("var/lib/apt/lists/r_dists_s_main_binary-amd64_Packages")).unwrap();
    assert!(look_at(&world).unwrap_err().contains("run `apt-get update` once"));
    fs::remove_dir_all(world.path("var/lib/apt/lists")).unwrap();
    assert!(look_at(&world).unwrap_err().contains("there is no /var/lib/apt/lists"));
    let (_folder, world) = machine();
    world.write("var/lib/dpkg/status", "");
    assert!(look_at(&world).unwrap_err().contains("is this a Debian machine?"));
}

/// The repositories of the comparison with apt: name of the suite, what its Release says.
const SUITES: [(&str, &str); 4] = [
    ("stable", "Suite: stable\nCodename: bookworm\n"),
    ("security", "Suite: stable-security\nCodename: bookworm-security\nLabel: Debian-Security\n"),
    ("backports", "Suite: stable-backports\nNotAutomatic: yes\nButAutomaticUpgrades: yes\n"),
    ("experimental", "Suite: experimental\nNotAutomatic: yes\n"),
];

/// A package: its installed version, whether it is held, its kind, and its versions in the suites.
type Case = (u8, bool, Build, Vec<(usize, u8)>);

#[derive(Clone, Copy, Debug)]
enum Build {
    Native,
    Foreign,
    /// For one architecture at first, and for all of them later.
    Switches,
}

impl Build {
    fn architecture(self, version: u8) -> &'static str {
        match self {
            Self::Switches if version >= 3 => "all",
            Self::Native | Self::Switches => "amd64",
            Self::Foreign => "i386",
        }
    }
}

fn packages() -> impl Strategy<Value = Vec<Case>> {
    let offers = prop::collection::vec((0..SUITES.len(), 0_u8..6), 0..5);
    let build = prop::sample::select(vec![Build::Native, Build::Foreign, Build::Switches]);
    prop::collection::vec((0_u8..6, any::<bool>(), build, offers), 1..8)
}

const VERSIONS: [&str; 6] =
    ["1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-1+deb12u10", "1.1-1~bpo12+1", "1:0.1-1"];

fn write_case(world: &Folder, packages: &[Case]) {
    let mut status = DPKG.to_owned();
    let mut lists = vec![String::new(); SUITES.len()];
    for (number, (installed, held, build, offers)) in packages.iter().enumerate() {
        let want = if *held { "hold" } else { "install" };
        let architecture = build.architecture(*installed);
        status += &format!(
            "Package: p{number}\nStatus: {want} ok installed\nPriority: optional\nSection: misc\nMaintainer: m\n\
             Architecture: {architecture}\nVersion: {}\nDescription: d\n\n",
            VERSIONS[usize::from(*installed)]
        );
        for (suite, version) in offers {
            let architecture = build.architecture(*version);
            lists[*suite] += &format!(
                "Package: p{number}\nVersion: {}\nArchitecture: {architecture}\nMaintainer: m\nDescription: d\n\
                 Filename: p{number}-{version}-{architecture}.deb\nSize: 1\nSHA256: {}\n\n",
                VERSIONS[usize::from(*version)],
                "0".repeat(64)
            );
        }
    }
    world.write("var/lib/dpkg/status", &status);
    let mut sources = String::new();
    for ((suite, release), list) in SUITES.iter().zip(lists) {
        sources += &format!("deb [trusted=yes arch=amd64,i386] http://repo.test/debian {suite} main\n");
        let base = format!("var/lib/apt/lists/repo.test_debian_dists_{suite}");
        world.write(
            &format!("{base}_Release"),
            &format!("{release}Architectures: amd64 i386\nComponents: main\n"),
        );
        // apt wants a list for each architecture; what is for one stands in that one's.
        for architecture in ["amd64", "i386"] {
            let stanzas = list.split_inclusive("\n\n").filter(|stanza| {
                stanza.contains(&format!("Architecture: {architecture}\n"))
                    || stanza.contains("Architecture: all\n")
            });
            world.write(&format!("{base}_main_binary-{architecture}_Packages"), &stanzas.collect::<String>());
        }
    }
    world.write("etc/apt/sources.list", &sources);
    for folder in [
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
    ] {
        fs::create_dir_all(world.path(folder)).unwrap();
    }
}

/// What apt itself says of the folder; none if there is no apt.
fn apt(world: &Folder) -> Option<Vec<String>> {
    let root = world.root.display();
    let output = Command::new("apt")
        .env("LC_ALL", "C")
        .arg(format!("-oDir={root}"))
        .arg(format!("-oDir::State::status={root}/var/lib/dpkg/status"))
        .args([
            "-oAPT::Architecture=amd64",
            "-oAPT::Architectures=amd64,i386",
            "-oDir::Cache::pkgcache=",
            "-oDir::Cache::srcpkgcache=",
        ])
        .args(["list", "--upgradable"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let (name, rest) = line.split_once('/')?;
        let architecture = rest.split(' ').nth(2)?;
        Some(if architecture == "i386" { format!("{name}:i386") } else { name.to_owned() })
    };
    Some(text.lines().filter_map(line).collect())
}

#[test]
fn apt_itself_agrees() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..25 {
        let case = packages().new_tree(&mut runner).unwrap().current();
        let folder = tempfile::tempdir().unwrap();
        let world = Folder::at(folder.path());
        write_case(&world, &case);
        let Some(mut expected) = apt(&world) else {
            println!("there is no apt here to compare with");
            return;
        };
        let updates = look_at(&world).unwrap().found.updates;
        let mut found = [updates.pending, updates.held].concat();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{case:?}");
    }
}

#[test]
fn apt_agrees_about_this_machine() {
    let world = Folder::at(Path::new("/"));
    let survey = match look_at(&world) {
        Ok(survey) => survey,
        Err(reason) => {
            println!("there is nothing to compare on this machine: {reason}");
            return;
        }
    };
    // Pins are not followed, and so apt is not to follow those of this machine.
    let without_pins = ["-oDir::Etc::preferences=/dev/null", "-oDir::Etc::preferencesparts=/dev/null"];
    let mut apt = Command::new("apt");
    let output = apt.env("LC_ALL", "C").args(without_pins).args(["list", "--upgradable"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut expected: Vec<String> =
        text.lines().filter_map(|line| Some(line.split_once('/')?.0.to_owned())).collect();
    let updates = survey.found.updates;
    let plain = |name: String| name.split(':').next().unwrap_or_default().to_owned();
    let mut found: Vec<String> =
        [updates.pending, updates.held, updates.phased].concat().into_iter().map(plain).collect();
    found.sort();
    expected.sort();
    println!("{} packages are installed here, {} of them have updates", updates.installed, expected.len());
    assert_eq!(found, expected);
}
