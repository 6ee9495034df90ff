//! Small wordings that plugins share, so that all alerts and log lines speak alike.

/// A span of time in its two greatest units, such as `450 ms`, `3.2 s`, `12 s`, `5 min`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (hours, days) = (minutes / 60, minutes / 1440);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 if !(ms / 100).is_multiple_of(10) => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        1_000..60_000 => format!("{} s", ms / 1000),
        60_000..3_600_000 => two(minutes, "min", ms / 1000 % 60, "s"),
        3_600_000..86_400_000 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// The same for a measured number of milliseconds, which may be anything that a float can be.
#[must_use]
pub fn span_of(ms: f64) -> String {
    // The cast saturates, and makes 0 of what is not a number.
    span(ms.round() as u64)
}

/// A number of bytes, such as `512 KiB`, `9.8 GiB`, `120 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 5] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];
    let (unit, bits) = UNITS.into_iter().find(|(_, bits)| bytes >> bits > 0).unwrap_or(("B", 0));
    let (whole, rest) = (bytes >> bits, bytes & ((1 << bits) - 1));
    // Below ten, a digit behind the point says something.
    match (u128::from(rest) * 10) >> bits {
        tenths if whole < 10 && tenths > 0 => format!("{whole}.{tenths} {unit}"),
        _ => format!("{whole} {unit}"),
    }
}

/// How a measured time exceeds what is allowed, such as `3.2 s, slower than 2 s`; none if it does not. All in
/// milliseconds.
#[must_use]
pub fn slower_than(took: f64, allowed: u64) -> Option<String> {
    // What is no number is never fast enough.
    if took <= allowed as f64 {
        return None;
    }
    match (span_of(took), span(allowed)) {
        // Rounded, a near miss would read like none.
        (long, limit) if long == limit => Some(format!(
            "{} ms, slower than {allowed} ms",
            (took.ceil() as u64).max(allowed.saturating_add(1))
        )),
        (long, limit) => Some(format!("{long}, slower than {limit}")),
    }
}

/// A count and its noun, such as `1 day` and `3 days`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The beginning of a text in one line: control characters become spaces and what is too long ends in `…`.
#[must_use]
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line: String =
        text.chars().take(max_chars).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(max_chars).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

fn two(great: u64, great_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{great} {great_unit}")
    } else {
        format!("{great} {great_unit} {small} {small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (3_249, "3.2 s"),
            (9_999, "9.9 s"),
            (12_900, "12 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 d"),
            (14 * 86_400_000, "14 d"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(span(ms), expected);
        }
        assert_eq!(span_of(f64::NAN), "0 ms");
        assert_eq!(span_of(-5.0), "0 ms");
        assert!(span_of(f64::INFINITY).ends_with(" h"));
    }

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1 << 10, "1 KiB"),
            (1536, "1.5 KiB"),
            (10 * 1024 - 1, "9.9 KiB"),
            (500 << 20, "500 MiB"),
            ((9 << 30) + (900 << 20), "9.8 GiB"),
            ((12 << 30) + (900 << 20), "12 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("a\nb\tc", 9), "a b c");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("ä€", 1), "…");
        assert_eq!(one_line("x", 0), "…");
        assert_eq!(one_line("", 0), "");
    }

    #[test]
    fn what_is_too_slow_is_told_with_the_limit() {
        assert_eq!(slower_than(2_000.0, 2_000), None);
        assert_eq!(slower_than(3_210.0, 2_000).as_deref(), Some("3.2 s, slower than 2 s"));
        assert_eq!(slower_than(2_000.4, 2_000).as_deref(), Some("2001 ms, slower than 2000 ms"));
        assert_eq!(slower_than(12_900.0, 12_000).as_deref(), Some("12900 ms, slower than 12000 ms"));
        assert_eq!(slower_than(f64::NAN, 5).as_deref(), Some("0 ms, slower than 5 ms"));
        assert!(slower_than(f64::INFINITY, u64::MAX).is_some());
    }

    #[test]
    fn counts() {
        assert_eq!(
            (count(0, "day"), count(1, "day"), count(2, "day")),
            ("0 days".into(), "1 day".into(), "2 days".into())
        );
    }
}
