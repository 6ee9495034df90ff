//! Debian's order of versions: deb-version(7).

use std::cmp::Ordering;

/// Compares two versions, each `[epoch:]upstream[-revision]`. Any bytes have their place; a missing revision is `0`.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    a.epoch
        .cmp(&b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

struct Parts<'v> {
    epoch: u64,
    upstream: &'v [u8],
    revision: &'v [u8],
}

impl<'v> Parts<'v> {
    fn of(version: &'v [u8]) -> Self {
        let (epoch, rest) = match version.iter().position(|byte| *byte == b':') {
            Some(colon) if version[..colon].iter().all(u8::is_ascii_digit) => {
                (number(&version[..colon]), &version[colon + 1..])
            }
            _ => (0, version),
        };
        let (upstream, revision) = match rest.iter().rposition(|byte| *byte == b'-') {
            Some(dash) => (&rest[..dash], &rest[dash + 1..]),
            None => (rest, &b"0"[..]),
        };
        Self { epoch, upstream, revision }
    }
}

/// The digits' value; what is too large for a number is the largest.
fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum: u64, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// Turns of text and digits, beginning with text that may be empty.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (text_a, rest_a) = split(a, |byte| !byte.is_ascii_digit());
        let (text_b, rest_b) = split(b, |byte| !byte.is_ascii_digit());
        let (digits_a, after_a) = split(rest_a, u8::is_ascii_digit);
        let (digits_b, after_b) = split(rest_b, u8::is_ascii_digit);
        let order = compare_text(text_a, text_b).then_with(|| compare_digits(digits_a, digits_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}

/// A tilde comes before the end, the end before letters, and letters before everything else.
fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let rank = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    };
    let ranks = (0..a.len().max(b.len())).map(|at| rank(a.get(at)).cmp(&rank(b.get(at))));
    ranks.fold(Ordering::Equal, Ordering::then)
}

/// By value, however long they are.
fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let (_, a) = split(a, |digit| *digit == b'0');
    let (_, b) = split(b, |digit| *digit == b'0');
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;

    use super::*;

    #[test]
    fn the_order_is_debian_s() {
        // Each is less than the next.
        let ascending = [
            "0~~",
            "0~~a",
            "0~",
            "0",
            "0a",
            "0+",
            "1~rc1-1",
            "1~rc1-2",
            "1-0.1",
            "1-1~bpo12+1",
            "1-1",
            "1-1+deb12u1",
            "1-1+deb12u10",
            "1-10",
            "1.0-1",
            "1.0a-1",
            "1.0.1-1",
            "1.2",
            "1.10",
            "9.9.9",
            "10",
            "1:0",
            "1:0.1-1",
            "2:0",
        ];
        for (at, less) in ascending.iter().enumerate() {
            for (other, more) in ascending.iter().enumerate() {
                assert_eq!(compare(less.as_bytes(), more.as_bytes()), at.cmp(&other), "{less} {more}");
            }
        }
        for (a, b) in [("1", "1-0"), ("1", "0:1"), ("1.0-0", "1.00-00"), ("01", "1"), ("1.", "1.0")] {
            assert_eq!(compare(a.as_bytes(), b.as_bytes()), Ordering::Equal, "{a} {b}");
        }
        let huge =
            ["99999999999999999999999999:1", "1.99999999999999999999999999", "1.100000000000000000000000000"];
        assert_eq!(compare(huge[1].as_bytes(), huge[2].as_bytes()), Ordering::Less);
        assert_eq!(compare(huge[0].as_bytes(), huge[2].as_bytes()), Ordering::Greater);
    }

    fn version() -> impl Strategy<Value = String> {
        "([0-9]{1,2}:)?[0-9][a-z0-9.+~]{0,6}(-[a-z0-9.+~]{1,4})?"
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in version(), b in version(), c in version()) {
            let order = |x: &str, y: &str| compare(x.as_bytes(), y.as_bytes());
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &a), Ordering::Equal);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }

        #[test]
        fn any_bytes_have_a_place(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        }
    }

    /// The judge is dpkg itself, where there is one.
    #[test]
    fn dpkg_agrees() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..300 {
            let pair = (version(), version()).new_tree(&mut runner).map(|tree| tree.current());
            let (a, b) = pair.expect("a pair of versions");
            let order = compare(a.as_bytes(), b.as_bytes());
            let operator = match order {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            let asked =
                std::process::Command::new("dpkg").args(["--compare-versions", &a, operator, &b]).status();
            let Ok(status) = asked else {
                println!("there is no dpkg here to compare with");
                return;
            };
            assert!(status.success(), "{a} {operator} {b}");
        }
    }
}
