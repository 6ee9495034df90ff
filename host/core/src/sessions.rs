//! Who is logged in. Kept in memory alone, under a digest of what the browser shows, and bounded.

use std::collections::BTreeMap;
use std::time::Duration;

/// Sessions at once; one more ends the one that was not used for longest.
pub const MOST: usize = 64;
/// A session that is not used for so long ends.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);
/// A session ends after so long, used or not.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// The digest of a session's token.
pub type Digest = [u8; 32];

/// Who is logged in.
#[derive(Debug, Default)]
pub struct Sessions(BTreeMap<Digest, Session>);

/// Both are uptimes.
#[derive(Clone, Copy, Debug)]
struct Session {
    began: Duration,
    used: Duration,
}

impl Session {
    fn lasts(self, now: Duration) -> bool {
        now.saturating_sub(self.began) < LONGEST && now.saturating_sub(self.used) < IDLE
    }
}

impl Sessions {
    /// Begins one.
    pub fn begin(&mut self, token: Digest, now: Duration) {
        self.0.retain(|_, session| session.lasts(now));
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, session)| session.used).map(|(token, _)| *token);
            oldest.map(|token| self.0.remove(&token));
        }
        self.0.insert(token, Session { began: now, used: now });
    }

    /// Whether it lasts; it is used then.
    pub fn admits(&mut self, token: &Digest, now: Duration) -> bool {
        let Some(session) = self.0.get_mut(token).filter(|session| session.lasts(now)) else { return false };
        session.used = session.used.max(now);
        true
    }

    /// Ends it.
    pub fn end(&mut self, token: &Digest) {
        self.0.remove(token);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn token(number: u8) -> Digest {
        [number; 32]
    }

    #[test]
    fn a_session_lasts_while_it_is_used_and_a_week_at_most() {
        let mut sessions = Sessions::default();
        sessions.begin(token(1), HOUR);
        sessions.begin(token(2), HOUR);
        assert!(!sessions.admits(&token(3), HOUR));
        for hour in 1..=168 {
            assert!(sessions.admits(&token(1), HOUR * hour), "{hour}");
        }
        assert!(!sessions.admits(&token(1), HOUR * 169));
        assert!(!sessions.admits(&token(2), HOUR * 13), "it was not used for twelve hours");
    }

    #[test]
    fn whoever_logs_out_is_out() {
        let mut sessions = Sessions::default();
        sessions.begin(token(1), HOUR);
        sessions.end(&token(1));
        assert!(!sessions.admits(&token(1), HOUR));
    }

    proptest! {
        #[test]
        fn sessions_are_bounded(begun in prop::collection::vec((any::<u8>(), 0..400_u32), 0..300)) {
            let mut sessions = Sessions::default();
            for (number, hour) in begun {
                sessions.begin(token(number), HOUR * hour);
                prop_assert!(sessions.admits(&token(number), HOUR * hour));
                prop_assert!(sessions.0.len() <= MOST);
            }
        }
    }
}
