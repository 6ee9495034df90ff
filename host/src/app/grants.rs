//! What a service's check may reach: what its settings name, and what services.yaml allows its plugin.

use std::path::PathBuf;

use serde_json::Value;
use url::Url;

use crate::config::{Config, ServiceConfig};
use crate::hosts::HostPort;
use crate::paths::{PathPattern, names};
use crate::probes::http::{Access, HttpGrant};
use crate::probes::{CommandGrant, FileGrant, Grants, MachineGrant, NetworkGrant, SocketGrant};

/// Files that checks which come with PiHook may read without being told: what they are for. By their plugins' ids.
const BUNDLED_FILES: &[(&str, &[&str])] =
    &[("apt-updates", APT), ("disk-health", DISKS), ("system", THROTTLED)];

const APT: &[&str] = &[
    "/etc/apt",
    "/etc/apt/**",
    "/lib/modules",
    "/proc/stat",
    "/proc/sys/kernel/osrelease",
    "/run/reboot-required",
    "/run/reboot-required.pkgs",
    "/usr/lib/modules",
    "/var/lib/apt/lists",
    "/var/lib/apt/lists/*",
    "/var/lib/apt/periodic/*",
    "/var/lib/dpkg/status",
];

const DISKS: &[&str] = &[
    "/etc/fstab",
    "/proc/mdstat",
    "/sys/fs/ext4",
    "/sys/fs/ext4/*/errors_count",
    "/sys/fs/ext4/*/first_error_time",
    "/sys/fs/ext4/*/last_error_time",
    "/sys/fs/ext4/*/last_error_func",
    "/sys/fs/btrfs",
    "/sys/fs/btrfs/*/devinfo",
    "/sys/fs/btrfs/*/devinfo/*/error_stats",
    "/sys/fs/btrfs/*/devinfo/*/missing",
];

const THROTTLED: &[&str] = &[
    "/sys/devices/platform/soc/soc:firmware/get_throttled",
    "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
];

/// What the service's check may reach. The checks that come with PiHook go where the service's settings send them; one from
/// a file goes to the service's own host, and where its `allow` says. Commands and sockets are what `allow` says in either case.
pub(super) fn of(service: &ServiceConfig, config: &Config) -> Grants {
    let plugin = config.plugins.get(&service.check.plugin);
    let from_file = plugin.filter(|plugin| plugin.file.is_some()).map(|plugin| &plugin.allow);
    let web = Access {
        own_hosts: own_hosts(service),
        secrets: service.check.secrets.clone(),
        grant: from_file.map_or(HttpGrant::Any, |allow| HttpGrant::Hosts(allow.http.clone())),
        ca_files: text_setting(service, "ca_file").map(PathBuf::from).into_iter().collect(),
    };
    let machine = from_file.map_or(MachineGrant::Any, |allow| MachineGrant::Only(allow.machine.clone()));
    let network = from_file.map_or(NetworkGrant::Any, |allow| NetworkGrant::Hosts(allow.network.clone()));
    // A plugin that replaces the one for signs of life has those of its services, whatever else it may do.
    let heartbeat = service.check.push_token.as_ref().map(|_| service.service.id.clone());
    let commands = CommandGrant(plugin.map(|plugin| plugin.allow.commands.clone()).unwrap_or_default());
    let sockets = SocketGrant {
        plugin: service.check.plugin.clone(),
        sockets: plugin.map(|plugin| plugin.allow.sockets.clone()).unwrap_or_default(),
    };
    let mut files = if from_file.is_some() { Vec::new() } else { bundled_files(service) };
    files.extend(plugin.iter().flat_map(|plugin| plugin.allow.files.iter().cloned()));
    Grants { web, network, machine, commands, files: FileGrant(files), sockets, heartbeat }
}

/// What a check that comes with PiHook may read. Where its settings have a `root`, as in a container that sees the machine's
/// own filesystem somewhere else, below that.
fn bundled_files(service: &ServiceConfig) -> Vec<PathPattern> {
    let patterns =
        BUNDLED_FILES.iter().filter(|(id, _)| *id == service.check.plugin).flat_map(|(_, paths)| *paths);
    // What is no path is the plugin's own to complain about.
    let root = text_setting(service, "root").map_or(Ok(Vec::new()), names).unwrap_or_default();
    patterns.filter_map(|path| path.parse::<PathPattern>().ok()).map(|pattern| pattern.below(&root)).collect()
}

/// Where the service lives: the only place that its secrets are sent to. A host that moves its visitors from port 80
/// to TLS is the same place.
fn own_hosts(service: &ServiceConfig) -> Vec<HostPort> {
    // Placeholders may stay: the configuration lets none into the host or port.
    let url = text_setting(service, "url").and_then(|url| Url::parse(url).ok());
    let Some(own) = url.as_ref().and_then(HostPort::of) else { return Vec::new() };
    let secured = (own.port() == 80).then(|| HostPort::new(own.host(), 443));
    std::iter::once(own).chain(secured).collect()
}

fn text_setting<'s>(service: &'s ServiceConfig, key: &str) -> Option<&'s str> {
    service.check.settings.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pihook_core::ServiceId;

    use super::*;
    use crate::config::{Surroundings, parse};

    fn grants(service: &str) -> Grants {
        let text = format!(
            "plugins: {{ mine: {{ file: x.wasm, allow: {{ http: [other.lan], commands: {{ ls: [ls] }} }} }}, http: {{ allow: {{ commands: {{ ls: [ls] }}, sockets: [/run/docker.sock] }} }} }}\nservices: [{{ name: A, {service} }}]"
        );
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &|_| Some("hunter2".to_owned()),
            read_file: &|_| Err(std::io::Error::other("no files")),
        };
        let config = parse(text.as_bytes(), &surroundings).unwrap_or_else(|problems| panic!("{problems}"));
        of(&config.services[0], &config)
    }

    #[test]
    fn a_plugin_from_a_file_gets_its_services_host_its_ca_file_and_its_grants() {
        let access = grants(
            "check: mine, settings: { url: \"http://nas.lan/${TOKEN}?k=${TOKEN}\", ca_file: /etc/ca.pem }",
        );
        assert!(matches!(&access.machine, MachineGrant::Only(granted) if granted.is_empty()));
        assert_eq!(access.commands.named("ls"), Ok(&["ls".to_owned()][..]));
        assert!(access.sockets.choose(None).unwrap_err().contains("mine: { allow: { sockets"));
        let access = access.web;
        assert_eq!(access.own_hosts, [80, 443].map(|port| HostPort::new("nas.lan", port)));
        assert_eq!(access.ca_files, [Path::new("/etc/ca.pem")]);
        assert!(matches!(&access.grant, HttpGrant::Hosts(hosts) if hosts.len() == 1));
        assert_eq!(access.secrets.len(), 1);
    }

    #[test]
    fn a_service_has_its_own_signs_of_life_and_no_other() {
        let heartbeat = "check: heartbeat, settings: { token: \"${TOKEN}-0123456789\", period: 1d }";
        assert_eq!(grants(heartbeat).heartbeat.as_ref().map(ServiceId::as_str), Some("a"));
        assert_eq!(grants("check: mine, settings: { token: abcdef0123456789 }").heartbeat, None);
        assert_eq!(grants("url: http://a/").heartbeat, None);
    }

    #[test]
    fn all_files_of_bundled_checks_are_paths() {
        for (id, paths) in BUNDLED_FILES {
            assert!(paths.iter().all(|path| path.parse::<PathPattern>().is_ok()), "{id}");
        }
        assert_eq!(grants("check: system").files.0.len(), 2);
    }

    #[test]
    fn a_bundled_check_goes_anywhere_and_has_one_own_host() {
        let access = grants("url: \"https://nas.lan:8443/x\"");
        assert!(access.commands.named("ls").is_ok() && access.commands.named("id").is_err());
        assert!(access.sockets.choose(None).is_ok());
        let access = access.web;
        assert_eq!(access.own_hosts, [HostPort::new("nas.lan", 8443)]);
        assert!(matches!(access.grant, HttpGrant::Any) && access.ca_files.is_empty());
    }

    #[test]
    fn a_bundled_check_reads_what_it_is_for_below_its_root() {
        let files = |service: &str| {
            let granted = grants(service).files.0;
            granted.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(files("url: \"http://nas.lan/\""), [""; 0]);
        assert!(files("check: disk-health").contains(&"/proc/mdstat".to_owned()));
        let below = files("check: disk-health, settings: { root: /host/ }");
        assert!(
            below.iter().all(|path| path.starts_with("/host/"))
                && below.contains(&"/host/etc/fstab".to_owned())
        );
        // What is no path is told by the check itself.
        assert!(files("check: disk-health, settings: { root: ../x }").contains(&"/proc/mdstat".to_owned()));
        assert_eq!(files("check: mine, settings: { root: /host }"), [""; 0]);
    }

    #[test]
    fn every_path_that_is_granted_is_one() {
        for path in BUNDLED_FILES.iter().flat_map(|(_, paths)| *paths) {
            assert!(path.parse::<PathPattern>().is_ok(), "{path}");
        }
    }
}
