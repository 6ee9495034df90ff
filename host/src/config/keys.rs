//! Every key that services.yaml knows, declared once: the reader and the test of docs/configuration.md use this.

use super::problem::{Fault, quoted};

/// A mapping of the file and the keys it may have.
#[derive(Debug)]
pub(super) struct Section {
    /// As in docs/configuration.md: `services[]`, `sinks.NAME`.
    pub(super) name: &'static str,
    /// The keys that this version understands.
    pub(super) keys: &'static [&'static str],
    /// Keys that a later version will understand.
    pub(super) later: &'static [&'static str],
    /// What else may be meant by a key that is not known.
    pub(super) hint: &'static str,
}

pub(super) const ROOT: Section = Section {
    name: "services.yaml",
    keys: &[
        "data_dir",
        "maintenance_flag",
        "dashboard",
        "history",
        "defaults",
        "escalation",
        "escalation_degraded",
        "zones",
        "sinks",
        "plugins",
        "services",
        "watchdog",
        "maintenance",
        "startup_message",
    ],
    later: &[],
    hint: "",
};

pub(super) const DASHBOARD: Section = Section {
    name: "dashboard",
    keys: &["listen", "auth", "public_badges", "hosts", "base_path", "trusted_proxies", "tls"],
    later: &[],
    hint: "",
};

pub(super) const AUTH: Section =
    Section { name: "dashboard.auth", keys: &["user", "password", "password_hash"], later: &[], hint: "" };

pub(super) const TLS: Section =
    Section { name: "dashboard.tls", keys: &["certificate", "key"], later: &[], hint: "" };

pub(super) const WATCHDOG: Section =
    Section { name: "watchdog", keys: &["url", "interval"], later: &[], hint: "" };

pub(super) const HISTORY: Section = Section {
    name: "history",
    keys: &["keep_checks", "keep_rollups", "export_dir", "commit_every", "weekly_report"],
    later: &[],
    hint: "",
};

pub(super) const DEFAULTS: Section = Section {
    name: "defaults",
    keys: &["interval", "retries", "connect_timeout", "read_timeout", "recover_after", "flap"],
    later: &[],
    hint: "",
};

pub(super) const LEVEL: Section = Section {
    name: "escalation[]",
    keys: &["after", "severity", "sinks", "mention", "formatter", "repeat"],
    later: &[],
    hint: "",
};

pub(super) const ZONE: Section = Section { name: "zones.NAME", keys: &["canaries"], later: &[], hint: "" };

pub(super) const FLAP: Section =
    Section { name: "flap", keys: &["window", "high", "low"], later: &[], hint: "" };

pub(super) const DISCORD: Section = Section {
    name: "type: discord",
    keys: &[
        "type",
        "url",
        "formatter",
        "digest_formatter",
        "username",
        "thread_id",
        "silent_recoveries",
        "update",
    ],
    later: &[],
    hint: "",
};

/// Keys that every sink has beside those of its type.
pub(super) const SINK: Section = Section {
    name: "sinks.NAME",
    keys: &["gather", "max_per_minute", "quiet_hours", "fallback", "fallback_after"],
    later: &[],
    hint: "",
};

pub(super) const QUIET: Section =
    Section { name: "quiet_hours", keys: &["daily", "weekly", "timezone"], later: &[], hint: "" };

pub(super) const WINDOW: Section = Section {
    name: "maintenance[]",
    keys: &["name", "daily", "weekly", "monthly", "from", "until", "timezone", "services", "zones", "reason"],
    later: &[],
    hint: "",
};

pub(super) const TELEGRAM: Section = Section {
    name: "type: telegram",
    keys: &[
        "type",
        "token",
        "chat",
        "topic",
        "chats",
        "api",
        "formatter",
        "digest_formatter",
        "silent_recoveries",
    ],
    later: &[],
    hint: "",
};

pub(super) const CHATS: Section =
    Section { name: "chats", keys: &["info", "warning", "critical"], later: &[], hint: "" };

pub(super) const NTFY: Section = Section {
    name: "type: ntfy",
    keys: &["type", "topic", "server", "token", "user", "password", "click", "formatter", "digest_formatter"],
    later: &[],
    hint: "",
};

pub(super) const WEBHOOK: Section = Section {
    name: "type: webhook",
    keys: &["type", "url", "secret", "headers", "formatter", "digest_formatter"],
    later: &[],
    hint: "",
};

pub(super) const EMAIL: Section = Section {
    name: "type: email",
    keys: &[
        "type",
        "server",
        "port",
        "tls",
        "user",
        "password",
        "from",
        "to",
        "ca_file",
        "formatter",
        "digest_formatter",
    ],
    later: &[],
    hint: "",
};

pub(super) const EXEC: Section = Section {
    name: "type: exec",
    keys: &["type", "command", "allow", "timeout", "formatter", "digest_formatter"],
    later: &[],
    hint: "",
};

pub(super) const PLUGIN: Section = Section {
    name: "plugins.NAME",
    keys: &["file", "sha256", "allow", "memory", "cpu"],
    later: &[],
    hint: "",
};

pub(super) const ALLOW: Section = Section {
    name: "plugins.NAME.allow",
    keys: &["http", "network", "machine", "files", "commands", "sockets"],
    later: &[],
    hint: "",
};

pub(super) const SERVICE: Section = Section {
    name: "services[]",
    keys: &[
        "name",
        "id",
        "zone",
        "url",
        "check",
        "settings",
        "interval",
        "retries",
        "connect_timeout",
        "read_timeout",
        "recover_after",
        "escalation",
        "escalation_degraded",
        "formatter",
        "flap",
        "depends_on",
    ],
    later: &[],
    hint: ", and a check's own settings go below `settings:`",
};

#[cfg(test)]
pub(super) const ALL: [&Section; 23] = [
    &ROOT, &DASHBOARD, &AUTH, &HISTORY, &DEFAULTS, &LEVEL, &ZONE, &DISCORD, &TELEGRAM, &CHATS, &NTFY,
    &WEBHOOK, &PLUGIN, &ALLOW, &SERVICE, &WATCHDOG, &WINDOW, &EMAIL, &EXEC, &FLAP, &SINK, &QUIET, &TLS,
];

impl Section {
    /// The keys that it may have: those of a sink's type, and those of every sink.
    pub(super) fn known(&self) -> impl Iterator<Item = &'static &'static str> + use<> {
        let shared = if self.name.starts_with("type: ") { SINK.keys } else { &[] };
        self.keys.iter().chain(shared)
    }

    /// Whether this is one of them.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.known().any(|known| *known == key)
    }

    /// What is wrong with a key that is not one of `keys`.
    pub(super) fn refuse(&self, key: &str) -> Fault {
        if self.later.contains(&key) {
            return later(&quoted(key));
        }
        let what = format!("the key {} is not known here", quoted(key));
        let remedy = match (nearest(key, self.known()), self.keys.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => "write `{}`: there is nothing to set yet".to_owned(),
            (None, false) => format!("known here: {}{}", listed(self.known()), self.hint),
        };
        Fault::new(what, remedy)
    }
}

/// Says of a part of the format that it is not there yet.
pub(super) fn later(name: &str) -> Fault {
    let what = format!("this version of PiHook does not support {name} yet");
    Fault::new(what, "remove it until a later version does")
}

/// The known names, for a remedy.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    let names: Vec<_> = names.into_iter().take(30).copied().collect();
    names.join(", ")
}

/// The known name that was probably meant.
pub(super) fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a &'a str>) -> Option<&'a str> {
    if typed.len() > 100 {
        return None;
    }
    let typed = typed.to_lowercase();
    let allowed = typed.chars().count().div_ceil(3).min(3);
    known
        .into_iter()
        .filter_map(|name| Some((distance(&typed, &name.to_lowercase(), allowed)?, *name)))
        .min()
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that make `a` of `b`, if they are at most so many. Long
/// names that differ at once cost little: a file may have many of them.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        // A swap reaches back over two rows.
        let beyond = |row: &Vec<usize>| row.iter().all(|distance| *distance > most);
        if beyond(&row) && beyond(&rows[i]) {
            return None;
        }
        rows.push(row);
    }
    Some(rows[a.len()][b.len()]).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_and_swaps() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("intervall", "interval", 1),
            ("zoen", "zone", 1),
            ("kitten", "sitting", 3),
        ] {
            for most in 0..9 {
                let expected = (expected <= most).then_some(expected);
                assert_eq!(distance(a, b, most), expected, "{a} {b}");
                assert_eq!(distance(b, a, most), expected, "{b} {a}");
            }
        }
    }

    #[test]
    fn nearest_suggests_what_was_meant_and_nothing_far_fetched() {
        assert_eq!(nearest("read-timeout", DEFAULTS.keys), Some("read_timeout"));
        assert_eq!(nearest("Zone", SERVICE.keys), Some("zone"));
        assert_eq!(nearest("banana", SERVICE.keys), None);
        assert_eq!(nearest(&"x".repeat(10_000), SERVICE.keys), None);
    }

    #[test]
    fn no_key_is_both_known_and_later() {
        for section in ALL {
            assert!(section.later.iter().all(|key| !section.keys.contains(key)), "{}", section.name);
        }
    }
}
