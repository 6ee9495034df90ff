//! By which names the dashboard is called. A page of somebody else's can have its own name lead here (DNS rebinding), and a
//! browser would then take PiHook's answers for that page's own; but it still says which name it was.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The names that count beside `localhost`. Addresses count always: nobody can have one lead elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeSet<String>);

impl Hosts {
    /// These names, in any case.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_ascii_lowercase).collect())
    }

    /// Whether this is one of them, with or without a port.
    #[must_use]
    pub fn admit(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        bare.parse::<IpAddr>().is_ok() || name == "localhost" || self.0.contains(&name)
    }
}

/// None if what stands behind the last colon is no port.
fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |end| end + 1);
    let (address, rest) = host.split_at_checked(end)?;
    let Some((name, port)) = rest.split_once(':') else { return Some(host) };
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let length = address.len() + name.len();
    if is_port { host.get(..length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_and_addresses_are_not() {
        let hosts = Hosts::new(["Pi.lan", "raspberrypi"]);
        for good in [
            "localhost",
            "LOCALHOST:8420",
            "127.0.0.1:8420",
            "127.0.0.1",
            "[::1]:8420",
            "[::1]",
            "192.168.1.5:80",
            "pi.lan",
            "PI.LAN:8420",
            "pi.lan.",
            "raspberrypi:",
        ] {
            assert!(hosts.admit(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "pi.lan.evil.example",
            "evil.example:8420",
            "localhost.evil.example",
            "pi.lan:80:80",
            "pi.lan@evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1:x",
            "[::1",
            "::1]:80",
            "a]b]",
            "localhost/x",
        ] {
            assert!(!hosts.admit(bad), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_host_panics_and_what_is_not_listed_is_not_admitted(host in "\\PC{0,60}") {
            let name = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
            let numeric = name.trim_matches(['[', ']', '.']).parse::<IpAddr>().is_ok()
                || host.trim_matches(['[', ']', '.']).parse::<IpAddr>().is_ok();
            let local = name.to_ascii_lowercase().starts_with("localhost");
            proptest::prop_assert!(numeric || local || !Hosts::default().admit(&host));
        }
    }
}
