//! A service's `settings`, from JSON text to a plugin's own type, with every mistake found at once.
//!
//! The type derives `Deserialize`; the mistakes come with their path and with what would be right. A type of one's own
//! reports its mistake by [`invalid`], so that the remedy is told apart from the fault.

mod amounts;
mod deserializer;
mod mistake;
mod nearest;
mod places;
mod types;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Check, Problem};
use deserializer::Node;
use mistake::Step;

pub use amounts::{Share, Size};
pub use places::{AbsolutePath, Host, Port};
pub use types::{Millis, Pairs, Ranges};

/// More mistakes than this are not told at once.
const MAX_PROBLEMS: usize = 100;

/// Reads the settings.
///
/// # Errors
/// All mistakes, at least one.
pub fn read<T: DeserializeOwned>(json: &str) -> Result<T, Vec<Problem>> {
    match repair(json) {
        (Some(settings), problems) if problems.is_empty() => Ok(settings),
        (_, problems) => Err(problems),
    }
}

/// All mistakes in a check's settings: those of the types, and those that its `validate` finds in the rest.
#[must_use]
pub fn problems<T: Check>(json: &str) -> Vec<Problem> {
    let (settings, mut problems) = repair::<T::Settings>(json);
    if let Some(settings) = settings {
        let known: Vec<String> = problems.iter().map(|problem| problem.path.clone()).collect();
        problems.extend(T::validate(&settings).into_iter().filter(|problem| !known.contains(&problem.path)));
    }
    problems
}

/// A mistake found by a `Deserialize` implementation: what is wrong, and what would be right.
pub fn invalid<E: serde::de::Error>(what: impl fmt::Display, remedy: impl fmt::Display) -> E {
    E::custom(format_args!("{what}{}{remedy}", mistake::REMEDY_MARK))
}

/// The keys that a type of settings knows, for a test that compares them with its documentation. Empty without
/// `deny_unknown_fields`.
#[must_use]
pub fn keys<T: DeserializeOwned>() -> &'static [&'static str] {
    let probe: Value = [(String::new(), Value::Null)].into_iter().collect();
    T::deserialize(Node { value: &probe, cut: &[] }).err().map_or(&[], |mistake| mistake.known_keys())
}

/// The mistakes in one line.
#[must_use]
pub fn describe(problems: &[Problem]) -> String {
    let mut text = String::new();
    for Problem { path, what, remedy } in problems {
        let separator = if text.is_empty() { "" } else { " | " };
        let place = if path.is_empty() { String::from("settings") } else { format!("settings.{path}") };
        text.push_str(&format!("{separator}{place}: {what}; {remedy}"));
    }
    text
}

/// Reads the settings; each mistake found is passed over in the next reading, so that the next one shows. What is read
/// in the end, if anything, is what remains without the mistakes.
fn repair<T: DeserializeOwned>(json: &str) -> (Option<T>, Vec<Problem>) {
    let root: Value = match serde_json::from_slice(json.as_bytes()) {
        Ok(root) => root,
        Err(error) => return (None, vec![Problem::new("", error.to_string(), "a JSON object")]),
    };
    let mut problems = Vec::new();
    let mut cut: Vec<*const Value> = Vec::new();
    while problems.len() < MAX_PROBLEMS {
        let mistake = match T::deserialize(Node { value: &root, cut: &cut }) {
            Ok(settings) => return (Some(settings), problems),
            Err(mistake) => mistake,
        };
        let path = mistake.path();
        // What lacks a part is itself no use.
        let victim = if mistake.is_missing() { &path[..path.len().saturating_sub(1)] } else { &path[..] };
        // That a part is missing which was cut out is no news.
        let known = mistake.is_hollow() || (mistake.is_missing() && find(&root, &path).is_some());
        if !known {
            problems.push(mistake.into_problem());
        }
        match find(&root, victim) {
            Some(value) if !victim.is_empty() && !cut.contains(&std::ptr::from_ref(value)) => cut.push(value),
            _ => break,
        }
    }
    (None, problems)
}

fn find<'a>(root: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

#[cfg(test)]
mod tests;
