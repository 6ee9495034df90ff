//! The lines of all values, and the bounds that they keep.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScanError, Span, Tag};

use super::Located;
use crate::config::lines::{Edge, Lines, Place, below, item};
use crate::config::problem::{Fault, quoted};

/// How deep values may be nested.
const DEEPEST: usize = 48;
/// How many values there may be once every alias is written out.
const MOST_VALUES: usize = 100_000;
/// How many bytes of text there may be once every alias is written out.
const MOST_TEXT: usize = 4 << 20;

/// How much a value amounts to with its aliases written out.
#[derive(Clone, Copy, Default)]
struct Weight {
    values: usize,
    text: usize,
}

impl Weight {
    fn add(&mut self, other: Weight) {
        self.values = self.values.saturating_add(other.values);
        self.text = self.text.saturating_add(other.text);
    }

    fn is_too_much(self) -> bool {
        self.values > MOST_VALUES || self.text > MOST_TEXT
    }
}

/// A sequence or mapping that is still open.
struct Frame {
    edge: Edge,
    weight: Weight,
    contents: Contents,
}

enum Contents {
    Items(Vec<Edge>),
    Entries { done: BTreeMap<String, Edge>, key: Option<(String, usize)> },
}

#[derive(Default)]
pub(super) struct Index {
    pub(super) lines: Lines,
    weights: Vec<Weight>,
    anchors: BTreeMap<usize, usize>,
    stack: Vec<Frame>,
    documents: usize,
    /// Problems that do not keep the rest from being read.
    pub(super) problems: Vec<Located>,
}

impl Index {
    /// Reads all of it.
    ///
    /// # Errors
    /// What ends the reading: the syntax, or a bound that is passed.
    pub(super) fn read(&mut self, text: &str) -> Result<(), Located> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax(&error))?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Located> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let remedy = "one file holds one document: remove the line `---`";
                    return Err((line, String::new(), Fault::new("a second document begins here", remedy)));
                }
                Ok(())
            }
            Event::Scalar(text, _, anchor, tag) => {
                self.plain(tag.as_ref(), line)?;
                let place = self.place(Place::Scalar, anchor, Weight { values: 1, text: text.len() });
                self.attach(Edge { line, place }, &text)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag.as_ref(), line, Contents::Items(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let contents = Contents::Entries { done: BTreeMap::new(), key: None };
                self.open(anchor, tag.as_ref(), line, contents)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, line),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn place(&mut self, place: Place, anchor: usize, weight: Weight) -> usize {
        let index = self.lines.places.len();
        self.lines.places.push(place);
        self.weights.push(weight);
        if anchor > 0 {
            self.anchors.insert(anchor, index);
        }
        index
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<&Cow<'_, Tag>>,
        line: usize,
        contents: Contents,
    ) -> Result<(), Located> {
        self.plain(tag, line)?;
        if self.stack.len() >= DEEPEST {
            let fault =
                Fault::new(format!("nested more than {DEEPEST} levels deep"), "no setting needs that much");
            return Err((line, self.path(), fault));
        }
        let weight = Weight { values: 1, text: 0 };
        let edge = Edge { line, place: self.place(Place::Open, anchor, weight) };
        self.stack.push(Frame { edge, weight, contents });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Located> {
        let Some(Frame { edge, weight, contents }) = self.stack.pop() else { return Ok(()) };
        let place = match contents {
            Contents::Items(items) => Place::Sequence(items),
            Contents::Entries { done, .. } => Place::Mapping(done),
        };
        if let Some(slot) = self.lines.places.get_mut(edge.place) {
            *slot = place;
        }
        if let Some(slot) = self.weights.get_mut(edge.place) {
            *slot = weight;
        }
        self.attach(edge, "?")
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Located> {
        let place = self.anchors.get(&anchor).copied().unwrap_or(usize::MAX);
        if !matches!(
            self.lines.places.get(place),
            Some(Place::Scalar | Place::Sequence(_) | Place::Mapping(_))
        ) {
            let fault = Fault::new("an alias stands within its own anchor", "write the value out");
            return Err((line, self.path(), fault));
        }
        self.attach(Edge { line, place }, "*")
    }

    /// Hangs a finished value into the one that is open; as a key, if it is a mapping's turn to get one.
    fn attach(&mut self, edge: Edge, text: &str) -> Result<(), Located> {
        let weight = self.weights.get(edge.place).copied().unwrap_or_default();
        let Some(frame) = self.stack.last_mut() else {
            self.lines.root = Some(edge);
            return Ok(());
        };
        frame.weight.add(weight);
        if frame.weight.is_too_much() {
            let fault = Fault::new(
                "with its aliases written out, the file is far too large",
                "a configuration is much smaller: use fewer aliases",
            );
            return Err((edge.line, self.path(), fault));
        }
        match &mut frame.contents {
            Contents::Items(items) => items.push(edge),
            Contents::Entries { key, .. } => match key.take() {
                None => *key = Some((text.to_owned(), edge.line)),
                Some((key, line)) => self.entry(key, Edge { line, place: edge.place }),
            },
        }
        Ok(())
    }

    fn entry(&mut self, key: String, edge: Edge) {
        let path = below(&self.path(), &key);
        if key == "<<" && !self.merges(edge.place) {
            let fault = Fault::new(
                "`<<` merges mappings, and this is none",
                "refer to a mapping's anchor: `<<: *name`",
            );
            self.problems.push((edge.line, path.clone(), fault));
        }
        let Some(Frame { contents: Contents::Entries { done, .. }, .. }) = self.stack.last_mut() else {
            return;
        };
        if let Some(first) = done.get(&key) {
            let what =
                format!("{} stands here for the second time, first in line {}", quoted(&key), first.line);
            self.problems.push((edge.line, path, Fault::new(what, "keep one of the two")));
            return;
        }
        done.insert(key, edge);
    }

    fn merges(&self, place: usize) -> bool {
        match self.lines.places.get(place) {
            Some(Place::Mapping(_)) => true,
            Some(Place::Sequence(items)) => {
                items.iter().all(|item| matches!(self.lines.places.get(item.place), Some(Place::Mapping(_))))
            }
            Some(Place::Open | Place::Scalar) | None => false,
        }
    }

    fn plain(&self, tag: Option<&Cow<'_, Tag>>, line: usize) -> Result<(), Located> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                let fault = Fault::new(
                    "a YAML tag (`!…`) means nothing here",
                    "remove it, or put the text in quotes",
                );
                Err((line, self.path(), fault))
            }
            _ => Ok(()),
        }
    }

    /// The path of what is read next.
    fn path(&self) -> String {
        self.stack.iter().fold(String::new(), |path, frame| match &frame.contents {
            Contents::Items(items) => item(&path, items.len()),
            Contents::Entries { key: Some((key, _)), .. } => below(&path, key),
            Contents::Entries { key: None, .. } => path,
        })
    }
}

fn syntax(error: &ScanError) -> Located {
    let mark = error.marker();
    let what = format!("not YAML from column {} on: {}", mark.col() + 1, error.info());
    let remedy = "look at the indentation (spaces, no tabs), at `: ` after keys and at the quotes, here and one line above";
    (mark.line().max(1), String::new(), Fault::new(what, remedy))
}
