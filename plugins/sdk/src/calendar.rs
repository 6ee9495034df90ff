//! Calendar arithmetic without a time zone database: a guest has none, and the host tells the offset.

use std::fmt;

const MS_PER_DAY: i64 = 86_400_000;

/// A date and time of the Gregorian calendar, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year; 0 is 1 BC.
    pub year: i64,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
    /// From 0 to 23.
    pub hour: u8,
    /// From 0 to 59.
    pub minute: u8,
    /// From 0 to 59.
    pub second: u8,
}

impl Civil {
    /// The UTC time at so many milliseconds since 1970 UTC. Any number is fine.
    #[must_use]
    pub fn from_ms(ms: i64) -> Civil {
        let (year, month, day) = date_of(ms.div_euclid(MS_PER_DAY));
        let second = ms.rem_euclid(MS_PER_DAY) / 1000;
        Civil {
            year,
            month,
            day,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }

    /// The local time at so many milliseconds since 1970 UTC, so many seconds east of it.
    #[must_use]
    pub fn local(ms: i64, utc_offset_seconds: i32) -> Civil {
        Civil::from_ms(ms.saturating_add(i64::from(utc_offset_seconds) * 1000))
    }

    /// Such as `2026-11-28`.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Such as `03:07`.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date(), self.time())
    }
}

/// Year, month and day of a number of days since 1970-01-01. Years begin in March here, so that the leap day is the
/// last of its year and every month's start is a linear function of its number.
fn date_of(days: i64) -> (i64, u8, u8) {
    const DAYS_PER_ERA: i64 = 146_097; // 400 years
    let since_march_0000 = days + 719_468;
    let era = since_march_0000.div_euclid(DAYS_PER_ERA);
    let day_of_era = since_march_0000.rem_euclid(DAYS_PER_ERA);
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times() {
        for (ms, expected) in [
            (0, "1970-01-01 00:00"),
            (-1, "1969-12-31 23:59"),
            (951_782_400_000, "2000-02-29 00:00"),
            (951_868_800_000, "2000-03-01 00:00"),
            (1_795_824_000_000, "2026-11-28 00:00"),
            (4_107_542_399_000, "2100-02-28 23:59"),
            (4_107_542_400_000, "2100-03-01 00:00"),
        ] {
            assert_eq!(Civil::from_ms(ms).to_string(), expected, "{ms}");
        }
    }

    #[test]
    fn an_offset_moves_the_date() {
        assert_eq!(Civil::local(1_795_824_000_000, -3600).to_string(), "2026-11-27 23:00");
        assert_eq!(Civil::local(1_795_824_000_000, 20_700).to_string(), "2026-11-28 05:45");
        assert_eq!(Civil::local(i64::MAX, i32::MAX), Civil::from_ms(i64::MAX));
    }

    proptest! {
        #[test]
        fn the_next_day_is_the_day_after(days in -4_000_000i64..4_000_000) {
            let (year, month, day) = date_of(days);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month { 2 => 28 + u8::from(leap), 4 | 6 | 9 | 11 => 30, _ => 31 };
            let next = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            prop_assert_eq!(date_of(days + 1), next);
        }

        #[test]
        fn any_number_is_a_time(ms in any::<i64>(), offset in any::<i32>()) {
            let civil = Civil::local(ms, offset);
            prop_assert!((1..=12).contains(&civil.month) && (1..=31).contains(&civil.day));
            prop_assert!(civil.hour < 24 && civil.minute < 60 && civil.second < 60);
        }
    }
}
