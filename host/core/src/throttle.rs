//! How long somebody who guesses passwords has to wait. Memory is bounded: whoever has guessed least is forgotten first.

use std::collections::BTreeMap;
use std::time::Duration;

/// Wrong guesses that cost nothing: people mistype.
pub const FREE: u32 = 5;
/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(300);
/// Without a wrong guess for so long, it begins anew.
pub const FORGIVEN: Duration = Duration::from_secs(900);

/// Wrong guesses by whoever made them.
#[derive(Clone, Debug)]
pub struct Throttle<K> {
    guesses: BTreeMap<K, Guesses>,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Guesses {
    wrong: u32,
    /// The uptime of the newest.
    last: Duration,
}

impl Guesses {
    /// The uptime from which the next guess is taken: after the free ones a second, and twice as long each time.
    fn until(self) -> Duration {
        let Some(doublings) = self.wrong.checked_sub(FREE) else { return Duration::ZERO };
        let wait = Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        self.last + wait.min(LONGEST)
    }

    fn is_forgiven(self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= FORGIVEN
    }
}

impl<K: Ord + Clone> Throttle<K> {
    /// One that remembers so many at most.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { guesses: BTreeMap::new(), most }
    }

    /// How long this one has to wait at this uptime; none if a guess is taken now.
    #[must_use]
    pub fn wait(&self, who: &K, now: Duration) -> Option<Duration> {
        let guesses = self.guesses.get(who).filter(|guesses| !guesses.is_forgiven(now))?;
        guesses.until().checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// Notes a wrong guess.
    pub fn failed(&mut self, who: &K, now: Duration) {
        if !self.guesses.contains_key(who) && self.guesses.len() >= self.most {
            self.make_room(now);
        }
        let guesses = self.guesses.entry(who.clone()).or_insert(Guesses { wrong: 0, last: now });
        if guesses.is_forgiven(now) {
            guesses.wrong = 0;
        }
        *guesses = Guesses { wrong: guesses.wrong.saturating_add(1), last: now };
    }

    /// Notes the right one: what was guessed wrong before is forgiven.
    pub fn succeeded(&mut self, who: &K) {
        self.guesses.remove(who);
    }

    fn make_room(&mut self, now: Duration) {
        self.guesses.retain(|_, guesses| !guesses.is_forgiven(now));
        if self.guesses.len() >= self.most {
            let least = self.guesses.iter().min_by_key(|(_, guesses)| (guesses.wrong, guesses.last));
            if let Some(who) = least.map(|(who, _)| who.clone()) {
                self.guesses.remove(&who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_mistakes_are_free_and_then_it_takes_ever_longer() {
        let mut throttle = Throttle::new(10);
        let mut now = SECOND;
        let mut waits = Vec::new();
        for _ in 0..16 {
            throttle.failed(&"a", now);
            let wait = throttle.wait(&"a", now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(throttle.wait(&"a", now), None);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(throttle.wait(&"b", now), None);
    }

    #[test]
    fn the_right_password_and_time_forgive() {
        let mut throttle = Throttle::new(10);
        for _ in 0..9 {
            throttle.failed(&1, SECOND);
        }
        assert_eq!(throttle.wait(&1, SECOND), Some(SECOND * 16));
        let mut right = throttle.clone();
        right.succeeded(&1);
        assert_eq!(right.wait(&1, SECOND), None);
        throttle.failed(&1, SECOND + FORGIVEN);
        assert_eq!(throttle.wait(&1, SECOND + FORGIVEN), None);
    }

    #[test]
    fn whoever_guesses_from_many_addresses_does_not_free_the_worst() {
        let mut throttle = Throttle::new(8);
        for _ in 0..12 {
            throttle.failed(&0, SECOND);
        }
        for other in 1..1000 {
            throttle.failed(&other, SECOND * 2);
        }
        assert!(throttle.wait(&0, SECOND * 2).is_some());
        assert_eq!(throttle.guesses.len(), 8);
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_no_wait_is_longer_than_the_longest(
            guesses in prop::collection::vec((0..40_u8, 0..5_000_u64, any::<bool>()), 0..300),
        ) {
            let mut throttle = Throttle::new(16);
            for (who, at, right) in guesses {
                let now = Duration::from_secs(at);
                if right { throttle.succeeded(&who) } else { throttle.failed(&who, now) }
                prop_assert!(throttle.guesses.len() <= 16);
                prop_assert!(throttle.wait(&who, now).is_none_or(|wait| wait <= LONGEST));
            }
        }
    }
}
