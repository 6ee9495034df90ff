use super::*;

fn stanza(package: &str, version: &str, architecture: &str, status: &str) -> Stanza {
    Stanza {
        package: package.into(),
        version: version.into(),
        architecture: architecture.into(),
        status: status.into(),
        phased: Vec::new(),
    }
}

const STABLE: Origin = Origin { priority: 500, security: Security::No };
const SECURITY: Origin = Origin { priority: 500, security: Security::Fix };
const BACKPORTS: Origin = Origin { priority: 100, security: Security::No };
const EXPERIMENTAL: Origin = Origin { priority: 1, security: Security::No };

/// What is to be done when `installed` is installed, beside dpkg, and the lists offer these versions of it.
fn updates(installed: Stanza, offers: &[(&str, &str, Origin)]) -> Updates {
    let mut packages = Packages::default();
    packages.installed(&stanza("dpkg", "1", "amd64", "install ok installed"));
    let name = String::from_utf8(installed.package.clone()).unwrap();
    packages.installed(&installed);
    for (version, architecture, origin) in offers {
        packages.offered(&stanza(&name, version, architecture, ""), *origin);
    }
    packages.updates()
}

fn of(version: &str, offers: &[(&str, Origin)]) -> (usize, usize) {
    let offers: Vec<_> = offers.iter().map(|(version, origin)| (*version, "amd64", *origin)).collect();
    let updates = updates(stanza("a", version, "amd64", "install ok installed"), &offers);
    (updates.pending.len(), updates.security)
}

#[test]
fn a_newer_version_is_an_update_and_an_older_one_is_not() {
    assert_eq!(of("1", &[("2", STABLE)]), (1, 0));
    assert_eq!(of("2", &[("1", STABLE), ("2", STABLE)]), (0, 0));
    assert_eq!(of("1", &[]), (0, 0));
    assert_eq!(of("1", &[("1", STABLE), ("1+deb12u1", SECURITY)]), (1, 1));
}

#[test]
fn a_fix_that_a_newer_version_hides_counts() {
    assert_eq!(of("1u6", &[("1u9", SECURITY), ("1u10", STABLE)]), (1, 1));
    // One that is installed already, or that the candidate does not reach, does not.
    assert_eq!(of("1u9", &[("1u9", SECURITY), ("1u10", STABLE)]), (1, 0));
    assert_eq!(of("1", &[("2", STABLE), ("3", Origin { priority: 100, security: Security::Fix })]), (1, 0));
}

#[test]
fn priorities_decide_before_versions() {
    assert_eq!(
        of("1", &[("1", STABLE), ("2~bpo", BACKPORTS)]),
        (0, 0),
        "backports do not come by themselves"
    );
    assert_eq!(of("2~bpo1", &[("1", STABLE), ("2~bpo1", BACKPORTS), ("2~bpo2", BACKPORTS)]), (1, 0));
    assert_eq!(of("1", &[("3", EXPERIMENTAL)]), (0, 0));
    assert_eq!(of("1", &[("2", STABLE), ("3", EXPERIMENTAL)]), (1, 0));
    // By hand from nowhere: its own priority is 100.
    assert_eq!(of("1", &[("2~bpo", BACKPORTS)]), (1, 0));
    // The same version in two lists has the better priority.
    assert_eq!(of("1", &[("1", STABLE), ("2", BACKPORTS), ("2", STABLE)]), (1, 0));
    assert_eq!(of("1", &[("2", Origin { priority: 990, ..STABLE }), ("3", STABLE)]), (1, 0));
}

#[test]
fn held_and_phased_packages_are_counted_apart() {
    let offers = [("2", "amd64", STABLE)];
    let held = updates(stanza("a", "1", "amd64", "hold ok installed"), &offers);
    assert_eq!((held.pending.len(), held.held.as_slice()), (0, &["a".to_owned()][..]));
    for (percentage, phased) in [("20", 1), ("0", 1), ("100", 0), ("", 0), ("many", 0)] {
        let mut packages = Packages::default();
        packages.installed(&stanza("a", "1", "amd64", "install ok installed"));
        let offer = Stanza { phased: percentage.into(), ..stanza("a", "2", "amd64", "") };
        packages.offered(&offer, STABLE);
        let found = packages.updates();
        assert_eq!((found.pending.len(), found.phased.len()), (1 - phased, phased), "{percentage}");
    }
}

#[test]
fn architectures_are_kept_apart_and_all_is_native() {
    let installed = |architecture| stanza("a", "1", architecture, "install ok installed");
    let pending = |architecture, offered| updates(installed(architecture), &[("2", offered, STABLE)]).pending;
    assert_eq!(pending("amd64", "i386"), [""; 0]);
    assert_eq!(pending("i386", "i386"), ["a:i386"]);
    assert_eq!(pending("amd64", "all"), ["a"]);
    assert_eq!(pending("all", "amd64"), ["a"]);
    assert_eq!(pending("all", "i386"), [""; 0]);
}

#[test]
fn what_is_not_installed_does_not_count() {
    for status in ["deinstall ok config-files", "install ok half-configured", "install ok", "", "x"] {
        assert_eq!(
            updates(stanza("a", "1", "amd64", status), &[("2", "amd64", STABLE)]).pending,
            [""; 0],
            "{status}"
        );
    }
    // What is to be removed is there until it is.
    for status in ["deinstall ok installed", "install ok triggers-pending", "install reinstreq installed"] {
        assert_eq!(
            updates(stanza("a", "1", "amd64", status), &[("2", "amd64", STABLE)]).pending.len(),
            1,
            "{status}"
        );
    }
}

#[test]
fn fixes_come_first() {
    let mut packages = Packages::default();
    packages.installed(&stanza("dpkg", "1", "amd64", "install ok installed"));
    for name in ["a", "b", "c"] {
        packages.installed(&stanza(name, "1", "amd64", "install ok installed"));
        packages.offered(&stanza(name, "2", "amd64", ""), if name == "b" { SECURITY } else { STABLE });
    }
    let updates = packages.updates();
    assert_eq!((updates.pending.join(" ").as_str(), updates.security, updates.installed), ("b a c", 1, 4));
}
