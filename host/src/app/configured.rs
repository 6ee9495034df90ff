//! What services.yaml says, as the dashboard shows it: without secrets.

use pihook_core::maintenance::Window;
use serde_json::Value;

use crate::config::Config;
use crate::dashboard::Configured;

/// In place of a secret.
const MASK: &str = "***";
/// Settings whose names have one of these in them are secret, wherever their value comes from.
const SECRET: [&str; 6] = ["password", "token", "secret", "bearer", "authorization", "cookie"];

/// What the dashboard needs of it.
pub(super) fn configured(config: &Config) -> Configured {
    let settings = config.services.iter();
    Configured {
        settings: settings.map(|it| (it.service.id.clone(), masked(&it.check.settings))).collect(),
        zones: config.zones.clone(),
        maintenance_flag: config.maintenance_flag.clone(),
        windows: config.windows.iter().map(Window::clone).collect(),
    }
}

/// The settings with a mask in place of what came through `${…}`, of what its name calls secret, and of passwords in
/// addresses.
fn masked(settings: &Value) -> Value {
    match settings {
        Value::Object(map) => {
            let one = |(key, value): (&String, &Value)| (key.clone(), under(key, value));
            Value::Object(map.iter().map(one).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(masked).collect()),
        Value::String(text) => Value::String(without_placeholders(&without_password(text))),
        Value::Null | Value::Bool(_) | Value::Number(_) => settings.clone(),
    }
}

fn under(key: &str, value: &Value) -> Value {
    let key = key.to_ascii_lowercase();
    let is_secret = SECRET.iter().any(|word| key.contains(word));
    if is_secret && (value.is_string() || value.is_number()) { Value::from(MASK) } else { masked(value) }
}

fn without_placeholders(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${secret:") {
        shown.push_str(before);
        shown.push_str(MASK);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    shown + rest
}

/// An address may have a name and a password before its host.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASK}@{host}{path}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_shown() {
        let settings = json!({
            "url": "https://me:hunter2@nas.lan:8080/a?key=${secret:0}&b=${secret:1}",
            "auth": { "bearer": "written out", "basic": { "user": "me", "password": "hunter2" } },
            "headers": { "X-Api-Token": "abc", "Accept": "text/html" },
            "expect": { "status": "200-299", "body_contains": "${secret:2}" },
            "list": ["a", "x${secret:3}", 1, true, null],
            "token": 12345,
        });
        let expected = json!({
            "url": "https://***@nas.lan:8080/a?key=***&b=***",
            "auth": { "bearer": "***", "basic": { "user": "me", "password": "***" } },
            "headers": { "X-Api-Token": "***", "Accept": "text/html" },
            "expect": { "status": "200-299", "body_contains": "***" },
            "list": ["a", "x***", 1, true, null],
            "token": "***",
        });
        assert_eq!(masked(&settings), expected);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_no_placeholder_stays(text in "(.{0,5}|\\$\\{secret:[0-9]{1,3}\\}?|://|@){0,12}") {
            let shown = masked(&json!(text));
            let bare = !shown.as_str().unwrap_or_default().contains("${secret:");
            proptest::prop_assert!(bare);
        }
    }
}
