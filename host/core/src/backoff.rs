//! How long to wait before the next attempt.

use std::time::Duration;

use crate::jitter;

/// A delay that grows with every failed attempt up to a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failed attempt.
    pub first: Duration,
    /// What each further failure multiplies it by.
    pub factor: u32,
    /// The longest delay.
    pub cap: Duration,
}

impl Backoff {
    /// For deliveries: 1 s, doubled up to 10 min.
    pub const DELIVERY: Backoff =
        Backoff { first: Duration::from_secs(1), factor: 2, cap: Duration::from_secs(600) };

    /// The delay after so many failed attempts, give or take a fifth and never above the cap. The same seed gives the
    /// same delay; deliveries with different seeds drift apart.
    #[must_use]
    pub fn delay(&self, attempts: u32, jitter_seed: u64) -> Duration {
        let growth = self.factor.saturating_pow(attempts.saturating_sub(1));
        let plain = self.first.saturating_mul(growth).min(self.cap);
        let fifth = plain / 5;
        let scatter = jitter::within(fifth.saturating_mul(2), jitter_seed, u64::from(attempts));
        (plain - fifth).saturating_add(scatter).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_doubles_up_to_the_cap() {
        let plain = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600];
        for (attempts, seconds) in (1..).zip(plain) {
            let delay = Backoff::DELIVERY.delay(attempts, 7).as_secs_f64();
            let seconds = f64::from(seconds);
            assert!((seconds * 0.8..=seconds * 1.2).contains(&delay), "{attempts}: {delay}");
        }
    }

    #[test]
    fn seeds_drift_apart() {
        assert_ne!(Backoff::DELIVERY.delay(5, 1), Backoff::DELIVERY.delay(5, 2));
        assert_eq!(Backoff::DELIVERY.delay(5, 1), Backoff::DELIVERY.delay(5, 1));
    }

    proptest! {
        #[test]
        fn it_is_bounded_for_all_input(first: Duration, factor: u32, cap: Duration, attempts: u32, seed: u64) {
            let delay = Backoff { first, factor, cap }.delay(attempts, seed);
            prop_assert!(delay <= cap);
        }

        #[test]
        fn a_delivery_never_hurries(attempts: u32, seed: u64) {
            let delay = Backoff::DELIVERY.delay(attempts, seed);
            prop_assert!(delay >= Duration::from_millis(800) && delay <= Duration::from_secs(600));
        }
    }
}
