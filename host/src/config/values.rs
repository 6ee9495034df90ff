//! Durations and sizes as people write them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::{Fault, quoted};

/// The same units as in the settings of checks.
const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

const SIZES: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// Reads `90s`, `5m`, `2h`, `7d`, `2w` or `500ms`.
pub(super) fn duration(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, Fault> {
    let (number, unit) = split(text);
    if unit.is_empty() && !number.is_empty() {
        return Err(bare(number));
    }
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let millis =
        number.parse().ok().zip(factor).and_then(|(number, factor): (u64, u64)| number.checked_mul(factor));
    let Some(millis) = millis else {
        let what = format!("{} is not a duration", quoted(text));
        return Err(Fault::new(
            what,
            "a whole number and a unit, such as `500ms`, `90s`, `5m`, `2h` or `7d`",
        ));
    };
    let duration = Duration::from_millis(millis);
    within(duration, range, quoted(text), shown_duration)?;
    Ok(duration)
}

/// The fault of a number without a unit.
pub(super) fn bare(number: &str) -> Fault {
    let remedy = format!("with its unit: `{number}s` for seconds, or `{number}m`, `{number}h`");
    Fault::new(format!("the duration `{number}` has no unit"), remedy)
}

/// Reads `512KiB`, `32MiB` or `1GiB` as bytes.
pub(super) fn size(text: &str, range: &RangeInclusive<u64>) -> Result<u64, Fault> {
    let (number, unit) = split(text);
    let factor = SIZES.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let bytes =
        number.parse().ok().zip(factor).and_then(|(number, factor): (u64, u64)| number.checked_mul(factor));
    let Some(bytes) = bytes else {
        let what = format!("{} is not a size", quoted(text));
        return Err(Fault::new(what, "a whole number and a unit, such as `512KiB` or `32MiB`"));
    };
    within(bytes, range, quoted(text), shown_size)?;
    Ok(bytes)
}

/// Reads `50%` as 50.
pub(super) fn percent(text: &str, range: &RangeInclusive<u32>) -> Result<u32, Fault> {
    let (number, unit) = split(text);
    let percent = number.parse().ok().filter(|_| unit == "%");
    let fault =
        || Fault::new(format!("{} is not a share", quoted(text)), "a whole number and `%`, such as `50%`");
    let percent = percent.ok_or_else(fault)?;
    within(percent, range, quoted(text), |percent| format!("`{percent}%`"))?;
    Ok(percent)
}

/// Checks that the value lies in the range.
pub(super) fn within<T: PartialOrd>(
    value: T,
    range: &RangeInclusive<T>,
    written: String,
    shown: impl Fn(&T) -> String,
) -> Result<(), Fault> {
    let (problem, limits) = match () {
        () if value < *range.start() => ("too little", range),
        () if value > *range.end() => ("too much", range),
        () => return Ok(()),
    };
    let remedy = format!("from {} to {}", shown(limits.start()), shown(limits.end()));
    Err(Fault::new(format!("{written} is {problem}"), remedy))
}

/// The duration as a person would write it.
pub(super) fn shown_duration(duration: &Duration) -> String {
    let millis = duration.as_millis();
    let fits = |(_, factor): &&(&str, u64)| millis.is_multiple_of(u128::from(*factor)) && millis > 0;
    // Weeks are read, and shown as days: `30d` is what people say.
    match UNITS.iter().rev().skip(1).find(fits) {
        Some((unit, factor)) => format!("`{}{unit}`", millis / u128::from(*factor)),
        None => format!("`{millis}ms`"),
    }
}

fn shown_size(bytes: &u64) -> String {
    format!("`{}MiB`", bytes >> 20)
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: RangeInclusive<Duration> = Duration::ZERO..=Duration::MAX;

    #[test]
    fn durations_carry_a_unit() {
        for (text, seconds) in [
            ("500ms", 0.5),
            ("90s", 90.0),
            ("5m", 300.0),
            ("2h", 7200.0),
            ("7d", 604_800.0),
            ("2w", 1_209_600.0),
        ] {
            assert_eq!(duration(text, &ANY).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in [
            "",
            "s",
            "5",
            "5 m",
            "-5s",
            "1.5s",
            "5S",
            "5y",
            "99999999999999999999s",
            "9999999999999999d",
            "٣s",
        ] {
            assert!(duration(text, &ANY).is_err(), "{text}");
        }
        assert!(duration("60", &ANY).unwrap_err().remedy.contains("`60s`"));
    }

    #[test]
    fn a_range_is_inclusive_and_named_in_the_remedy() {
        let range = Duration::from_secs(1)..=Duration::from_secs(60);
        assert!(duration("1s", &range).is_ok() && duration("1m", &range).is_ok());
        let fault = duration("999ms", &range).unwrap_err();
        assert_eq!(
            (fault.what.as_str(), fault.remedy.as_str()),
            ("`999ms` is too little", "from `1s` to `1m`")
        );
        assert_eq!(duration("61s", &range).unwrap_err().what, "`61s` is too much");
    }

    #[test]
    fn shares_are_in_percent() {
        let any = 1..=100;
        assert_eq!((percent("1%", &any), percent("100%", &any)), (Ok(1), Ok(100)));
        for text in ["", "%", "50", "0.5", "12.5%", "50 %", "-1%", "0%", "101%", "99999999999%"] {
            assert!(percent(text, &any).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        let any = 0..=u64::MAX;
        for (text, bytes) in
            [("12B", 12), ("512KiB", 524_288), ("32MiB", 33_554_432), ("1GiB", 1_073_741_824)]
        {
            assert_eq!(size(text, &any), Ok(bytes), "{text}");
        }
        for text in ["", "32", "32MB", "32 MiB", "99999999999999999GiB"] {
            assert!(size(text, &any).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_whole_unit() {
        for (millis, shown) in
            [(0, "`0ms`"), (1500, "`1500ms`"), (90_000, "`90s`"), (7_200_000, "`2h`"), (604_800_000, "`7d`")]
        {
            assert_eq!(shown_duration(&Duration::from_millis(millis)), shown);
        }
    }
}
