//! Walking the values: what is wrong is noted, and the walk goes on.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pihook_core::Secret;
use serde_json::{Map, Value};

use super::keys::Section;
use super::lines::{Lines, below, item};
use super::problem::{Fault, Problem, Problems, quoted};
use super::secrets::{self, OfSettings, Secrets};
use super::values;

/// How many zones, sinks or plugins there may be: every unknown name is compared with all of them.
const MOST_NAMES: usize = 200;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
}

/// A mapping whose keys were checked. Reading one that is missing or `null` gives none.
pub(super) struct Fields<'v> {
    pub(super) path: String,
    map: Option<&'v Map<String, Value>>,
    section: &'static Section,
}

impl<'v> Fields<'v> {
    pub(super) fn get(&self, key: &str) -> Option<Node<'v>> {
        debug_assert!(self.section.knows(key), "{key} is not declared in {}", self.section.name);
        let value = self.map?.get(key).filter(|value| !value.is_null())?;
        Some(Node { value, path: below(&self.path, key) })
    }
}

/// Collects problems and brings secrets in.
pub(super) struct Reader<'a> {
    file: Arc<str>,
    lines: &'a Lines,
    problems: Problems,
    pub(super) secrets: Secrets<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: Arc<str>, lines: &'a Lines, secrets: Secrets<'a>) -> Self {
        Self { file, lines, problems: Problems::default(), secrets }
    }

    /// What was found, and the secrets that were brought in.
    pub(super) fn finish(self) -> (Problems, Vec<Secret>) {
        (self.problems, self.secrets.into_values())
    }

    pub(super) fn fault(&mut self, path: &str, fault: Fault) {
        // What is only counted needs no line.
        let line = if self.problems.is_full() { 1 } else { self.lines.locate(path) };
        self.fault_at(line, path, fault);
    }

    /// The same for a fault that takes some work to word: none is done for what is only counted.
    pub(super) fn fault_by(&mut self, path: &str, fault: impl FnOnce() -> Fault) {
        if self.problems.is_full() {
            self.problems.omit();
        } else {
            self.fault(path, fault());
        }
    }

    pub(super) fn fault_at(&mut self, line: usize, path: &str, Fault { what, remedy }: Fault) {
        self.problems.add(Problem { file: self.file.clone(), line, path: path.to_owned(), what, remedy });
    }

    /// Notes the fault, if it is one.
    pub(super) fn keep<T>(&mut self, path: &str, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.fault(path, fault)).ok()
    }

    pub(super) fn line(&self, path: &str) -> usize {
        self.lines.locate(path)
    }

    /// The fields of a mapping; keys that the section does not have are problems.
    pub(super) fn fields<'v>(&mut self, node: Option<Node<'v>>, section: &'static Section) -> Fields<'v> {
        let Some(node) = node else { return Fields { path: String::new(), map: None, section } };
        let Value::Object(map) = node.value else {
            let remedy = match section.keys {
                [] => "write `{}`".to_owned(),
                keys => format!("a mapping with the keys {}", super::keys::listed(keys)),
            };
            self.wrong_kind(&node, "a mapping", remedy);
            return Fields { path: node.path, map: None, section };
        };
        for key in map.keys().filter(|key| !section.knows(key)) {
            self.fault_by(&below(&node.path, key), || section.refuse(key));
        }
        Fields { path: node.path, map: Some(map), section }
    }

    /// The entries of a mapping whose keys are names.
    pub(super) fn named<'v>(&mut self, node: Option<Node<'v>>, example: &str) -> Vec<(&'v str, Node<'v>)> {
        let Some(node) = node else { return Vec::new() };
        let Value::Object(map) = node.value else {
            self.wrong_kind(&node, "a mapping from names", example.to_owned());
            return Vec::new();
        };
        if map.len() > MOST_NAMES {
            let remedy = format!("at most {MOST_NAMES} of them");
            self.fault(&node.path, Fault::new(format!("these are {} names", map.len()), remedy));
        }
        let mut entries = Vec::new();
        for (name, value) in map.iter().take(MOST_NAMES) {
            let path = below(&node.path, name);
            if is_name(name) {
                entries.push((name.as_str(), Node { value, path }));
            } else {
                let what = format!("{} cannot be a name here", quoted(name));
                let remedy = "up to 64 letters, digits, `-` and `_`, such as `my-name`";
                self.fault(&path, Fault::new(what, remedy));
            }
        }
        entries
    }

    pub(super) fn items<'v>(&mut self, node: &Node<'v>, example: &str) -> Option<Vec<Node<'v>>> {
        let Value::Array(values) = node.value else {
            self.wrong_kind(node, "a list", example.to_owned());
            return None;
        };
        let at = |(index, value)| Node { value, path: item(&node.path, index) };
        Some(values.iter().enumerate().map(at).collect())
    }

    /// Text that is shown to people, and so without secrets.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let text = self.raw_text(node, "text")?;
        self.keep(&node.path, secrets::plain(text))
    }

    /// Text that is not to be shown.
    pub(super) fn secret(&mut self, node: &Node<'_>) -> Option<Secret> {
        let text = self.raw_text(node, "text")?;
        let secret = self.secrets.fill(text);
        self.keep(&node.path, secret)
    }

    /// Text with placeholders in place of secrets.
    pub(super) fn hidden(&mut self, node: &Node<'_>, settings: &mut OfSettings) -> Option<String> {
        let text = self.raw_text(node, "text")?;
        let hidden = self.secrets.hide(text, settings);
        self.keep(&node.path, hidden)
    }

    pub(super) fn path(&mut self, node: &Node<'_>) -> Option<PathBuf> {
        let text = self.text(node)?;
        if text.trim().is_empty() || text.contains('\0') {
            self.fault(&node.path, Fault::new("this is not a path", "the path of a file or folder"));
            return None;
        }
        Some(PathBuf::from(text))
    }

    pub(super) fn duration(&mut self, node: &Node<'_>, range: &RangeInclusive<Duration>) -> Option<Duration> {
        if let Value::Number(number) = node.value {
            self.fault(&node.path, values::bare(&number.to_string()));
            return None;
        }
        let text = self.raw_text(node, "a duration such as `60s`")?;
        let duration = secrets::plain(text).and_then(|text| values::duration(&text, range));
        self.keep(&node.path, duration)
    }

    pub(super) fn size(&mut self, node: &Node<'_>, range: &RangeInclusive<u64>) -> Option<u64> {
        let text = self.raw_text(node, "a size such as `32MiB`")?;
        let size = secrets::plain(text).and_then(|text| values::size(&text, range));
        self.keep(&node.path, size)
    }

    pub(super) fn percent(&mut self, node: &Node<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
        if let Value::Number(number) = node.value {
            let fault = Fault::new(format!("the share `{number}` has no unit"), format!("`{number}%`, say"));
            self.fault(&node.path, fault);
            return None;
        }
        let text = self.raw_text(node, "a share such as `50%`")?;
        let percent = secrets::plain(text).and_then(|text| values::percent(&text, range));
        self.keep(&node.path, percent)
    }

    pub(super) fn count(&mut self, node: &Node<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
        let Value::Number(number) = node.value else {
            self.wrong_kind(
                node,
                "a number",
                format!("a whole number from {} to {}", range.start(), range.end()),
            );
            return None;
        };
        let Some(count) = number.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX)) else {
            let remedy = format!("a whole number from {} to {}", range.start(), range.end());
            self.fault(&node.path, Fault::new(format!("`{number}` is not a count"), remedy));
            return None;
        };
        let checked = values::within(count, range, format!("`{number}`"), ToString::to_string);
        self.keep(&node.path, checked.map(|()| count))
    }

    /// Notes that the value has another kind than it should. Never shows the value, which may be a secret.
    pub(super) fn wrong_kind(&mut self, node: &Node<'_>, expected: &str, remedy: String) {
        let what = format!("expected {expected}, found {}", kind(node.value));
        self.fault(&node.path, Fault::new(what, remedy));
    }

    fn raw_text<'v>(&mut self, node: &Node<'v>, expected: &str) -> Option<&'v str> {
        match node.value {
            Value::String(text) => return Some(text),
            Value::Number(_) | Value::Bool(_) if expected == "text" => {
                self.wrong_kind(node, expected, "put it in quotes".to_owned());
            }
            _ => self.wrong_kind(node, expected, format!("write {expected}")),
        }
        None
    }
}

/// What may name a zone, a sink or a plugin.
pub(super) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
