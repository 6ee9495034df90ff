//! What a service's `settings` may say.

mod types;

use std::net::IpAddr;

use pihook_plugin::Problem;
use pihook_plugin::settings::Millis;
use serde::Deserialize;

pub use crate::record::Kind;
pub use types::{Code, Server, Wanted};

/// The settings of the `dns` check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name to ask for.
    pub name: Wanted,
    /// The type of records to ask for.
    #[serde(default, rename = "type")]
    pub kind: Kind,
    /// The server to ask; the machine's own without it.
    pub server: Option<Server>,
    /// What the answer must be like.
    #[serde(default)]
    pub expect: Expect,
}

/// What the answer must be like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Values that must be among those found.
    #[serde(default)]
    pub values: Vec<Wanted>,
    /// The values that must be found, and no others.
    #[serde(default)]
    pub only: Vec<Wanted>,
    /// The answer's code.
    #[serde(default)]
    pub code: Code,
    /// A slower answer is degraded.
    pub max_response_time: Option<Millis>,
}

impl Settings {
    /// The mistakes that the types cannot express.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let name = self.name.0.as_str();
        let is_address = name.parse::<IpAddr>().is_ok();
        if is_address && self.kind.as_str() != "PTR" {
            problems.push(Problem::new(
                "name",
                "is an address",
                "a name, or `type: PTR` for the name of an address",
            ));
        } else if !is_address {
            problems.extend(name_problem(name));
        }
        let Expect { values, only, code, .. } = &self.expect;
        if !values.is_empty() && !only.is_empty() {
            problems.push(Problem::new("expect.only", "contradicts `values`", "use only one of the two"));
        }
        if code.as_str() != "NOERROR" && !(values.is_empty() && only.is_empty()) {
            let what = format!("{} comes without values", code.as_str());
            problems.push(Problem::new("expect.code", what, "leave out either `code` or the values"));
        }
        for (key, list) in [("values", values), ("only", only)] {
            for (index, value) in list.iter().enumerate() {
                if let Some(example) = self.kind.example_unless(&value.0) {
                    let what = format!("cannot be a value of type {}", self.kind.as_str());
                    problems.push(Problem::new(format!("expect.{key}[{index}]"), what, example));
                }
            }
        }
        problems
    }
}

fn name_problem(name: &str) -> Option<Problem> {
    let labels = name.strip_suffix('.').unwrap_or(name).split('.');
    let good =
        name == "." || labels.clone().all(|label| (1..=63).contains(&label.len())) && name.len() <= 254;
    let plain = !name.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | '@'));
    let remedy = "labels of 1 to 63 characters parted by dots, such as home.duckdns.org";
    (!good || !plain).then(|| Problem::new("name", "is no name in DNS", remedy))
}

#[cfg(test)]
mod tests;
