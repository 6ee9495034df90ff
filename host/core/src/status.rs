//! What a check can say of a service.

use std::fmt;

/// The verdict of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It does what it should.
    Up,
    /// It answers, but not as it should: slow, nearly full, soon expired.
    Degraded,
    /// It does not do what it should.
    Down,
    /// PiHook cannot tell. A fault of a plugin or of the host is this, and never `Down`.
    Unknown,
}

impl Status {
    /// All of them, for tables and tests.
    pub const ALL: [Status; 4] = [Status::Up, Status::Degraded, Status::Down, Status::Unknown];

    /// The lower-case name of the public contract: `up`, `degraded`, `down`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Up => "up",
            Status::Degraded => "degraded",
            Status::Down => "down",
            Status::Unknown => "unknown",
        }
    }

    /// The reverse of [`Status::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// How bad it is: Down > Degraded > Unknown > Up. A function and not `Ord`, since "greater" says nothing here.
    #[must_use]
    pub fn badness(self) -> u8 {
        match self {
            Status::Up => 0,
            Status::Unknown => 1,
            Status::Degraded => 2,
            Status::Down => 3,
        }
    }

    /// The worse of the two.
    #[must_use]
    pub fn worse(self, other: Status) -> Status {
        if other.badness() > self.badness() { other } else { self }
    }

    /// Whether the outcome counts toward an outage. `Unknown` does not: it has a streak of its own.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Status::Degraded | Status::Down)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
