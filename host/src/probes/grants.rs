//! What one service's check may reach. Pure: the probes and the wall ask, and nothing here acts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pihook_core::ServiceId;

use super::files::Walk;
use super::http::Access;
use crate::hosts::{HostPattern, HostPort};
use crate::machine::Machine;
use crate::paths::{PathPattern, joined, names};

/// What one service's check may reach. Empty is nothing.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Hosts by HTTP, the service's secrets, and files of certificates.
    pub web: Access,
    /// Hosts by anything else: TCP, TLS, DNS, ICMP.
    pub network: NetworkGrant,
    /// What the machine tells of itself.
    pub machine: MachineGrant,
    /// Whose signs of life: the service's own, if it is of the kind that has them.
    pub heartbeat: Option<ServiceId>,
    /// Commands that it may run.
    pub commands: CommandGrant,
    /// Sockets of Docker and Podman.
    pub sockets: SocketGrant,
    /// Files that it may read.
    pub files: FileGrant,
}

/// Which hosts may be reached by something else than HTTP.
#[derive(Clone, Debug)]
pub enum NetworkGrant {
    /// Every host: for plugins that come with PiHook.
    Any,
    /// Hosts that match one of the patterns; without patterns none.
    Hosts(Vec<HostPattern>),
}

impl Default for NetworkGrant {
    fn default() -> Self {
        Self::Hosts(Vec::new())
    }
}

impl NetworkGrant {
    /// Nothing, if the host, and the port if there are ports, may be reached.
    ///
    /// # Errors
    /// If not, the text for whoever can grant it.
    pub fn reaches(&self, host: &str, port: Option<u16>) -> Result<(), String> {
        match self {
            Self::Hosts(granted) if !granted.iter().any(|pattern| pattern.matches_network(host, port)) => {
                let to = port.map_or_else(|| host.to_owned(), |port| HostPort::new(host, port).to_string());
                Err(format!(
                    "services.yaml does not allow this plugin to reach {to}: \"{to}\" goes into its `allow: {{ network: [] }}`"
                ))
            }
            Self::Any | Self::Hosts(_) => Ok(()),
        }
    }
}

/// What the machine may tell of itself.
#[derive(Clone, Debug)]
pub enum MachineGrant {
    /// All: for plugins that come with PiHook.
    Any,
    /// These.
    Only(BTreeSet<Machine>),
}

impl Default for MachineGrant {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl MachineGrant {
    /// Nothing, if it is told.
    ///
    /// # Errors
    /// If not, the text for whoever can grant it.
    pub fn allows(&self, wanted: Machine) -> Result<(), String> {
        match self {
            Self::Only(granted) if !granted.contains(&wanted) => {
                let name = wanted.name();
                Err(format!(
                    "services.yaml does not allow this plugin `{name}`: it goes into its `allow: {{ machine: [{name}] }}`"
                ))
            }
            Self::Any | Self::Only(_) => Ok(()),
        }
    }
}

/// Commands by their names, each a program and its arguments. Plugins that come with PiHook have none either unless
/// services.yaml says so: nobody but the administrator knows which programs there are.
#[derive(Clone, Debug, Default)]
pub struct CommandGrant(pub BTreeMap<String, Vec<String>>);

impl CommandGrant {
    /// The command with this name.
    ///
    /// # Errors
    /// If there is none, the text for whoever can grant it.
    pub fn named(&self, name: &str) -> Result<&[String], String> {
        self.0.get(name).map(Vec::as_slice).ok_or_else(|| {
            // What the guest says may be of any length and kind.
            let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            format!(
                "services.yaml does not allow this plugin the command `{name}`: the program that it is to run and its \
                 arguments go into its `allow: {{ commands: {{ {name}: [] }} }}`"
            )
        })
    }
}

/// Sockets of container engines that may be asked. Plugins that come with PiHook have none either unless services.yaml
/// says so: whoever may use such a socket is as good as root.
#[derive(Clone, Debug, Default)]
pub struct SocketGrant {
    /// The plugin's id, for messages.
    pub plugin: String,
    /// The sockets, by their absolute paths.
    pub sockets: Vec<PathBuf>,
}

impl SocketGrant {
    /// The socket that is meant: this one, or the only one.
    ///
    /// # Errors
    /// If it is not granted, or more than one could be meant, the text for whoever can grant it.
    pub fn choose(&self, wanted: Option<&str>) -> Result<&Path, String> {
        let plugin = &self.plugin;
        match (wanted, self.sockets.as_slice()) {
            (Some(wanted), sockets) => {
                let granted = sockets.iter().find(|socket| socket.as_os_str() == wanted);
                granted.map(PathBuf::as_path).ok_or_else(|| {
                    // What the guest says may be of any length and kind.
                    let wanted: String = wanted.chars().filter(|c| !c.is_control()).take(108).collect();
                    ungranted(plugin, &format!("the socket {wanted}"), &wanted)
                })
            }
            (None, [socket]) => Ok(socket),
            (None, []) => Err(ungranted(plugin, "any socket", "/run/docker.sock")),
            (None, sockets) => {
                let names: Vec<String> = sockets.iter().map(|socket| socket.display().to_string()).collect();
                Err(format!(
                    "services.yaml allows this plugin more than one socket, so `socket` in the service's settings has \
                     to say which: {}",
                    names.join(", ")
                ))
            }
        }
    }
}

fn ungranted(plugin: &str, what: &str, socket: &str) -> String {
    format!(
        "services.yaml does not allow this plugin {what}. Whoever may use it is as good as root, so it has to be said there: \
         `plugins: {{ {plugin}: {{ allow: {{ sockets: [{socket}] }} }} }}`"
    )
}

/// Files and folders that may be read. Links on the way to the part of a pattern that is fixed lead wherever they lead: who
/// grants a path means what is there. From the first `*` on, they are followed to where a grant reaches too.
#[derive(Clone, Debug, Default)]
pub struct FileGrant(pub Vec<PathPattern>);

/// A path that is granted as far as its text tells.
pub(super) struct Asked {
    /// The path, without needless parts.
    pub(super) path: String,
    granted: Vec<PathPattern>,
    /// Those of them that cover the path.
    covering: Vec<PathPattern>,
}

impl FileGrant {
    /// The path, if it may be read as far as its text tells.
    ///
    /// # Errors
    /// If not, the text for whoever can grant it.
    pub(super) fn asked(&self, path: &str) -> Result<Asked, String> {
        // What the guest says may be of any length and kind.
        let shown = || path.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        let names = names(path).map_err(|error| format!("{} is no path to read: {error}", shown()))?;
        let covering: Vec<_> = self.0.iter().filter(|pattern| pattern.matches(&names)).cloned().collect();
        if covering.is_empty() {
            let path = shown();
            return Err(format!(
                "services.yaml does not allow this plugin to read {path}: \"{path}\" goes into its `allow: {{ files: [] }}`"
            ));
        }
        Ok(Asked { path: joined(&names), granted: self.0.clone(), covering })
    }
}

impl Asked {
    /// The way there.
    pub(super) fn walk(&self) -> Walk {
        // It was a path when it was asked for.
        Walk::new(&names(&self.path).unwrap_or_default(), self.covering.iter().map(PathPattern::fixed))
    }

    /// Nothing, if what the way leads to may be read.
    ///
    /// # Errors
    /// If not, the text for whoever can grant it.
    pub(super) fn allows(&self, walk: &Walk, end: &[String]) -> Result<(), String> {
        let moved = |pattern: &PathPattern| Some(pattern.moved(walk.start(pattern.fixed())?));
        let allowed = !walk.was_led()
            || self.granted.iter().any(|pattern| pattern.matches(end))
            || self.covering.iter().filter_map(moved).any(|pattern| pattern.matches(end));
        if allowed {
            return Ok(());
        }
        let (path, end) = (&self.path, joined(end));
        Err(format!(
            "{path} leads over a link to {end}, which services.yaml does not allow this plugin to read: \"{end}\" goes \
             into its `allow: {{ files: [] }}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_reached_where_it_is_granted() {
        let grant = NetworkGrant::Hosts(
            ["nas.lan:22", "*.iot.lan", "https://web.lan"].map(|text| text.parse().unwrap()).into(),
        );
        for (host, port, reached) in [
            ("nas.lan", Some(22), true),
            ("NAS.lan.", Some(22), true),
            ("nas.lan", Some(23), false),
            ("nas.lan", None, true),
            ("lamp.iot.lan", Some(1883), true),
            ("iot.lan", Some(1883), false),
            ("web.lan", Some(443), false),
        ] {
            assert_eq!(grant.reaches(host, port).is_ok(), reached, "{host} {port:?}");
        }
        let refused = NetworkGrant::default().reaches("::1", Some(53)).unwrap_err();
        assert!(refused.contains("\"[::1]:53\" goes into"), "{refused}");
        assert!(NetworkGrant::Any.reaches("anywhere", None).is_ok());
    }

    #[test]
    fn only_commands_with_a_granted_name_are_run() {
        let smart = ["smartctl", "-H"].map(str::to_owned);
        let grant = CommandGrant([("smart".to_owned(), smart.to_vec())].into());
        assert_eq!(grant.named("smart"), Ok(&smart[..]));
        let refused = grant.named("smar\nt").unwrap_err();
        assert!(refused.ends_with("its `allow: { commands: { smart: [] } }`"), "{refused}");
        assert!(CommandGrant::default().named(&"x".repeat(1 << 20)).unwrap_err().len() < 400);
    }

    #[test]
    fn sockets_are_chosen_among_those_granted() {
        let grant = |sockets: &[&str]| SocketGrant {
            plugin: "container".to_owned(),
            sockets: sockets.iter().map(PathBuf::from).collect(),
        };
        let (docker, podman) = ("/run/docker.sock", "/run/podman/podman.sock");
        assert_eq!(grant(&[docker]).choose(None), Ok(Path::new(docker)));
        assert_eq!(grant(&[docker, podman]).choose(Some(podman)), Ok(Path::new(podman)));
        let refused = grant(&[]).choose(None).unwrap_err();
        assert!(
            refused.ends_with("`plugins: { container: { allow: { sockets: [/run/docker.sock] } } }`"),
            "{refused}"
        );
        let refused = grant(&[docker]).choose(Some("/run/../run/docker\n.sock")).unwrap_err();
        assert!(refused.ends_with("sockets: [/run/../run/docker.sock] } } }`"), "{refused}");
        let unclear = grant(&[docker, podman]).choose(None).unwrap_err();
        assert!(unclear.ends_with("which: /run/docker.sock, /run/podman/podman.sock"), "{unclear}");
    }

    #[test]
    fn nothing_is_told_unless_it_is_granted() {
        for (name, machine) in Machine::ALL {
            assert_eq!(machine.name(), name);
            assert!(MachineGrant::default().allows(machine).unwrap_err().contains(name));
            assert!(MachineGrant::Any.allows(machine).is_ok());
            for (other, granted) in Machine::ALL {
                let grant = MachineGrant::Only([granted].into());
                assert_eq!(grant.allows(machine).is_ok(), name == other);
            }
        }
    }
}
