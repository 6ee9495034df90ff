//! `${NAME}` and `${file:PATH}`: what they bring in, and how it is kept from sight.

use std::collections::BTreeMap;
use std::path::Path;

use pihook_core::Secret;

use super::load::Surroundings;
use super::problem::{Fault, quoted};

/// The longest secret, in bytes.
pub(super) const LONGEST: usize = 16 << 10;
/// The shortest secret in settings, in bytes: what comes back from a service is searched for its secrets, and shorter
/// ones cannot be told from ordinary words.
const SHORTEST_IN_SETTINGS: usize = 4;
/// How many references the settings of one service may have.
const MOST_IN_SETTINGS: usize = 64;
/// How a placeholder begins.
const PLACEHOLDER: &str = "${secret:";

/// Everything that was brought in so far.
pub(super) struct Secrets<'a> {
    surroundings: &'a Surroundings<'a>,
    known: BTreeMap<String, Result<Secret, Fault>>,
    filled: Vec<Secret>,
}

/// The secrets of one service's settings, in the order of their placeholders.
#[derive(Default)]
pub(super) struct OfSettings {
    pub(super) values: Vec<Secret>,
    index: BTreeMap<String, usize>,
}

enum Piece<'t> {
    Text(String),
    Reference(&'t str),
}

impl OfSettings {
    /// A placeholder for a secret that was read already.
    pub(super) fn placeholder(&mut self, secret: Secret) -> String {
        self.values.push(secret);
        format!("{PLACEHOLDER}{}}}", self.values.len() - 1)
    }
}

impl<'a> Secrets<'a> {
    pub(super) fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self { surroundings, known: BTreeMap::new(), filled: Vec::new() }
    }

    /// The text with its references filled in.
    pub(super) fn fill(&mut self, text: &str) -> Result<Secret, Fault> {
        let mut value = String::new();
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => value.push_str(&text),
                Piece::Reference(name) => value.push_str(self.resolve(name)?.expose()),
            }
            if value.len() > LONGEST {
                return Err(too_long("this value"));
            }
        }
        let secret = Secret::new(value);
        if !secret.expose().is_empty() {
            self.filled.push(secret.clone());
        }
        Ok(secret)
    }

    /// The text with placeholders in place of its references.
    pub(super) fn hide(&mut self, text: &str, settings: &mut OfSettings) -> Result<String, Fault> {
        let mut hidden = String::new();
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) if text.contains(PLACEHOLDER) => {
                    let what = format!("the text `{PLACEHOLDER}` is reserved for PiHook itself");
                    return Err(Fault::new(what, "take it in through an environment variable: `${NAME}`"));
                }
                Piece::Text(text) => hidden.push_str(&text),
                Piece::Reference(name) => {
                    let number = self.number(name, settings)?;
                    hidden.push_str(&format!("{PLACEHOLDER}{number}}}"));
                }
            }
        }
        Ok(hidden)
    }

    /// All values that were brought in, each once, none of them empty.
    pub(super) fn into_values(self) -> Vec<Secret> {
        let brought = self.known.into_values().filter_map(Result::ok).chain(self.filled);
        let unique: BTreeMap<String, Secret> =
            brought.map(|secret| (secret.expose().to_owned(), secret)).collect();
        unique.into_values().collect()
    }

    fn number(&mut self, name: &str, settings: &mut OfSettings) -> Result<usize, Fault> {
        if let Some(number) = settings.index.get(name) {
            return Ok(*number);
        }
        let number = settings.values.len();
        if number >= MOST_IN_SETTINGS {
            let what = format!("these settings refer to more than {MOST_IN_SETTINGS} secrets");
            return Err(Fault::new(what, "bring fewer of them in, or make two services of this one"));
        }
        let secret = self.resolve(name)?;
        if secret.expose().len() < SHORTEST_IN_SETTINGS {
            let what = format!(
                "{} brings in less than {SHORTEST_IN_SETTINGS} characters, which cannot be kept secret",
                quoted(&format!("${{{name}}}"))
            );
            return Err(Fault::new(
                what,
                "write it out if it is no secret, and choose a longer one if it is",
            ));
        }
        settings.values.push(secret);
        settings.index.insert(name.to_owned(), number);
        Ok(number)
    }

    fn resolve(&mut self, name: &str) -> Result<Secret, Fault> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let value = match name.strip_prefix("file:") {
            Some(path) => self.file(path),
            None => self.variable(name),
        };
        let value = value.map(Secret::new);
        self.known.insert(name.to_owned(), value.clone());
        value
    }

    fn variable(&self, name: &str) -> Result<String, Fault> {
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            let remedy =
                "`${NAME}` for an environment variable, `${file:PATH}` for a file, `$$` for a dollar sign";
            return Err(Fault::new("this `${…}` names no environment variable", remedy));
        }
        let what = match (self.surroundings.environment)(name) {
            None => "is not set",
            Some(value) if value.is_empty() => "is empty",
            Some(value) if value.len() > LONGEST => {
                return Err(too_long(&format!("the environment variable `{name}`")));
            }
            Some(value) => return Ok(value),
        };
        let remedy = "set it where pihook is started, or put the value in a file and write `${file:PATH}`";
        Err(Fault::new(format!("the environment variable {} {what}", quoted(name)), remedy))
    }

    fn file(&self, path: &str) -> Result<String, Fault> {
        let remedy = "a file that pihook may read, relative to the folder of services.yaml";
        if path.is_empty() {
            return Err(Fault::new("`${file:}` names no file", remedy));
        }
        let full = self.surroundings.base.join(Path::new(path));
        match (self.surroundings.read_file)(&full) {
            Err(error) => {
                Err(Fault::new(format!("the file {} cannot be read: {error}", quoted(path)), remedy))
            }
            Ok(content) if content.len() > LONGEST => Err(too_long(&format!("the file {}", quoted(path)))),
            Ok(content) => match content.trim() {
                "" => Err(Fault::new(format!("the file {} is empty", quoted(path)), "put the value into it")),
                trimmed => Ok(trimmed.to_owned()),
            },
        }
    }
}

/// The text of a value that is shown and so must not refer to secrets; `$$` becomes `$`.
pub(super) fn plain(text: &str) -> Result<String, Fault> {
    let mut plain = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => plain.push_str(&text),
            Piece::Reference(_) => {
                let what = "what `${…}` brings in is secret, and this value is shown";
                return Err(Fault::new(what, "write the value out; `$$` is a dollar sign"));
            }
        }
    }
    Ok(plain)
}

fn too_long(what: &str) -> Fault {
    Fault::new(format!("{what} is longer than 16 KiB"), "a secret is a line of text: is this the right one?")
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Fault> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        literal.push_str(before);
        if let Some(inner) = after.strip_prefix('{') {
            let Some((name, behind)) = inner.split_once('}') else {
                let remedy = "`${NAME}`, or `$$` for a dollar sign";
                return Err(Fault::new("this `${` is never closed", remedy));
            };
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
            pieces.push(Piece::Reference(name));
            rest = behind;
        } else {
            literal.push('$');
            rest = after.strip_prefix('$').unwrap_or(after);
        }
    }
    literal.push_str(rest);
    pieces.push(Piece::Text(literal));
    Ok(pieces)
}
