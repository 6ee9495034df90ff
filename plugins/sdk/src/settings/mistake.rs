//! A mistake while the settings are read, with the way to it.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::nearest::nearest;
use crate::Problem;

/// Parts what is wrong from what would be right in a message of a `Deserialize` implementation.
pub(super) const REMEDY_MARK: &str = "; ";

/// One step down into the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug)]
enum Kind {
    Wrong { what: String, remedy: String },
    UnknownKey { key: String, known: &'static [&'static str] },
    MissingKey(&'static str),
    Hollow,
}

/// A mistake and the steps to it, innermost first.
#[derive(Debug)]
pub(super) struct Mistake {
    kind: Box<Kind>,
    steps: Vec<Step>,
}

impl Mistake {
    /// The same mistake, below a key.
    #[cold]
    pub(super) fn at_key(mut self, key: &str) -> Mistake {
        self.steps.push(Step::Key(key.to_owned()));
        self
    }

    /// The same mistake, in an item of a list.
    #[cold]
    pub(super) fn at_index(mut self, index: usize) -> Mistake {
        self.steps.push(Step::Index(index));
        self
    }

    /// That nothing is left of a value, since all of it was a mistake.
    pub(super) fn hollow() -> Mistake {
        Mistake::new(Kind::Hollow)
    }

    /// Whether it is [`Mistake::hollow`].
    pub(super) fn is_hollow(&self) -> bool {
        matches!(*self.kind, Kind::Hollow)
    }

    /// Whether a key is missing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(*self.kind, Kind::MissingKey(_))
    }

    /// The keys that would have been known in the place of an unknown one.
    pub(super) fn known_keys(&self) -> &'static [&'static str] {
        match *self.kind {
            Kind::UnknownKey { known, .. } => known,
            _ => &[],
        }
    }

    /// The steps to what is wrong, outermost first; to the key itself if it is unknown or missing.
    pub(super) fn path(&self) -> Vec<Step> {
        let own = match &*self.kind {
            Kind::UnknownKey { key, .. } => Some(Step::Key(key.clone())),
            Kind::MissingKey(key) => Some(Step::Key((*key).to_owned())),
            Kind::Wrong { .. } | Kind::Hollow => None,
        };
        self.steps.iter().rev().cloned().chain(own).collect()
    }

    /// The mistake for whoever wrote the settings.
    pub(super) fn into_problem(self) -> Problem {
        let mut path = String::new();
        for step in self.path() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(&key),
                Step::Key(key) => path.push_str(&format!(".{key}")),
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        let (what, remedy) = match *self.kind {
            Kind::Wrong { what, remedy } => (what, remedy),
            Kind::UnknownKey { key, known } => (format!("unknown key `{key}`"), suggestion(&key, known)),
            Kind::Hollow => (String::from("is empty"), String::from("something that can be used")),
            Kind::MissingKey(key) => (String::from("is missing"), format!("`{key}` is required")),
        };
        Problem { path, what, remedy }
    }

    fn new(kind: Kind) -> Mistake {
        Mistake { kind: Box::new(kind), steps: Vec::new() }
    }
}

fn suggestion(key: &str, known: &'static [&'static str]) -> String {
    match nearest(key, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => String::from("there is no key here"),
        None => format!("one of {}", known.join(", ")),
    }
}

impl std::error::Error for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self.kind {
            Kind::Wrong { .. } => "a wrong value",
            Kind::UnknownKey { .. } => "an unknown key",
            Kind::MissingKey(_) => "a missing key",
            Kind::Hollow => "an empty value",
        })
    }
}

impl Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Mistake {
        let message = message.to_string();
        let (what, remedy) =
            message.split_once(REMEDY_MARK).unwrap_or((&message, "see the plugin's documentation"));
        Mistake::new(Kind::Wrong { what: what.to_owned(), remedy: remedy.to_owned() })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Mistake {
        Mistake::new(Kind::Wrong { what: format!("is {}", describe(found)), remedy: expectation(expected) })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Mistake {
        Mistake::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Mistake {
        let remedy = suggestion(variant, expected);
        Mistake::new(Kind::Wrong { what: format!("is `{variant}`"), remedy })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Mistake {
        Mistake::new(Kind::UnknownKey { key: field.to_owned(), known: expected })
    }

    fn missing_field(field: &'static str) -> Mistake {
        Mistake::new(Kind::MissingKey(field))
    }
}

/// What serde says is expected is meant for Rust programmers; this is for whoever writes YAML.
fn expectation(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    let plain = match expected.as_str() {
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        text if text.starts_with("struct ") || text == "a map" => "keys and values",
        text => text,
    };
    format!("expected {plain}")
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(_) => String::from("a number with a fraction"),
        Unexpected::Str(text) => format!("the text \"{}\"", crate::text::one_line(text, 60)),
        Unexpected::Unit => String::from("empty"),
        Unexpected::Seq => String::from("a list"),
        Unexpected::Map => String::from("keys and values"),
        Unexpected::Other(text) => text.to_owned(),
        _ => String::from("something else"),
    }
}
