//! Scatter without chance: the same seed gives the same delay in every run and on every machine.

use std::time::Duration;

/// A number that stands for the text (FNV-1a).
pub(crate) fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A duration of at least zero and below `span`, evenly spread over seeds and numbers (the finaliser of SplitMix64).
pub(crate) fn within(span: Duration, seed: u64, number: u64) -> Duration {
    let mut bits = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    let part = (u128::from(nanos) * u128::from(bits)) >> 64;
    Duration::from_nanos(u64::try_from(part).unwrap_or(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_the_span_and_fills_it() {
        let span = Duration::from_secs(1);
        let all: Vec<_> = (0..1000).map(|number| within(span, seed_of("nas"), number)).collect();
        assert!(all.iter().all(|part| *part < span));
        let mean = all.iter().sum::<Duration>() / 1000;
        assert!((450..550).contains(&mean.as_millis()), "{mean:?}");
        assert!(all.iter().any(|part| *part < span / 20) && all.iter().any(|part| *part > span / 20 * 19));
    }

    #[test]
    fn it_is_the_same_every_time_and_differs_between_seeds() {
        let span = Duration::from_secs(1);
        assert_eq!(within(span, seed_of("a"), 7), within(span, seed_of("a"), 7));
        assert_ne!(within(span, seed_of("a"), 7), within(span, seed_of("b"), 7));
        assert_eq!(within(Duration::ZERO, 1, 1), Duration::ZERO);
    }
}
