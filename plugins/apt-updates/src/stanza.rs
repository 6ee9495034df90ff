//! Reads files of stanzas, as dpkg and apt write them, from chunks of any size.

use memchr::{memchr, memmem};

/// Longer lines are cut: no field that is read here comes near.
const LONGEST_LINE: usize = 64 << 10;

/// The fields of a stanza that matter here. What a stanza does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanza {
    /// `Package`.
    pub package: Vec<u8>,
    /// `Version`.
    pub version: Vec<u8>,
    /// `Architecture`.
    pub architecture: Vec<u8>,
    /// `Status`, in dpkg's own file.
    pub status: Vec<u8>,
    /// `Phased-Update-Percentage`.
    pub phased: Vec<u8>,
}

impl Stanza {
    fn clear(&mut self) {
        for field in
            [&mut self.package, &mut self.version, &mut self.architecture, &mut self.status, &mut self.phased]
        {
            field.clear();
        }
    }
}

/// Takes chunks in and gives out stanzas.
///
/// Most stanzas of apt's lists are of packages that are not installed. They begin with their name, and so the rest of them is
/// passed over without being looked at.
pub struct Reader<W, E> {
    wanted: W,
    each: E,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    stanza: Stanza,
    within: Within,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Before the first field of a stanza.
    Gap,
    Stanza,
    /// A stanza that nobody wants.
    Passed,
}

impl<W: Fn(&[u8]) -> bool, E: FnMut(&Stanza)> Reader<W, E> {
    /// A reader that gives the stanzas of wanted packages to `each`.
    pub fn new(wanted: W, each: E) -> Self {
        Self { wanted, each, rest: Vec::new(), stanza: Stanza::default(), within: Within::Gap }
    }

    /// Takes the next bytes in.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        loop {
            if self.within == Within::Passed && self.rest.is_empty() {
                // The end of a line is already behind: an empty line is what is looked for.
                chunk = match pass(chunk) {
                    Passed::Over(rest) => {
                        self.within = Within::Gap;
                        rest
                    }
                    Passed::UpTo(line) => line,
                };
            }
            let Some(end) = memchr(b'\n', chunk) else { break };
            let (line, next) = (&chunk[..end], &chunk[end + 1..]);
            if self.rest.is_empty() {
                self.line(line);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.rest);
                self.line(&whole);
                self.rest = whole;
                self.rest.clear();
            }
            chunk = next;
        }
        self.keep(chunk);
    }

    /// The file is at its end.
    pub fn finish(mut self) {
        let last = std::mem::take(&mut self.rest);
        self.line(&last);
        self.end();
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() || line == b"\r" {
            return self.end();
        }
        if self.within == Within::Passed {
            return;
        }
        let first = self.within == Within::Gap;
        self.within = Within::Stanza;
        let Some(colon) = memchr(b':', line) else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let field = match name {
            b"Package" if first && !(self.wanted)(value) => {
                self.within = Within::Passed;
                return;
            }
            b"Package" => &mut self.stanza.package,
            b"Version" => &mut self.stanza.version,
            b"Architecture" => &mut self.stanza.architecture,
            b"Status" => &mut self.stanza.status,
            b"Phased-Update-Percentage" => &mut self.stanza.phased,
            _ => return,
        };
        field.clear();
        field.extend_from_slice(value);
    }

    fn end(&mut self) {
        if self.within == Within::Stanza && (self.wanted)(&self.stanza.package) {
            (self.each)(&self.stanza);
        }
        self.stanza.clear();
        self.within = Within::Gap;
    }
}

enum Passed<'c> {
    /// The stanza is over; what comes after it.
    Over(&'c [u8]),
    /// It goes on behind this chunk; its last line, which may be cut.
    UpTo(&'c [u8]),
}

/// Passes over the rest of a stanza, from the beginning of a line.
fn pass(chunk: &[u8]) -> Passed<'_> {
    if let Some(rest) = chunk.strip_prefix(b"\n") {
        return Passed::Over(rest);
    }
    match memmem::find(chunk, b"\n\n") {
        Some(end) => Passed::Over(&chunk[end + 2..]),
        None => Passed::UpTo(memchr::memrchr(b'\n', chunk).map_or(chunk, |end| &chunk[end + 1..])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], size: usize, wanted: impl Fn(&[u8]) -> bool) -> Vec<Stanza> {
        let mut found = Vec::new();
        let mut reader = Reader::new(wanted, |stanza: &Stanza| found.push(stanza.clone()));
        text.chunks(size.max(1)).for_each(|chunk| reader.feed(chunk));
        reader.finish();
        found
    }

    const TEXT: &[u8] = b"\n\nPackage: a\nVersion: 1\nDescription: x\n more: y\n Version: 9\nArchitecture: all\n\n\
        Package: b\nVersion: 2\n\n\n\nVersion: 3\nPackage: c\nStatus: install ok installed\r\nnonsense\n\nPackage: d";

    #[test]
    fn stanzas_are_the_same_whatever_the_chunks() {
        let names = |found: Vec<Stanza>| {
            found
                .into_iter()
                .map(|s| {
                    [s.package, s.version, s.architecture, s.status]
                        .map(|f| String::from_utf8(f).unwrap())
                        .join("|")
                })
                .collect::<Vec<_>>()
        };
        for size in 1..TEXT.len() + 1 {
            assert_eq!(
                names(read(TEXT, size, |_| true)),
                ["a|1|all|", "b|2||", "c|3||install ok installed", "d|||"]
            );
            assert_eq!(names(read(TEXT, size, |name| name == b"b")), ["b|2||"]);
            assert_eq!(names(read(TEXT, size, |name| name == b"c")), ["c|3||install ok installed"]);
        }
    }

    #[test]
    fn a_line_without_end_takes_a_bounded_place() {
        let mut reader = Reader::new(|_: &[u8]| true, |_: &Stanza| ());
        for _ in 0..1000 {
            reader.feed(&[b'x'; 1000]);
        }
        assert!(reader.rest.len() <= LONGEST_LINE);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in any::<Vec<u8>>(), size in 1_usize..40) {
            prop_assert_eq!(read(&text, size, |_| true), read(&text, 1000, |_| true));
        }

        #[test]
        fn chunks_do_not_matter(
            text in prop::collection::vec(prop::sample::select(b"Package: \nVersion:ab".to_vec()), 0..200),
            size in 1_usize..40,
        ) {
            prop_assert_eq!(read(&text, size, |n| n.is_empty()), read(&text, 1000, |n| n.is_empty()));
        }
    }
}
