//! How often a sink is told something.

use std::collections::VecDeque;
use std::time::Duration;

use super::Policy;

/// The span that messages are counted in.
const MINUTE: Duration = Duration::from_secs(60);

/// What becomes of what waits for a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is sent for so long; what comes meanwhile is gathered.
    Gather(Duration),
    /// The oldest is sent, alone.
    One,
    /// All of it is sent, as one message.
    All,
}

/// When a sink was told something, and so when it may be told more. Times are uptimes and never go back.
///
/// It is forgotten with the process: after a restart the first alert goes out at once.
#[derive(Clone, Debug)]
pub struct Rhythm {
    gather: Duration,
    per_minute: usize,
    /// When the newest messages were sent, as many as a minute may have.
    sent: VecDeque<Duration>,
    /// Whether something has waited since the last message, so that what goes out next goes out together.
    gathering: Gathering,
    pace: Pace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gathering {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Calm,
    /// A minute has had as many messages as it may have: they are spread evenly from now on.
    Storm,
}

impl Rhythm {
    /// That of a sink which was not told anything.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            gather: policy.gather,
            per_minute: usize::try_from(policy.per_minute.get()).unwrap_or(usize::MAX),
            sent: VecDeque::new(),
            gathering: Gathering::No,
            pace: Pace::Calm,
        }
    }

    /// What becomes of what waits. To be asked when something does.
    pub fn turn(&mut self, now: Duration) -> Turn {
        if self.is_full(now) {
            self.pace = Pace::Storm;
        }
        let free = self.free_at();
        if now < free {
            self.gathering = Gathering::Yes;
            return Turn::Gather(free - now);
        }
        match self.gathering {
            Gathering::Yes => Turn::All,
            Gathering::No => {
                self.pace = Pace::Calm;
                Turn::One
            }
        }
    }

    /// What waits is held for a reason of its own: it goes out together.
    pub fn hold(&mut self) {
        self.gathering = Gathering::Yes;
    }

    /// The sink has taken a message.
    pub fn sent(&mut self, now: Duration) {
        if self.sent.len() >= self.per_minute {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
        self.gathering = Gathering::No;
    }

    /// Whether more than one alert can be of use in a turn.
    #[must_use]
    pub fn gathers(&self) -> bool {
        !self.gather.is_zero() || self.gathering == Gathering::Yes || self.pace == Pace::Storm
    }

    /// Whether the last minute has had all its messages.
    fn is_full(&self, now: Duration) -> bool {
        now < self.minute_ends()
    }

    /// When the minute ends that began with the oldest of the newest messages, if there are that many.
    fn minute_ends(&self) -> Duration {
        let full = self.sent.len() >= self.per_minute;
        let oldest = self.sent.front().filter(|_| full);
        oldest.map_or(Duration::ZERO, |oldest| oldest.saturating_add(MINUTE))
    }

    fn free_at(&self) -> Duration {
        let apart = match self.pace {
            Pace::Calm => self.gather,
            Pace::Storm => self.gather.max(MINUTE / u32::try_from(self.per_minute).unwrap_or(u32::MAX)),
        };
        let gathered = self.sent.back().map_or(Duration::ZERO, |last| last.saturating_add(apart));
        gathered.max(self.minute_ends())
    }
}

#[cfg(test)]
mod tests;
