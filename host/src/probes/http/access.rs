//! What a request may reach, and where the service's secrets may go. Pure.

use std::path::{Path, PathBuf};

use pihook_core::Secret;

use crate::hosts::{HostPattern, HostPort, Scheme};

/// What one service's requests may do.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The service's own hosts. Secrets and credentials are sent to these and nowhere else.
    pub own_hosts: Vec<HostPort>,
    /// What the placeholders `${secret:N}` stand for, by index.
    pub secrets: Vec<Secret>,
    /// Which hosts may be asked beside the own ones, redirects included.
    pub grant: HttpGrant,
    /// The files whose certificates the service's settings trust. Another one is read for a bundled plugin only.
    pub ca_files: Vec<PathBuf>,
}

impl Access {
    /// Whether a request to this host may be made.
    #[must_use]
    pub fn reaches(&self, scheme: Scheme, to: &HostPort) -> bool {
        self.own_hosts.contains(to) || self.grant.allows(scheme, to)
    }

    /// Whether certificates may be read from this file.
    #[must_use]
    pub fn trusts_file(&self, file: &Path) -> bool {
        matches!(self.grant, HttpGrant::Any) || self.ca_files.iter().any(|known| known == file)
    }
}

/// Which hosts may be asked.
#[derive(Clone, Debug)]
pub enum HttpGrant {
    /// Every host, and every file of certificates: for plugins that come with PiHook.
    Any,
    /// Hosts that match one of the patterns; without patterns none.
    Hosts(Vec<HostPattern>),
}

impl Default for HttpGrant {
    fn default() -> Self {
        Self::Hosts(Vec::new())
    }
}

impl HttpGrant {
    /// Whether a request to this host may be made.
    #[must_use]
    pub fn allows(&self, scheme: Scheme, to: &HostPort) -> bool {
        match self {
            Self::Any => true,
            Self::Hosts(patterns) => patterns.iter().any(|pattern| pattern.matches(scheme, to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_granted_leaves_the_own_hosts_and_files() {
        let own = HostPort::new("nas.lan", 8080);
        let access = Access {
            own_hosts: vec![own.clone()],
            ca_files: vec!["/etc/ca.pem".into()],
            ..Access::default()
        };
        assert!(access.reaches(Scheme::Http, &own));
        assert!(!access.reaches(Scheme::Http, &HostPort::new("nas.lan", 80)));
        assert!(access.trusts_file(Path::new("/etc/ca.pem")));
        assert!(!access.trusts_file(Path::new("/etc/passwd")));
        let any = Access { grant: HttpGrant::Any, ..Access::default() };
        assert!(any.reaches(Scheme::Http, &own) && any.trusts_file(Path::new("/x")));
    }
}
