//! How a service is checked, as people are shown it: one line a setting, without secrets.

use std::sync::Arc;

use pihook_core::plain::humanise;
use pihook_core::{After, Cadence, Level};
use serde_json::Value;

use super::masked::masked;
use crate::board::Setting;
use crate::config::ServiceConfig;

/// Settings that are shown of a service at most.
const MOST: usize = 100;
/// Characters of a value that are shown.
const LONGEST: usize = 300;

/// The settings of a service by the names of services.yaml.
pub(super) fn shown(config: &ServiceConfig) -> Arc<[Setting]> {
    let (service, check) = (&config.service, &config.check);
    let interval = match service.cadence {
        Cadence::Every(interval) => humanise(interval),
        Cadence::Pushed => "pushed".to_owned(),
    };
    let mut all: Vec<Setting> = [
        ("check", check.plugin.clone()),
        ("interval", interval),
        ("retries", check.retries.to_string()),
        ("connect_timeout", humanise(check.connect_timeout)),
        ("read_timeout", humanise(check.read_timeout)),
        ("recover_after", service.recover_after.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| Setting { name: name.to_owned(), value })
    .collect();
    flatten("settings", &masked(&check.settings), &mut all);
    all.truncate(MOST);
    let ladders = [("escalation", Some(&service.ladder)), ("escalation_degraded", service.degraded.as_ref())];
    for (name, ladder) in ladders {
        for (index, level) in ladder.iter().flat_map(|ladder| ladder.levels()).enumerate() {
            all.push(Setting { name: format!("{name}[{index}]"), value: level_in_words(level) });
        }
    }
    all.into()
}

fn level_in_words(level: &Level) -> String {
    let after = match level.after {
        After::Failures(count) if count.get() == 1 => "1 failed check".to_owned(),
        After::Failures(count) => format!("{count} failed checks"),
        After::Elapsed(time) => humanise(time),
    };
    let sinks: Vec<&str> = level.sinks.iter().map(pihook_core::SinkId::as_str).collect();
    let whom = if sinks.is_empty() { "nobody".to_owned() } else { sinks.join(", ") };
    let again = level.repeat.map(|repeat| format!(", again every {}", humanise(repeat))).unwrap_or_default();
    format!("after {after}: {}, to {whom}{again}", level.severity)
}

/// The file's depth is bounded, and this with it.
fn flatten(name: &str, value: &Value, all: &mut Vec<Setting>) {
    if all.len() >= MOST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&format!("{name}.{key}"), value, all);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{name}[{index}]"), item, all);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(scalar).collect();
            all.push(Setting { name: name.to_owned(), value: cut(&items.join(", ")) });
        }
        _ => all.push(Setting { name: name.to_owned(), value: cut(&scalar(value)) }),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Surroundings, parse};

    #[test]
    fn settings_are_shown_without_secrets() {
        let text = r#"
sinks: { d: { type: discord, url: "https://discord.com/api/webhooks/1/token" } }
services:
  - name: Gitea
    check: http
    interval: 90s
    settings:
      url: "https://me:hunter2@git.example/x/${TOKEN}/y?api_key=abcdef&page=2"
      headers: { Authorization: "Bearer written-out", X-Plain: "${TOKEN}", Accept: text/html }
      password: 12345678
      expect: { status: "200-299", body_contains: ok }
      list: [1, two]
"#;
        let token = |name: &str| (name == "TOKEN").then(|| "s3cret-token".to_owned());
        let unreadable = |_: &Path| Err(std::io::Error::other("none"));
        let surroundings = Surroundings {
            file: Path::new("services.yaml"),
            base: Path::new("/"),
            environment: &token,
            read_file: &unreadable,
        };
        let config = parse(text.as_bytes(), &surroundings).unwrap();
        let settings = shown(&config.services[0]);
        let value = |name: &str| {
            let found = settings.iter().find(|setting| setting.name == name);
            found.unwrap_or_else(|| panic!("{name} is missing in {settings:?}")).value.as_str()
        };
        assert_eq!(value("settings.url"), "https://***@git.example/x/***/y?api_key=***&page=2");
        assert_eq!(value("settings.headers.Authorization"), "***");
        assert_eq!(value("settings.headers.X-Plain"), "***");
        assert_eq!(value("settings.headers.Accept"), "text/html");
        assert_eq!(value("settings.password"), "***");
        assert_eq!(value("settings.expect.status"), "200-299");
        assert_eq!(value("settings.list"), "1, two");
        assert_eq!(value("interval"), "1 min 30 s");
        assert_eq!(value("escalation[0]"), "after 3 failed checks: critical, to d");
        let all = format!("{settings:?}");
        for secret in ["s3cret", "hunter2", "abcdef", "written-out", "12345678"] {
            assert!(!all.contains(secret), "{all}");
        }
    }
}
