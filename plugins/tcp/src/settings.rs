//! What a service's `settings` may say.

use pihook_plugin::settings::{Host, Millis, Port, invalid};
use pihook_plugin::text::one_line;
use regex_lite::{Regex, RegexBuilder};
use serde::de::{Deserialize, Deserializer};

/// How the placeholder of a secret begins. The host fills none in here.
const SECRET: &str = "${secret:";

/// Memory that a compiled pattern may take, in bytes: a plugin has 16 MiB in all.
const PATTERN_LIMIT: usize = 1 << 20;

/// The most that is sent, in bytes.
const MOST_SENT: usize = 64 * 1024;

/// The settings of the `tcp` check.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// A name or an address.
    pub host: Host,
    /// The port.
    pub port: Port,
    /// What to send once connected.
    pub send: Option<Words>,
    /// What the answer must be like.
    #[serde(default)]
    pub expect: Expect,
}

/// What the answer must be like.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Text that must be in the answer.
    pub contains: Option<Words>,
    /// A regular expression that must match somewhere in the answer.
    pub matches: Option<Pattern>,
    /// Slower is degraded.
    pub max_response_time: Option<Millis>,
}

/// A text, not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(pub String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Words, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(invalid("is empty", "a text, or leave the key out"));
        }
        if text.len() > MOST_SENT {
            return Err(invalid("is longer than 64 KiB", "a shorter text"));
        }
        no_secret(&text).map_err(|what| invalid(what, "write the text itself"))?;
        Ok(Words(text))
    }
}

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        no_secret(&text).map_err(|what| invalid(what, "write the text itself"))?;
        RegexBuilder::new(&text).size_limit(PATTERN_LIMIT).build().map(Pattern).map_err(|error| {
            let what = format!("\"{}\" is no regular expression: {error}", one_line(&text, 60));
            invalid(what.replace("; ", ", "), "escape . * + ? ( ) [ ] { } | ^ $ and \\ with a \\")
        })
    }
}

fn no_secret(text: &str) -> Result<(), &'static str> {
    if text.contains(SECRET) {
        Err("holds a secret, which is neither sent nor compared here")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pihook_plugin::settings::{keys, problems, read};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::Tcp;

    fn mistakes(settings: &Value) -> Vec<String> {
        let found = problems::<Tcp>(&settings.to_string());
        found.into_iter().map(|found| format!("{}: {}; {}", found.path, found.what, found.remedy)).collect()
    }

    #[test]
    fn good_settings_have_no_problems() {
        for settings in [
            json!({"host": "nas.lan", "port": 22}),
            json!({"host": "[::1]", "port": 65535, "send": "PING\r\n", "expect": {"contains": "PONG"}}),
            json!({"host": "fe80::1", "port": 1, "expect": {"matches": "^SSH-2", "max_response_time": "1s"}}),
        ] {
            assert_eq!(mistakes(&settings), [""; 0], "{settings}");
        }
        let read: Settings = read(r#"{"host": "[::1]", "port": 22}"#).expect("they are good");
        assert_eq!((read.host.0.as_str(), read.port.0), ("::1", 22));
    }

    #[test]
    fn each_mistake_is_named_with_its_remedy() {
        let host = |text: &str| {
            format!(
                "host: \"{text}\" is no host; a name or an address alone, such as nas.lan, 192.168.1.1 or fd00::1"
            )
        };
        for (settings, expected) in [
            (json!({"port": 22}), "host: is missing; `host` is required".to_owned()),
            (json!({"host": "nas"}), "port: is missing; `port` is required".to_owned()),
            (json!({"host": "nas:22", "port": 22}), host("nas:22")),
            (json!({"host": "tcp://nas", "port": 22}), host("tcp://nas")),
            (json!({"host": "", "port": 22}), host("")),
            (json!({"host": "a", "port": 0}), "port: is the number 0; a number from 1 to 65535".to_owned()),
            (
                json!({"host": "a", "port": 1, "send": "${secret:0}"}),
                "send: holds a secret, which is neither sent nor compared here; write the text itself"
                    .to_owned(),
            ),
            (
                json!({"host": "a", "port": 1, "expect": {"contains": ""}}),
                "expect.contains: is empty; a text, or leave the key out".to_owned(),
            ),
            (
                json!({"host": "a", "port": 1, "expect": {"contain": "x"}}),
                "expect.contain: unknown key `contain`; did you mean `contains`?".to_owned(),
            ),
        ] {
            assert_eq!(mistakes(&settings), [expected], "{settings}");
        }
        assert_eq!(mistakes(&json!({"host": "a", "port": 1, "expect": {"matches": "("}})).len(), 1);
    }

    #[test]
    fn the_documentation_names_each_key_and_no_other() {
        let in_code: BTreeSet<String> = [("", keys::<Settings>()), ("expect.", keys::<Expect>())]
            .into_iter()
            .flat_map(|(prefix, keys)| keys.iter().map(move |key| format!("{prefix}{key}")))
            .filter(|key| key != "expect")
            .collect();
        let guide = include_str!("../../../docs/checks/tcp.md");
        let in_docs: BTreeSet<String> =
            pihook_plugin::guide::column(guide, "Setting").into_iter().map(str::to_owned).collect();
        assert_eq!(in_code, in_docs);
    }

    proptest! {
        #[test]
        fn any_host_is_accepted_or_refused(host in any::<String>(), port in any::<i64>()) {
            for problem in problems::<Tcp>(&json!({"host": host, "port": port}).to_string()) {
                prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty());
            }
        }
    }
}
