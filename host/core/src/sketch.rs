//! Percentiles of many response times in a few dozen bytes, which can be added up.
//!
//! Times fall into buckets whose width is a thirty-second of their lower end. So a percentile is off by a sixty-fourth
//! at the most ([`Sketch::ERROR`]), sketches of parts merged are the sketch of the whole, and no float decides.

use std::collections::BTreeMap;

/// Steps between a power of two and the next.
const STEPS: u64 = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// No bucket has a higher number.
const LAST: u16 = 1919;

/// How often each size was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    buckets: BTreeMap<u16, u64>,
}

impl Sketch {
    /// By how much a percentile may be off, as a share of it.
    pub const ERROR: f64 = 1.0 / 64.0;

    /// Counts a value in.
    pub fn record(&mut self, value: u64) {
        let seen = self.buckets.entry(bucket(value)).or_default();
        *seen = seen.saturating_add(1);
    }

    /// Adds what another one has seen.
    pub fn merge(&mut self, other: &Sketch) {
        for (bucket, count) in &other.buckets {
            let seen = self.buckets.entry(*bucket).or_default();
            *seen = seen.saturating_add(*count);
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The smallest value that at least `percent` of 100 of all do not exceed; none if there are none.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        let rank = (u128::from(self.count()) * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut passed = 0_u128;
        let found = self.buckets.iter().find(|(_, count)| {
            passed += u128::from(**count);
            passed >= rank
        });
        found.map(|(bucket, _)| middle(*bucket))
    }

    /// Compact: of each bucket the distance to the one before, and its count where it is not 1.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut before = 0;
        for (bucket, count) in &self.buckets {
            let distance = u64::from(bucket - before);
            put(&mut bytes, (distance << 1) | u64::from(*count != 1));
            if *count != 1 {
                put(&mut bytes, *count);
            }
            before = *bucket;
        }
        bytes
    }

    /// The reverse of [`Sketch::to_bytes`]; none if the bytes are not such.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut buckets = BTreeMap::new();
        let mut bucket = 0_u16;
        while !bytes.is_empty() {
            let head = take(&mut bytes)?;
            bucket = bucket.checked_add(u16::try_from(head >> 1).ok()?).filter(|bucket| *bucket <= LAST)?;
            let count = if head & 1 == 1 { take(&mut bytes)? } else { 1 };
            buckets.insert(bucket, count);
        }
        Some(Self { buckets })
    }
}

fn bucket(value: u64) -> u16 {
    let number = match value.checked_ilog2() {
        Some(power) if power >= STEP_BITS => {
            let shift = power - STEP_BITS;
            u64::from(shift) * STEPS + (value >> shift)
        }
        _ => value,
    };
    u16::try_from(number).unwrap_or(LAST)
}

/// The value in the middle of a bucket.
fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    let lowest = (STEPS + bucket % STEPS) << shift;
    lowest + ((1 << shift) - 1) / 2
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|value| sketch.record(*value));
        sketch
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut before = 0;
        for value in 0..100_000 {
            let number = bucket(value);
            assert!(number == before || number == before + 1, "{value}");
            before = number;
        }
        assert_eq!(bucket(u64::MAX), LAST);
    }

    #[test]
    fn small_values_are_exact() {
        for value in 0..64 {
            assert_eq!(middle(bucket(value)), value);
        }
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Sketch::default().percentile(50), None);
        assert_eq!(of(&[7]).percentile(0), Some(7));
    }

    #[test]
    fn bytes_that_are_none_of_ours_are_refused() {
        for bytes in [&[0x80][..], &[1], &[0xff; 12], &[0xfe, 0xff, 0x7f]] {
            assert_eq!(Sketch::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_the_stated_error(mut values in prop::collection::vec(any::<u64>().prop_map(|v| v >> (v % 60)), 1..200), percent in 1..=100_u8) {
            let told = of(&values).percentile(percent).unwrap();
            values.sort_unstable();
            let exact = values[(values.len() * usize::from(percent)).div_ceil(100) - 1];
            prop_assert!(told.abs_diff(exact) as f64 <= exact as f64 * Sketch::ERROR, "{told} for {exact}");
        }

        #[test]
        fn parts_merged_are_the_whole_and_bytes_say_all(values in prop::collection::vec(any::<u64>(), 0..100), cut in 0..100_usize) {
            let cut = cut.min(values.len());
            let mut merged = of(&values[..cut]);
            merged.merge(&of(&values[cut..]));
            prop_assert_eq!(&merged, &of(&values));
            prop_assert_eq!(Sketch::from_bytes(&merged.to_bytes()), Some(merged));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Sketch::from_bytes(&bytes).map(|sketch| sketch.percentile(95));
        }
    }
}
