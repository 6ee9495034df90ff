//! The known key that a mistyped one was meant to be.

/// The nearest of the known names, if it is near: a third of the letters may be wrong, or lack at the end.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let allowed = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (distance(&name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, replace or swap with the next one to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    // A key that long is no slip of the finger, and its table would be large.
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood() {
        let known = ["url", "headers", "body_contains", "body_matches", "max_response_time"];
        for (typed, meant) in [
            ("ulr", Some("url")),
            ("header", Some("headers")),
            ("body-contains", Some("body_contains")),
            ("body_contian", Some("body_contains")),
            ("Max_Response_Time", Some("max_response_time")),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
    }

    #[test]
    fn the_distance_counts_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("abc", "acb", 1),
            ("abc", "axc", 1),
            ("abc", "abxc", 1),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
