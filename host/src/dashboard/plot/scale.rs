//! The scale of response times.

use super::{BOTTOM, TOP};

/// Lines that a scale has at most, zero not counted.
const LINES: f64 = 4.0;

/// From zero to a little more than the largest value.
pub(super) struct Scale {
    /// Lines above zero; none if there is no value.
    lines: u32,
    step: f64,
    top: f64,
}

impl Scale {
    /// One that all of these fit into, none of which is negative, infinite or beyond 1e9.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let known = values.fold(None, |largest: Option<f64>, value| Some(largest.unwrap_or(0.0).max(value)));
        let largest = known.unwrap_or(0.0).max(0.1);
        // 1, 2 or 5 times a power of ten, the smallest that needs few enough lines.
        let power = 10.0_f64.powf((largest / LINES).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| largest <= step * LINES)
            .unwrap_or(largest);
        let lines = (largest / step).ceil().clamp(1.0, 10.0);
        Self { lines: if known.is_some() { lines as u32 } else { 0 }, step, top: lines * step }
    }

    /// Where a value is drawn.
    pub(super) fn y(&self, value: f64) -> f64 {
        BOTTOM - (value / self.top).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    /// Its lines from below, and what is written at them.
    pub(super) fn lines(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        (1..=self.lines).map(|line| f64::from(line) * self.step).map(|value| (value, milliseconds(value)))
    }
}

/// A time in words, in milliseconds below a second.
pub(in crate::dashboard) fn milliseconds(ms: f64) -> String {
    let digits = |value: f64, unit: &str| {
        let whole = value >= 100.0 || (value.fract().abs() < 0.005);
        if whole {
            format!("{value:.0} {unit}")
        } else if value >= 10.0 {
            format!("{value:.1} {unit}")
        } else {
            format!("{value:.2} {unit}")
        }
    };
    if ms < 1000.0 { digits(ms, "ms") } else { digits(ms / 1000.0, "s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_few_round_lines() {
        for (largest, expected) in [
            (0.0, vec!["0.05 ms", "0.10 ms"]),
            (0.7, vec!["0.20 ms", "0.40 ms", "0.60 ms", "0.80 ms"]),
            (42.0, vec!["20 ms", "40 ms", "60 ms"]),
            (100.0, vec!["50 ms", "100 ms"]),
            (1234.0, vec!["500 ms", "1 s", "1.50 s"]),
            (1e9, vec!["500000 s", "1000000 s"]),
        ] {
            let scale = Scale::of([largest].into_iter());
            assert_eq!(scale.lines().map(|(_, text)| text).collect::<Vec<_>>(), expected, "{largest}");
            assert!(scale.y(largest) >= TOP && scale.y(largest) <= BOTTOM);
        }
        assert_eq!(Scale::of(std::iter::empty()).lines().count(), 0);
    }
}
