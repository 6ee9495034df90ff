//! Which line a path of the file stands in.
//!
//! Built from the parser's events, next to the values: an alias leads to where its anchor stands, and so does a key
//! that came through a merge (`<<`).

use std::collections::BTreeMap;
use std::fmt;

/// The places of all values.
#[derive(Clone, Default)]
pub(super) struct Lines {
    pub(super) places: Vec<Place>,
    pub(super) root: Option<Edge>,
}

/// One value of the file.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Still being read.
    Open,
    Scalar,
    Sequence(Vec<Edge>),
    Mapping(BTreeMap<String, Edge>),
}

/// A way from a value to one in it: the line of its key or item, and its index in `places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) line: usize,
    pub(super) place: usize,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lines({})", self.places.len())
    }
}

/// Merges may refer to merges; the file's depth is bounded, and this with it.
const DEEPEST_MERGE: usize = 64;

impl Lines {
    /// The line of the path, or of its nearest ancestor that exists.
    pub(super) fn locate(&self, path: &str) -> usize {
        let Some(mut at) = self.root else { return 1 };
        for step in steps(path) {
            match self.child(at.place, &step, DEEPEST_MERGE) {
                Some(next) => at = next,
                None => break,
            }
        }
        at.line
    }

    /// Whether the file has the path.
    pub(super) fn has(&self, path: &str) -> bool {
        let Some(root) = self.root else { return false };
        steps(path).try_fold(root, |at, step| self.child(at.place, &step, DEEPEST_MERGE)).is_some()
    }

    fn child(&self, place: usize, step: &Step<'_>, depth: usize) -> Option<Edge> {
        match (self.places.get(place)?, step) {
            (Place::Sequence(items), Step::Index(index)) => items.get(*index).copied(),
            (Place::Mapping(entries), Step::Key(key)) => {
                let direct = entries.get(*key).or_else(|| odd(entries, key)).copied();
                direct.or_else(|| self.merged(entries.get("<<")?.place, step, depth.checked_sub(1)?))
            }
            _ => None,
        }
    }

    fn merged(&self, place: usize, step: &Step<'_>, depth: usize) -> Option<Edge> {
        match self.places.get(place)? {
            Place::Sequence(items) => items.iter().find_map(|item| self.child(item.place, step, depth)),
            _ => self.child(place, step, depth),
        }
    }
}

/// Finds a key by what a path shows of it, which for odd keys is less than they are.
fn odd<'e>(entries: &'e BTreeMap<String, Edge>, shown: &str) -> Option<&'e Edge> {
    const FEW: usize = 1000;
    let few = entries.iter().take(FEW);
    few.filter(|(key, _)| !is_simple(key)).find(|(key, _)| shorten(key) == shown).map(|(_, edge)| edge)
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// Takes `a.b[2]["c.d"]` apart. What is not well formed ends the walk early, at an ancestor.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (key, after) = inner.split_once("\"]")?;
            rest = after;
            return Some(Step::Key(key));
        }
        if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            rest = after;
            return index.parse().ok().map(Step::Index);
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        rest = after;
        (!key.is_empty()).then_some(Step::Key(key))
    })
}

/// The path of a key below another path.
pub(super) fn below(path: &str, key: &str) -> String {
    match (is_simple(key), path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[\"{}\"]", shorten(key)),
    }
}

fn is_simple(key: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '<' | '/');
    (1..=60).contains(&key.len()) && key.chars().all(plain)
}

fn shorten(key: &str) -> String {
    key.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The path of an item below another path.
pub(super) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}
