//! Small pieces of text that every layer words alike.

use std::error::Error;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time of day without seconds, for [`local`].
pub const MINUTES: &str = "%Y-%m-%d %H:%M";

/// The same with its time zone, for what lies ahead.
pub const ZONED: &str = "%Y-%m-%d %H:%M %Z";

/// An error with its causes, in one line: a `Display` never includes its source, so the chain is put together once,
/// at the edge.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// So many of something: `1 service`, `2 services`.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A time on the reader's own clock, in a format of `strftime`.
#[must_use]
pub fn local(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::system()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_chain_names_every_cause_once() {
        assert_eq!(chain(&Outer(io::Error::other("inner"))), "outer: inner");
        assert_eq!(chain(&io::Error::other("alone")), "alone");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|n| count(n, "service")), ["0 services", "1 service", "2 services"]);
    }
}
