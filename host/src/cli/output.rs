//! What is printed: colours on a terminal only, and columns that line up.

use std::io;

use pihook_core::Status;

use crate::telemetry::colours;

/// Where something is printed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// Colours text, or leaves it alone where nobody could see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Coloured,
}

impl Paint {
    /// Colours for a terminal, unless `NO_COLOR` is set.
    pub(super) fn of(stream: Stream) -> Self {
        let coloured = match stream {
            Stream::Stdout => colours(&io::stdout()),
            Stream::Stderr => colours(&io::stderr()),
        };
        if coloured { Paint::Coloured } else { Paint::Plain }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Paint::Plain => text.to_owned(),
            Paint::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text in the colour of a status.
    pub(super) fn status(self, status: Status, text: &str) -> String {
        match status {
            Status::Up => self.good(text),
            Status::Degraded => self.warning(text),
            Status::Down => self.bad(text),
            Status::Unknown => self.paint("35", text),
        }
    }
}

/// A shape beside the colour, for those who do not see it.
pub(super) fn symbol(status: Status) -> &'static str {
    match status {
        Status::Up => "✓",
        Status::Degraded => "!",
        Status::Down => "✗",
        Status::Unknown => "?",
    }
}

/// The text padded on the right to `width` columns, counted in characters.
pub(super) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// The widest of the texts, at least that of the heading.
pub(super) fn width<'a>(heading: &str, texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).chain([heading.chars().count()]).max().unwrap_or_default()
}

/// A response time as people read it.
pub(super) fn milliseconds(ms: Option<f64>) -> String {
    match ms {
        None => String::new(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 10_000.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1000.0),
    }
}

/// How long ago something was, in one unit.
pub(super) fn ago(seconds: i64) -> String {
    match seconds {
        ..0 => "in the future".to_owned(),
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}
