//! Types for settings that say where something is: hosts, ports, files. None of them may be a secret.

use serde::de::{Deserialize, Deserializer};

use super::invalid;
use crate::text::one_line;

/// How the placeholder of a secret begins, which the host fills in for HTTP only.
const SECRET: &str = "${secret:";

/// Why a secret is a mistake where nobody fills it in.
const NOT_FILLED_IN: &str = "comes from a secret, which is not filled in here";

/// The longest name that DNS knows, with its final dot.
const LONGEST_NAME: usize = 254;

/// A host's name or address, without a port and without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(pub String);

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Host, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains(SECRET) {
            return Err(invalid(NOT_FILLED_IN, "write the name itself"));
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/@[]?#".contains(c);
        // One colon parts a port; an IPv6 address has more, and nothing else has any.
        let colons = bare.contains(':') && bare.parse::<std::net::Ipv6Addr>().is_err();
        if bare.is_empty() || bare.len() > LONGEST_NAME || bare.contains(odd) || colons {
            let what = format!("\"{}\" is no host", one_line(&text, 60));
            let remedy = "a name or an address alone, such as nas.lan, 192.168.1.1 or fd00::1";
            return Err(invalid(what, remedy));
        }
        Ok(Host(bare.to_owned()))
    }
}

/// A port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(pub u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Port, D::Error> {
        match u16::deserialize(deserializer)? {
            0 => Err(invalid("is the number 0", "a number from 1 to 65535")),
            port => Ok(Port(port)),
        }
    }
}

/// An absolute path of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsolutePath(pub String);

impl<'de> Deserialize<'de> for AbsolutePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AbsolutePath, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains(SECRET) {
            return Err(invalid(NOT_FILLED_IN, "write the path itself"));
        }
        if !text.starts_with('/') {
            let what = format!("\"{}\" is a relative path", one_line(&text, 60));
            return Err(invalid(what, "an absolute path, such as /etc/pihook/ca.pem"));
        }
        Ok(AbsolutePath(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::settings::read;

    #[test]
    fn hosts_are_names_or_addresses() {
        for (text, host) in [
            ("nas.lan", "nas.lan"),
            ("192.168.1.1", "192.168.1.1"),
            ("[fd00::1]", "fd00::1"),
            ("::1", "::1"),
            ("ö_1.de.", "ö_1.de."),
        ] {
            assert_eq!(read::<Host>(&json!(text).to_string()), Ok(Host(host.to_owned())));
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        for text in
            ["", "[]", "nas:22", "tcp://nas", "a b", "a\n", "u@a", "a:b:c", "[nas", "${secret:0}", &long]
        {
            assert!(read::<Host>(&json!(text).to_string()).is_err(), "{text}");
        }
    }

    #[test]
    fn ports_and_paths_are_checked() {
        assert_eq!(read::<Port>("65535"), Ok(Port(65535)));
        for text in ["0", "65536", "-1", "\"22\"", "22.5"] {
            assert!(read::<Port>(text).is_err(), "{text}");
        }
        assert_eq!(read::<AbsolutePath>("\"/ca.pem\""), Ok(AbsolutePath("/ca.pem".to_owned())));
        for text in ["\"ca.pem\"", "\"\"", "\"/${secret:0}\""] {
            assert!(read::<AbsolutePath>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_accepted_or_refused(text in any::<String>()) {
            let _ = read::<Host>(&json!(text).to_string());
        }
    }
}
