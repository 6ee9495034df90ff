//! Settings of services.yaml as people and programs are shown them: without secrets.
//!
//! What `${…}` brings in is known to be secret. What is written out is not, so names that speak of secrets and the places
//! where addresses carry them are masked too.

use serde_json::Value;

/// In place of a secret.
const MASK: &str = "***";
/// What a name has in it whose value is nobody's business.
const TELLING: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "bearer",
    "authorization",
    "cookie",
    "api_key",
    "apikey",
    "credential",
];

/// The settings with a mask in place of what is secret. The file's depth is bounded, and this with it.
pub(super) fn masked(settings: &Value) -> Value {
    match settings {
        Value::Object(map) => {
            let one = |(key, value): (&String, &Value)| (key.clone(), under(key, value));
            Value::Object(map.iter().map(one).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(masked).collect()),
        Value::String(text) => Value::String(without_credentials(&without_placeholders(text))),
        Value::Null | Value::Bool(_) | Value::Number(_) => settings.clone(),
    }
}

fn under(key: &str, value: &Value) -> Value {
    let says_nothing = value.is_null() || value.is_boolean();
    if speaks_of_secrets(key) && !says_nothing { Value::from(MASK) } else { masked(value) }
}

fn speaks_of_secrets(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    TELLING.iter().any(|telling| name.contains(telling)) || name == "key" || name == "pass"
}

/// A placeholder is `${secret:N}`.
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

/// An address may have a name and a password before its host, and secrets in its query.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{MASK}@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, query)) => {
            let pairs: Vec<String> = query.split('&').map(pair).collect();
            format!("{path}?{}", pairs.join("&"))
        }
        None => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if speaks_of_secrets(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_shown() {
        let settings = json!({
            "url": "https://me:hunter2@nas.lan:8080/a?key=written-out&page=2&b=${secret:1}",
            "auth": { "bearer": "written out", "basic": { "user": "me", "password": "hunter2" } },
            "headers": { "X-Api-Token": "abc", "X-Api-Key": "abc", "Accept": "text/html" },
            "expect": { "status": "200-299", "body_contains": "${secret:2}" },
            "list": ["a", "x${secret:3}", 1, true, null],
            "token": 12345,
            "credentials": { "user": "me" },
            "secret": null,
        });
        let expected = json!({
            "url": "https://***@nas.lan:8080/a?key=***&page=2&b=***",
            "auth": { "bearer": "***", "basic": { "user": "me", "password": "***" } },
            "headers": { "X-Api-Token": "***", "X-Api-Key": "***", "Accept": "text/html" },
            "expect": { "status": "200-299", "body_contains": "***" },
            "list": ["a", "x***", 1, true, null],
            "token": "***",
            "credentials": "***",
            "secret": null,
        });
        assert_eq!(masked(&settings), expected);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_no_placeholder_stays(text in "(.{0,5}|\\$\\{secret:[0-9]{0,3}\\}?|://|@|\\?|&|=|[a-z/#]){0,20}") {
            let shown = masked(&json!(text));
            let bare = !shown.as_str().unwrap_or_default().contains("${secret:");
            proptest::prop_assert!(bare);
        }
    }
}
