//! What is wrong with a configuration, in words that lead to the repair.

use std::fmt;
use std::sync::Arc;

use super::Config;

/// So many are told at once; a file with more is not a configuration.
const MOST: usize = 1000;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// Where, as `services[2].settings.expect.status`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// All mistakes of a configuration, by line. Never shows a secret.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    omitted: usize,
    partial: Option<Box<Config>>,
}

impl Problems {
    /// Adds one that was found later. Beyond a thousand they are only counted.
    pub fn add(&mut self, problem: Problem) {
        if self.is_full() {
            self.omitted += 1;
            return;
        }
        let after = self.list.partition_point(|other| other.line <= problem.line);
        self.list.insert(after, problem);
    }

    /// In the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many there are, with those that were only counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len() + self.omitted
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What could be read nevertheless, with defaults in place of the mistakes: to look for further problems in, never
    /// to be run. None if the file is not even YAML.
    #[must_use]
    pub fn partial(&self) -> Option<&Config> {
        self.partial.as_deref()
    }

    /// Counts one that is not told any more.
    pub(super) fn omit(&mut self) {
        self.omitted += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    pub(super) fn with_partial(mut self, partial: Config) -> Self {
        self.partial = Some(Box::new(partial));
        self
    }
}

impl FromIterator<Problem> for Problems {
    fn from_iter<I: IntoIterator<Item = Problem>>(iter: I) -> Self {
        let mut problems = Problems::default();
        for problem in iter {
            problems.add(problem);
        }
        problems
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        if self.omitted > 0 {
            write!(f, "\n… and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A mistake in a value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// A text of the file between back-quotes, cut short and without control characters.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
