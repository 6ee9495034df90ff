use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{Failure, Outcome, Run};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Sample {
    url: String,
    port: Option<u16>,
    #[serde(default)]
    wait: Option<Millis>,
    #[serde(default)]
    mounts: Vec<Mount>,
    #[serde(default)]
    limits: Limits,
    auth: Option<Auth>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    extra: Pairs<Value>,
    #[serde(default)]
    share: f64,
    #[serde(default)]
    verify: bool,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Mount {
    path: String,
    warn: Option<u8>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Limits {
    status: Option<Ranges>,
    slow: Option<Millis>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Auth {
    Basic { user: String, password: String },
    Bearer(String),
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Fast,
    Thorough,
}

/// Each problem as `path: what; remedy`.
fn mistakes(json: &str) -> Vec<String> {
    let problems = read::<Sample>(json).err().unwrap_or_default();
    problems.into_iter().map(|Problem { path, what, remedy }| format!("{path}: {what}; {remedy}")).collect()
}

#[test]
fn good_settings_are_read() {
    let sample: Sample = read(
        r#"{"url":"u","port":80,"wait":"2s","mounts":[{"path":"/"}],"limits":{"status":"200-299","slow":"1m"},
            "auth":{"basic":{"user":"a","password":"b"}},"mode":"thorough","extra":{"/a":[1]},"share":1.5,"verify":true}"#,
    )
    .expect("they are good");
    assert_eq!(
        (sample.port, sample.wait, sample.share, sample.verify),
        (Some(80), Some(Millis(2000)), 1.5, true)
    );
    assert_eq!(sample.mounts, [Mount { path: "/".into(), warn: None }]);
    assert_eq!(sample.auth, Some(Auth::Basic { user: "a".into(), password: "b".into() }));
    assert_eq!(sample.mode, Mode::Thorough);
    assert!(sample.limits.status.is_some_and(|ranges| ranges.contains(204)));
    let bearer: Sample = read(r#"{"url":"u","auth":{"bearer":"t"},"port":null}"#).expect("they are good");
    assert_eq!((bearer.auth, bearer.port), (Some(Auth::Bearer("t".into())), None));
}

#[test]
fn each_mistake_names_its_place_and_its_remedy() {
    for (json, expected) in [
        (r#"{}"#, "url: is missing; `url` is required"),
        (r#"{"url":5}"#, "url: is the number 5; expected text"),
        (r#"{"url":"u","prot":1}"#, "prot: unknown key `prot`; did you mean `port`?"),
        (r#"{"url":"u","port":70000}"#, "port: is the number 70000; expected a whole number from 0 to 65535"),
        (r#"{"url":"u","port":"80"}"#, "port: is the text \"80\"; expected a whole number from 0 to 65535"),
        (r#"{"url":"u","verify":"no"}"#, "verify: is the text \"no\"; expected true or false"),
        (
            r#"{"url":"u","wait":2}"#,
            "wait: is the number 2; expected a number with its unit, such as 500ms, 2s, 5m, 2h or 14d",
        ),
        (
            r#"{"url":"u","limits":{"slow":"2 parsecs"}}"#,
            "limits.slow: is the text \"2 parsecs\"; expected a number with its unit, such as 500ms, 2s, 5m, 2h or 14d",
        ),
        (
            r#"{"url":"u","limits":{"status":"299-200"}}"#,
            "limits.status: the range 299-200 is empty; such as 200-299 or 200,204,300-399",
        ),
        (r#"{"url":"u","limits":[]}"#, "limits: is a list; expected keys and values"),
        (r#"{"url":"u","limits":{"fast":1}}"#, "limits.fast: unknown key `fast`; one of status, slow"),
        (r#"{"url":"u","mounts":{}}"#, "mounts: is keys and values; expected a list"),
        (
            r#"{"url":"u","mounts":[{"path":"/"},{"warn":5}]}"#,
            "mounts[1].path: is missing; `path` is required",
        ),
        (r#"{"url":"u","mode":"thorouhg"}"#, "mode: is `thorouhg`; did you mean `thorough`?"),
        (r#"{"url":"u","mode":7}"#, "mode: is the number 7; expected one of fast, thorough"),
        (
            r#"{"url":"u","auth":{"basic":{"user":"a","password":"b"},"bearer":"t"}}"#,
            "auth: has 2 keys; exactly one of basic, bearer",
        ),
        (
            r#"{"url":"u","auth":{"basic":{"user":"a"}}}"#,
            "auth.basic.password: is missing; `password` is required",
        ),
        (r#"{"url":"u","auth":{"bearer":5}}"#, "auth.bearer: is the number 5; expected text"),
        ("[]", ": is a list; expected keys and values"),
    ] {
        assert_eq!(mistakes(json), [expected], "{json}");
    }
    assert!(mistakes("{").first().is_some_and(|text| text.ends_with("; a JSON object")));
}

#[test]
fn all_mistakes_are_found_at_once() {
    let found = mistakes(
        r#"{"url":5,"prot":1,"wait":"x","mounts":[{"warn":1},{"path":1},{"path":"/","warn":-1}],"limits":{"slow":1,"status":"x"},
            "auth":{"basic":{"user":1,"passwort":2}},"mode":"x"}"#,
    );
    let places: Vec<&str> = found.iter().filter_map(|text| text.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "auth.basic.passwort",
            "auth.basic.user",
            "limits.slow",
            "limits.status",
            "mode",
            "mounts[0].path",
            "mounts[1].path",
            "mounts[2].warn",
            "prot",
            "url",
            "wait"
        ],
        "{found:#?}"
    );
}

struct Picky;

impl Check for Picky {
    type Settings = Limits;

    fn run(_: &Limits, _: &Run) -> Result<Outcome, Failure> {
        Ok(Outcome::up("fine"))
    }

    fn validate(settings: &Limits) -> Vec<Problem> {
        let slow = settings.slow.is_none().then(|| Problem::new("slow", "is missing", "such as 2s"));
        slow.into_iter().collect()
    }
}

#[test]
fn a_checks_own_problems_join_those_of_the_types() {
    let places = |json| problems::<Picky>(json).into_iter().map(|problem| problem.path).collect::<Vec<_>>();
    assert_eq!(places(r#"{"status":"x"}"#), ["status", "slow"]);
    assert_eq!(places(r#"{"slow":"x"}"#), ["slow"], "one mistake is told once");
    assert_eq!(places(r#"{"slow":"2s"}"#), [""; 0]);
}

#[test]
fn the_keys_are_known() {
    assert_eq!(keys::<Limits>(), ["status", "slow"]);
    assert_eq!(keys::<Mount>(), ["path", "warn"]);
    assert_eq!(keys::<Vec<Mount>>(), [""; 0]);
}

#[test]
fn several_problems_make_one_line() {
    let problems = [Problem::new("a", "is bad", "be good"), Problem::new("", "no", "yes")];
    assert_eq!(describe(&problems), "settings.a: is bad; be good | settings: no; yes");
}

fn json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("url"),
        Just("port"),
        Just("wait"),
        Just("mounts"),
        Just("limits"),
        Just("auth"),
        Just("mode"),
        Just("extra"),
        Just("share"),
        Just("path"),
        Just("status"),
        Just("basic"),
        Just("other"),
        Just("")
    ]
    .prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9]{0,3}[a-z-]{0,3}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_explained(value in json()) {
        match read::<Sample>(&value.to_string()) {
            Ok(_) => {}
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for (index, problem) in problems.iter().enumerate() {
                    prop_assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
                    prop_assert!(!problems[..index].contains(problem), "{problem:?} is told twice");
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_explained(text in any::<String>()) {
        let _ = read::<Sample>(&text);
    }
}
