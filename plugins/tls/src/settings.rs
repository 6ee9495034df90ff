//! What a service's `settings` may say.

use pihook_plugin::settings::{AbsolutePath, Host, Millis, Port};
use serde::Deserialize;

/// The settings of the `tls` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A name or an address.
    pub host: Host,
    /// The port; without it that of the protocol.
    pub port: Option<Port>,
    /// What is said in plain text before.
    pub starttls: Option<Starttls>,
    /// The name that the certificate is to be valid for, when it is not the host.
    pub server_name: Option<Host>,
    /// PEM certificates that are trusted beside the system's.
    pub ca_file: Option<AbsolutePath>,
    /// Whether the certificate must be trusted and valid for the name.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Certificates that expire earlier are degraded.
    #[serde(default = "two_weeks")]
    pub valid_for: Millis,
    /// The least version of TLS.
    #[serde(default)]
    pub min_version: Version,
}

impl Settings {
    /// The port, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        match (self.port, self.starttls) {
            (Some(port), _) => port.0,
            (None, None) => 443,
            (None, Some(Starttls::Smtp)) => 587,
            (None, Some(Starttls::Imap)) => 143,
        }
    }
}

/// Whose `STARTTLS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Starttls {
    /// SMTP's.
    Smtp,
    /// IMAP's.
    Imap,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Version {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

fn yes() -> bool {
    true
}

fn two_weeks() -> Millis {
    Millis(14 * 86_400_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pihook_plugin::settings::{keys, problems, read};
    use serde_json::{Value, json};

    use super::*;
    use crate::Tls;

    fn mistakes(settings: &Value) -> Vec<String> {
        let found = problems::<Tls>(&settings.to_string());
        found.into_iter().map(|found| format!("{}: {}; {}", found.path, found.what, found.remedy)).collect()
    }

    #[test]
    fn the_port_is_the_protocols_own() {
        for (rest, port) in [
            (json!({}), 443),
            (json!({"starttls": "smtp"}), 587),
            (json!({"starttls": "imap"}), 143),
            (json!({"starttls": "smtp", "port": 25}), 25),
        ] {
            let mut all = json!({"host": "a"});
            if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
                all.extend(rest);
            }
            assert_eq!(read::<Settings>(&all.to_string()).expect("good").port(), port);
        }
    }

    #[test]
    fn each_mistake_is_named_with_its_remedy() {
        for (settings, expected) in [
            (json!({}), "host: is missing; `host` is required"),
            (json!({"host": "a", "starttls": "pop3"}), "starttls: is `pop3`; one of smtp, imap"),
            (
                json!({"host": "a", "ca_file": "x"}),
                "ca_file: \"x\" is a relative path; an absolute path, such as /etc/pihook/ca.pem",
            ),
            (json!({"host": "a", "port": 0}), "port: is the number 0; a number from 1 to 65535"),
        ] {
            assert_eq!(mistakes(&settings), [expected], "{settings}");
        }
        assert_eq!(mistakes(&json!({"host": "a", "min_version": "1.1", "valid_for": 14})).len(), 2);
        assert_eq!(mistakes(&json!({"host": "a:b", "server_name": "${secret:0}"})).len(), 2);
        let all = json!({"host": "::1", "port": 993, "server_name": "mail.lan", "ca_file": "/ca.pem", "verify": false,
            "valid_for": "7d", "min_version": "1.3"});
        assert_eq!(mistakes(&all), [""; 0]);
    }

    #[test]
    fn the_documentation_names_each_key_and_no_other() {
        let guide = include_str!("../../../docs/checks/tls.md");
        let in_docs: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Setting").into_iter().collect();
        assert_eq!(keys::<Settings>().iter().copied().collect::<BTreeSet<_>>(), in_docs);
    }
}
