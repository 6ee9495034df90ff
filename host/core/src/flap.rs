//! Flapping: a service that goes up and down all the time is told of once, and not at each blink.
//!
//! ```text
//! rate = Σ wᵢ·cᵢ / Σ wᵢ     over the changes between neighbours of the last `window` definite outcomes
//! cᵢ = 1 if outcome i differs from the one before it (good or bad), else 0
//! wᵢ grows evenly from 0.8 for the oldest change to 1.2 for the newest
//! ```
//! The weights are those of Nagios: a service that calms down is believed a little sooner. Outcomes from before there were
//! any count as good.

/// The fewest outcomes that can be looked at.
pub const LEAST_WINDOW: u32 = 3;
/// The most outcomes that can be looked at: they are the bits of one number.
pub const MOST_WINDOW: u32 = 60;

/// When a service counts as flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// How many outcomes are looked at; from [`LEAST_WINDOW`] to [`MOST_WINDOW`].
    pub window: u32,
    /// It flaps from this rate on, in percent.
    pub high: u32,
    /// It has settled below this rate, in percent; less than `high`.
    pub low: u32,
}

impl Default for Flap {
    fn default() -> Self {
        Self { window: 20, high: 50, low: 25 }
    }
}

impl Flap {
    /// The outcomes with one more; the newest is the lowest bit, 1 for a bad one. Outcomes beyond the window are
    /// forgotten, so that those of a steady service stay the same number.
    pub(crate) fn with(self, outcomes: u64, bad: Seen) -> u64 {
        let mask = (1_u64 << self.window.clamp(LEAST_WINDOW, MOST_WINDOW)) - 1;
        ((outcomes << 1) | u64::from(bad == Seen::Bad)) & mask
    }

    /// Whether these outcomes change so often that the service flaps.
    pub(crate) fn enters(self, outcomes: u64) -> bool {
        let (changed, all) = self.rate(outcomes);
        changed * 100 >= u64::from(self.high) * all
    }

    /// Whether they change so rarely that it has settled.
    pub(crate) fn leaves(self, outcomes: u64) -> bool {
        let (changed, all) = self.rate(outcomes);
        changed * 100 < u64::from(self.low) * all
    }

    /// The weight of what changed, and the weight of all. Weights are whole numbers in the proportion of 0.8 to 1.2.
    fn rate(self, outcomes: u64) -> (u64, u64) {
        let changes = u64::from(self.window.clamp(LEAST_WINDOW, MOST_WINDOW)) - 1;
        let changed = outcomes ^ (outcomes >> 1);
        let steps = changes - 1;
        // The newest change is the lowest bit.
        let weight = |age: u64| 4 * steps + 2 * (steps - age);
        let of = |age: u64| if changed >> age & 1 == 1 { weight(age) } else { 0 };
        ((0..changes).map(of).sum(), (0..changes).map(weight).sum())
    }
}

/// What a definite outcome was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Good,
    Bad,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(flap: Flap, text: &str) -> u64 {
        text.chars().fold(0, |all, c| flap.with(all, if c == 'x' { Seen::Bad } else { Seen::Good }))
    }

    #[test]
    fn the_rate_weighs_the_newest_change_half_again_as_much_as_the_oldest() {
        let flap = Flap { window: 5, ..Flap::default() };
        // Four changes that weigh 0.8, 0.93, 1.07 and 1.2; times 15 these are 12, 14, 16 and 18.
        for (text, changed) in
            [(".....", 0), ("xxxxx", 0), (".xxxx", 12), ("..xxx", 14), ("...xx", 16), ("....x", 18)]
        {
            assert_eq!(flap.rate(outcomes(flap, text)), (changed, 60), "{text}");
        }
        assert_eq!(flap.rate(outcomes(flap, ".x.x.")), (60, 60), "what changes each time");
    }

    #[test]
    fn it_enters_high_and_leaves_low_and_stays_between() {
        let flap = Flap::default();
        let blinking = outcomes(flap, &".x".repeat(10));
        assert!(flap.enters(blinking) && !flap.leaves(blinking));
        let one_outage = outcomes(flap, "......xxxx..........");
        assert!(!flap.enters(one_outage) && flap.leaves(one_outage));
        let between = outcomes(flap, "............x.x.x.x.");
        assert!(!flap.enters(between) && !flap.leaves(between));
        let (mut calm, mut good) = (blinking, 0);
        while !flap.leaves(calm) {
            calm = flap.with(calm, Seen::Good);
            good += 1;
        }
        // Five changes are left, with 380 of 1710; with six it were 462, and a quarter is 427.5.
        assert_eq!(good, 15, "good outcomes until it has settled");
    }

    #[test]
    fn what_is_steady_stays_the_same_number_and_every_window_is_safe() {
        for window in [0, 1, LEAST_WINDOW, 20, MOST_WINDOW, u32::MAX] {
            let flap = Flap { window, ..Flap::default() };
            assert_eq!(flap.with(0, Seen::Good), 0);
            let down = (0..100).fold(0, |all, _| flap.with(all, Seen::Bad));
            assert_eq!(flap.with(down, Seen::Bad), down);
            assert!(!flap.enters(down) && flap.leaves(down));
            assert!(!flap.enters(u64::MAX), "bits that no window has are not looked at");
        }
    }
}
