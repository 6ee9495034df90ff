//! Wording and arithmetic of a certificate's end.

use pihook_plugin::calendar::Civil;
use pihook_plugin::settings::Millis;
use pihook_plugin::text::{count, span};

const MS_PER_DAY: i64 = 86_400_000;

/// Whole days until the certificate's end; negative after it.
pub(crate) fn days_left(until_ms: i64, now_ms: i64) -> i64 {
    until_ms.saturating_sub(now_ms).div_euclid(MS_PER_DAY)
}

/// Such as `the certificate expired 3 days ago (2026-11-19)`.
pub(crate) fn expired(since_ms: i64, now_ms: i64) -> String {
    format!(
        "the certificate expired {} ago ({})",
        distance(since_ms, now_ms),
        Civil::from_ms(since_ms).date()
    )
}

/// Such as `the certificate expires in 6 days (2026-11-28), wanted at least 14 d`; none if enough time is left.
pub(crate) fn expires_soon(until_ms: i64, now_ms: i64, wanted: Millis) -> Option<String> {
    let left = u64::try_from(until_ms.saturating_sub(now_ms)).unwrap_or(0);
    if left >= wanted.0 {
        return None;
    }
    let date = Civil::from_ms(until_ms).date();
    Some(format!(
        "the certificate expires in {} ({date}), wanted at least {wanted}",
        distance(until_ms, now_ms)
    ))
}

/// In whole days, and finer within the last one.
fn distance(a: i64, b: i64) -> String {
    let ms = a.abs_diff(b);
    match ms / MS_PER_DAY.unsigned_abs() {
        0 => span(ms / 60_000 * 60_000),
        days => count(days, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 12:00 UTC.
    const NOW: i64 = 1_795_348_800_000;

    #[test]
    fn the_end_is_near_or_past() {
        let soon = |until: i64| expires_soon(until, NOW, Millis(14 * 86_400_000));
        assert_eq!(soon(NOW + 14 * MS_PER_DAY), None);
        assert_eq!(
            soon(NOW + 6 * MS_PER_DAY).as_deref(),
            Some("the certificate expires in 6 days (2026-11-28), wanted at least 14 d")
        );
        assert_eq!(
            soon(NOW + MS_PER_DAY + 5).as_deref(),
            Some("the certificate expires in 1 day (2026-11-23), wanted at least 14 d")
        );
        assert_eq!(
            soon(NOW + 7_500_000).as_deref(),
            Some("the certificate expires in 2 h 5 min (2026-11-22), wanted at least 14 d")
        );
        assert_eq!(expired(NOW - 3 * MS_PER_DAY, NOW), "the certificate expired 3 days ago (2026-11-19)");
    }

    #[test]
    fn days_are_rounded_down() {
        assert_eq!(days_left(NOW + 2 * MS_PER_DAY - 1, NOW), 1);
        assert_eq!(days_left(NOW - 1, NOW), -1);
        assert_eq!(days_left(i64::MAX, i64::MIN), i64::MAX / MS_PER_DAY);
    }
}
