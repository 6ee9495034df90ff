//! From bytes to values and their lines, within bounds.
//!
//! Two readers share the work: `saphyr-parser` gives events with positions, from which the lines, the bounds and the
//! syntax errors come; `serde_yaml` gives the values. The first runs before the second, so that the second never sees
//! a file that is too deep or that aliases blow up.

mod index;

use serde_json::Value;

use super::lines::Lines;
use super::problem::Fault;
use index::Index;

/// The largest file, in bytes.
pub(super) const LARGEST_FILE: usize = 1 << 20;
/// A problem with the line and path where it was found.
pub(super) type Located = (usize, String, Fault);

/// The file's values and their lines.
pub(super) struct Tree {
    pub(super) value: Value,
    pub(super) lines: Lines,
    /// Problems that do not keep the rest from being read.
    pub(super) problems: Vec<Located>,
}

/// Reads the values.
///
/// # Errors
/// What is wrong, if the file as a whole cannot be read as YAML.
pub(super) fn read(source: &[u8]) -> Result<Tree, Vec<Located>> {
    let text = decode(source).map_err(|located| vec![located])?;
    let mut index = Index::default();
    let finished = index.read(text);
    if let Err(located) = finished {
        // First, so that it is told even if there are too many others.
        index.problems.insert(0, located);
        return Err(index.problems);
    }
    let mut value = serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let fault = Fault::new(
            "this is not plain YAML data",
            "services.yaml is made of text, numbers, `true` and `false`, lists and mappings",
        );
        let mut problems = std::mem::take(&mut index.problems);
        problems.push((line, String::new(), fault));
        problems
    })?;
    merge(&mut value);
    Ok(Tree { value, lines: index.lines, problems: index.problems })
}

fn decode(source: &[u8]) -> Result<&str, Located> {
    if source.len() > LARGEST_FILE {
        let fault = Fault::new(
            "the file is larger than 1 MiB",
            "a configuration is much smaller: is this the right file?",
        );
        return Err((1, String::new(), fault));
    }
    std::str::from_utf8(source).map_err(|error| {
        let line = 1 + source.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count();
        (line, String::new(), Fault::new("this is not UTF-8", "save the file in UTF-8"))
    })
}

/// Puts what `<<` refers to in its place; what a mapping says itself wins. Nested merges first.
fn merge(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(merge),
        Value::Object(entries) => {
            entries.values_mut().for_each(merge);
            let sources = match entries.remove("<<") {
                Some(Value::Array(sources)) => sources,
                Some(one) => vec![one],
                None => return,
            };
            for source in sources {
                if let Value::Object(source) = source {
                    for (key, value) in source {
                        entries.entry(key).or_insert(value);
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
