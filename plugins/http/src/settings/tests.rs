use std::collections::BTreeSet;

use pihook_plugin::settings::{keys, problems, read};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Http;

/// Each problem as `path: what; remedy`.
fn mistakes(settings: &Value) -> Vec<String> {
    let found = problems::<Http>(&settings.to_string());
    found.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn the_address_alone_is_enough() {
    let settings: Settings = read(r#"{"url":"http://192.168.1.10:8096/health"}"#).expect("they are good");
    assert_eq!((settings.method.as_str(), settings.verify, settings.redirects), ("GET", true, 10));
    assert!(settings.expect.status.is_none());
}

#[test]
fn good_settings_have_no_problems() {
    for settings in [
        json!({"url": "https://git.example.duckdns.org", "expect": {"status": "200-299", "body_contains": "ok",
               "max_response_time": "2s", "certificate_valid_for": "14d"}}),
        json!({"url": "HTTP://nas.lan", "method": "head", "expect": {"status": 204}}),
        json!({"url": "http://[fe80::1]:8080/x?a=b#c", "expect": {"json": {"/status": "ok", "": null}}}),
        json!({"url": "http://[::1]", "ca_file": "/etc/ca.pem", "auth": {"bearer": "${secret:0}"}}),
        json!({"url": "${secret:0}/health", "headers": {"X-Api-Key": "${secret:1}"}}),
        json!({"url": "http://a/", "auth": {"basic": {"user": "u", "password": "${secret:1}"}}, "method": "POST", "body": "x"}),
    ] {
        assert_eq!(mistakes(&settings), [""; 0], "{settings}");
    }
}

/// Settings with a mistake, and how it is told.
fn mistaken_requests() -> Vec<(Value, &'static str)> {
    vec![
        (json!({}), "url: is missing; `url` is required"),
        (
            json!({"url": "nas.lan"}),
            "url: \"nas.lan\" does not begin with http:// or https://; such as http://192.168.1.10:8096/health",
        ),
        (
            json!({"url": "ftp://a"}),
            "url: \"ftp\" is neither http nor https; such as http://192.168.1.10:8096/health",
        ),
        (
            json!({"url": "http://:80"}),
            "url: \"http://:80\" names no host; such as http://192.168.1.10:8096/health",
        ),
        (json!({"url": "http://a:x"}), "url: \"x\" is no port; a number from 1 to 65535"),
        (json!({"url": "http://a:99999/"}), "url: \"99999\" is no port; a number from 1 to 65535"),
        (
            json!({"url": "http://fe80::1/"}),
            "url: \"http://fe80::1/\" has too many colons in its host; an IPv6 address is written in brackets",
        ),
        (
            json!({"url": "http://a/b c"}),
            "url: \"http://a/b c\" holds a space or a control character; write a space as %20",
        ),
        (
            json!({"url": "http://u:p@a"}),
            "url: holds a user or a password; write them as auth: { basic: { user, password } }",
        ),
        (
            json!({"url": "http://a", "method": "FETCH"}),
            "method: \"FETCH\" is no method; one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
        (
            json!({"url": "http://a", "headers": {"X Y": "z"}}),
            "headers.X Y: is no name of a header; letters, digits and -, such as X-Api-Key",
        ),
        (
            json!({"url": "http://a", "headers": {"X": "a\r\nb"}}),
            "headers.X: holds a line break or another control character; a single line",
        ),
        (
            json!({"url": "http://a", "auth": {"bearer": "t"}, "headers": {"authorization": "x"}}),
            "headers.authorization: contradicts `auth`; use only one of the two",
        ),
        (
            json!({"url": "http://a", "auth": {"bearer": "t", "basic": {"user": "u", "password": "p"}}}),
            "auth: has 2 keys; exactly one of basic, bearer",
        ),
        (json!({"url": "http://a", "auth": {}}), "auth: has 0 keys; exactly one of basic, bearer"),
        (
            json!({"url": "http://a", "ca_file": "ca.pem"}),
            "ca_file: \"ca.pem\" is a relative path; an absolute path, such as /etc/pihook/ca.pem",
        ),
    ]
}

fn mistaken_expectations() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"url": "http://a", "expect": {"status": "2xx"}}),
            "expect.status: \"2xx\" is neither a number nor a range; such as 200-299 or 200,204,300-399",
        ),
        (
            json!({"url": "http://a", "expect": {"status": "0-299"}}),
            "expect.status: 0-299 is outside of what HTTP has; between 100 and 599",
        ),
        (
            json!({"url": "http://a", "expect": {"body_contains": ""}}),
            "expect.body_contains: is empty; the text to look for, or leave the key out",
        ),
        (
            json!({"url": "http://a", "expect": {"body_contains": "a ${secret:0}"}}),
            "expect.body_contains: holds a secret, which is never compared; write the text itself",
        ),
        (
            json!({"url": "http://a", "expect": {"body_matches": "^${secret:0}"}}),
            "expect.body_matches: holds a secret, which is never compared; write the text itself",
        ),
        (
            json!({"url": "http://a", "expect": {"json": {"/a": {"b": ["x", "${secret:0}"]}}}}),
            "expect.json./a: holds a secret, which is never compared; write the value itself",
        ),
        (
            json!({"url": "http://a", "ca_file": "${secret:0}/ca.pem"}),
            "ca_file: comes from a secret, which is not filled in here; write the path itself",
        ),
        (
            json!({"url": "http://a", "ca_file": "/etc/${secret:0}"}),
            "ca_file: comes from a secret, which is not filled in here; write the path itself",
        ),
        (
            json!({"url": "http://a", "expect": {"json": {"status": 1}}}),
            "expect.json.status: is no JSON pointer; begin it with /, such as /status/health",
        ),
        (
            json!({"url": "http://a", "method": "HEAD", "expect": {"body_contains": "x"}}),
            "expect.body_contains: an answer to HEAD has no body; use method: GET",
        ),
        (
            json!({"url": "http://a", "expect": {"body_containz": "x"}}),
            "expect.body_containz: unknown key `body_containz`; did you mean `body_contains`?",
        ),
        (
            json!({"url": "http://a", "redirects": -1}),
            "redirects: is the number -1; expected a whole number, not negative",
        ),
    ]
}

#[test]
fn each_mistake_is_named_with_its_remedy() {
    for (settings, expected) in [mistaken_requests(), mistaken_expectations()].concat() {
        assert_eq!(mistakes(&settings), [expected], "{settings}");
    }
    let pattern = mistakes(&json!({"url": "http://a", "expect": {"body_matches": "(a"}}));
    assert!(pattern[0].starts_with("expect.body_matches: \"(a\" is no regular expression: "), "{pattern:?}");
    let huge = mistakes(&json!({"url": "http://a", "expect": {"body_matches": "(?:a{1000}){1000}"}}));
    assert_eq!(huge.len(), 1, "{huge:?}");
}

#[test]
fn all_mistakes_are_found_at_once() {
    let settings = json!({
        "url": "nas", "methd": "GET", "method": "X", "ca_file": "x", "headers": {"a b": "c"},
        "expect": {"status": "x", "body_matches": "(", "max_response_time": 2, "json": {"x": 1}}
    });
    let places: Vec<String> =
        problems::<Http>(&settings.to_string()).into_iter().map(|problem| problem.path).collect();
    assert_eq!(
        places,
        [
            "ca_file",
            "expect.body_matches",
            "expect.max_response_time",
            "expect.status",
            "methd",
            "method",
            "url"
        ],
        "without an address there are no settings to look at as a whole"
    );
}

#[test]
fn the_documentation_names_each_key_and_no_other() {
    let in_code: BTreeSet<String> = [
        ("", keys::<Settings>()),
        ("expect.", keys::<Expect>()),
        ("auth.basic.", keys::<Basic>()),
        ("auth.", &["bearer"]),
    ]
    .into_iter()
    .flat_map(|(prefix, keys)| keys.iter().map(move |key| format!("{prefix}{key}")))
    .filter(|key| key != "expect" && key != "auth")
    .collect();
    let guide = include_str!("../../../../docs/checks/http.md");
    let in_docs: BTreeSet<String> =
        pihook_plugin::guide::column(guide, "Setting").into_iter().map(str::to_owned).collect();
    assert_eq!(in_code, in_docs);
    assert_eq!(keys::<Auth>(), [""; 0], "an enum: its cases are listed above by hand");
}

fn any_settings() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(https?|ftp)?(://)?[a-z@:\\[\\]]{0,6}(:[0-9]{0,6})?[/?#]?".prop_map(Value::from),
        "[0-9]{0,3}[,-]?[0-9]{0,3}(ms|s|d)?".prop_map(Value::from),
        "[a(){}*+?|\\\\.\\[\\]]{0,6}".prop_map(Value::from),
        prop_oneof![Just("GET"), Just("head"), Just("/etc/x"), Just("${secret:1}")].prop_map(Value::from),
    ];
    let known: Vec<&str> =
        [keys::<Settings>(), keys::<Expect>(), keys::<Basic>(), &["basic", "bearer", "/a", ""]].concat();
    leaf.prop_recursive(3, 30, 8, move |inner| {
        let key = prop::sample::select(known.clone()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_settings_are_read_or_explained(settings in any_settings()) {
        let text = settings.to_string();
        let found = problems::<Http>(&text);
        prop_assert!(read::<Settings>(&text).is_ok() || !found.is_empty());
        for problem in found {
            prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{:?}", problem);
        }
    }

    #[test]
    fn any_address_is_accepted_or_refused(url in any::<String>(), tail in ".{0,20}") {
        let _ = problems::<Http>(&json!({"url": url}).to_string());
        let _ = problems::<Http>(&json!({"url": format!("http://{tail}")}).to_string());
    }
}
