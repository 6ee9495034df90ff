//! What a service's `settings` may say.

mod types;

use pihook_plugin::Problem;
use pihook_plugin::settings::{AbsolutePath, Millis, Pairs, Ranges};
use serde::Deserialize;
use serde_json::Value;

pub use types::{Address, Method, Pattern, Wanted};

/// The settings of the `http` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address to ask.
    pub url: Address,
    /// The request's method.
    #[serde(default)]
    pub method: Method,
    /// The request's headers.
    #[serde(default)]
    pub headers: Pairs<String>,
    /// The request's body.
    pub body: Option<String>,
    /// Credentials for the service's own host.
    pub auth: Option<Auth>,
    /// Whether the certificate must be valid for the host.
    #[serde(default = "yes")]
    pub verify: bool,
    /// PEM certificates that are trusted beside the system's.
    pub ca_file: Option<AbsolutePath>,
    /// How many redirects to follow.
    #[serde(default = "ten")]
    pub redirects: u32,
    /// What the answer must be like.
    #[serde(default)]
    pub expect: Expect,
}

/// Credentials: one of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Auth {
    /// HTTP basic authentication.
    Basic(Basic),
    /// A bearer token.
    Bearer(String),
}

/// Credentials of HTTP basic authentication.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user's name.
    pub user: String,
    /// Their password.
    pub password: String,
}

/// What the answer must be like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status; below 400 without it.
    pub status: Option<Ranges>,
    /// Text that must be in the body.
    pub body_contains: Option<Wanted>,
    /// Text that must not be in the body.
    pub body_not_contains: Option<Wanted>,
    /// A regular expression that must match somewhere in the body.
    pub body_matches: Option<Pattern>,
    /// Values that the body must have, by their JSON pointers.
    #[serde(default)]
    pub json: Pairs<Value>,
    /// A slower answer is degraded.
    pub max_response_time: Option<Millis>,
    /// A certificate that expires earlier is degraded.
    pub certificate_valid_for: Option<Millis>,
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(status) = &self.expect.status
            && (status.bounds().0 < 100 || status.bounds().1 > 599)
        {
            let what = format!("{status} is outside of what HTTP has");
            problems.push(Problem::new("expect.status", what, "between 100 and 599"));
        }
        for (name, value) in &self.headers.0 {
            problems.extend(self.header_problem(name, value));
        }
        for (pointer, wanted) in &self.expect.json.0 {
            if holds_secret(wanted) {
                let path = format!("expect.json.{pointer}");
                problems.push(Problem::new(path, types::NEVER_COMPARED, "write the value itself"));
            }
            if !pointer.is_empty() && !pointer.starts_with('/') {
                let remedy = "begin it with /, such as /status/health";
                problems.push(Problem::new(format!("expect.json.{pointer}"), "is no JSON pointer", remedy));
            }
        }
        if self.method == Method::HEAD {
            problems.extend(self.expect.body_keys().map(|key| {
                Problem::new(format!("expect.{key}"), "an answer to HEAD has no body", "use method: GET")
            }));
        }
        problems
    }

    fn header_problem(&self, name: &str, value: &str) -> Option<Problem> {
        let path = format!("headers.{name}");
        if !types::is_header_name(name) {
            let remedy = "letters, digits and -, such as X-Api-Key";
            return Some(Problem::new(path, "is no name of a header", remedy));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Some(Problem::new(
                path,
                "holds a line break or another control character",
                "a single line",
            ));
        }
        if self.auth.is_some() && name.eq_ignore_ascii_case("authorization") {
            return Some(Problem::new(path, "contradicts `auth`", "use only one of the two"));
        }
        None
    }
}

impl Expect {
    /// The keys in use that look at the body.
    fn body_keys(&self) -> impl Iterator<Item = &'static str> {
        [
            ("body_contains", self.body_contains.is_some()),
            ("body_matches", self.body_matches.is_some()),
            ("json", !self.json.0.is_empty()),
        ]
        .into_iter()
        .filter_map(|(key, used)| used.then_some(key))
    }
}

/// Whether a secret's placeholder is anywhere in the value. Keys have none.
fn holds_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => types::holds_secret(text),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(entries) => entries.values().any(holds_secret),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn yes() -> bool {
    true
}

fn ten() -> u32 {
    10
}

#[cfg(test)]
mod tests;
