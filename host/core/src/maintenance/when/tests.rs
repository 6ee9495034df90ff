use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn window(days: Days, from: &str, until: &str, zone_name: &str) -> When {
    let minutes = |text: &str| {
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
    };
    When::Recurring(Recurrence::new(days, minutes(from), minutes(until), zone(zone_name)).unwrap())
}

fn daily(from: &str, until: &str, zone_name: &str) -> When {
    window(Days::Daily, from, until, zone_name)
}

fn weekly(days: &[i8]) -> Days {
    Days::Weekly(days.iter().copied().collect())
}

/// The next opening and closing after this moment, in UTC.
#[track_caller]
fn check(when: &When, after: &str, opens: &str, closes: &str) {
    let after: Timestamp = after.parse().unwrap();
    assert!(!when.contains(after));
    let begin = when.next_change(after).unwrap();
    let end = when.next_change(begin).unwrap();
    assert_eq!((begin.to_string(), end.to_string()), (opens.to_owned(), closes.to_owned()));
    let before = |at: Timestamp| at.checked_sub(SignedDuration::from_nanos(1)).unwrap();
    assert!(!when.contains(before(begin)) && when.contains(begin));
    assert!(when.contains(before(end)) && !when.contains(end));
}

#[test]
fn it_opens_and_closes_by_the_clock_of_its_zone() {
    let sunday = window(weekly(&[6]), "03:00", "05:00", "Europe/Berlin");
    check(&sunday, "2026-11-24T00:00:00Z", "2026-11-29T02:00:00Z", "2026-11-29T04:00:00Z");
    check(&sunday, "2026-07-01T00:00:00Z", "2026-07-05T01:00:00Z", "2026-07-05T03:00:00Z");
    let nights = window(weekly(&[0, 2, 3, 4]), "22:00", "06:00", "Europe/Berlin");
    check(&nights, "2026-11-24T12:00:00Z", "2026-11-25T21:00:00Z", "2026-11-26T05:00:00Z");
    let first_sunday = window(Days::WeekdayOfMonth(Which::Nth(1), 6), "03:00", "05:00", "UTC");
    check(&first_sunday, "2026-11-24T12:00:00Z", "2026-12-06T03:00:00Z", "2026-12-06T05:00:00Z");
    let last_friday = window(Days::WeekdayOfMonth(Which::Last, 4), "23:00", "24:00", "UTC");
    check(&last_friday, "2026-11-28T12:00:00Z", "2026-12-25T23:00:00Z", "2026-12-26T00:00:00Z");
    let last_day = window(Days::OfMonth(31), "00:00", "24:00", "UTC");
    check(&last_day, "2026-11-28T12:00:00Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z");
    check(&last_day, "2026-06-02T12:00:00Z", "2026-07-31T00:00:00Z", "2026-08-01T00:00:00Z");
}

#[test]
fn a_start_that_is_skipped_is_the_skip_and_the_length_stays() {
    // Berlin goes from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC, New York on 2026-03-08 at 07:00 UTC.
    let berlin = |from, until| daily(from, until, "Europe/Berlin");
    let eve = "2026-03-28T12:00:00Z";
    check(&berlin("02:30", "05:00"), eve, "2026-03-29T01:00:00Z", "2026-03-29T03:30:00Z");
    check(&berlin("02:00", "02:30"), eve, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    check(&berlin("02:15", "02:45"), eve, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    check(&berlin("02:30", "03:00"), eve, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z");
    let new_york = daily("02:30", "03:30", "America/New_York");
    check(&new_york, "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z");
}

#[test]
fn an_end_that_is_skipped_comes_later() {
    let berlin = |from, until| daily(from, until, "Europe/Berlin");
    let eve = "2026-03-28T12:00:00Z";
    check(&berlin("01:30", "02:30"), eve, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z");
    check(&berlin("01:30", "02:00"), eve, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z");
    check(&berlin("01:00", "05:00"), eve, "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z");
    check(&berlin("22:00", "06:00"), eve, "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z");
}

#[test]
fn what_is_shown_twice_is_covered_both_times() {
    // Berlin goes from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC, New York from 02:00 to 01:00 on 2026-11-01 at 06:00 UTC.
    let berlin = |from, until| daily(from, until, "Europe/Berlin");
    let eve = "2026-10-24T12:00:00Z";
    check(&berlin("02:15", "02:45"), eve, "2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z");
    check(&berlin("02:30", "05:00"), eve, "2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z");
    check(&berlin("01:00", "02:30"), eve, "2026-10-24T23:00:00Z", "2026-10-25T01:30:00Z");
    check(&berlin("03:00", "04:00"), eve, "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z");
    let new_york = daily("01:30", "01:45", "America/New_York");
    check(&new_york, "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:45:00Z");
}

#[test]
fn what_joins_is_one_and_what_never_ends_has_no_end() {
    let weekend = window(weekly(&[5, 6]), "00:00", "24:00", "Europe/Berlin");
    check(&weekend, "2026-11-24T12:00:00Z", "2026-11-27T23:00:00Z", "2026-11-29T23:00:00Z");
    for always in [daily("00:00", "24:00", "Europe/Berlin"), daily("12:00", "12:01", "UTC")] {
        let noon = "2026-11-24T12:00:30Z".parse().unwrap();
        assert!(always.contains(noon));
        assert_eq!(
            always.next_change(noon).is_none(),
            always.contains("2026-11-24T13:00:00Z".parse().unwrap())
        );
    }
}

#[test]
fn once_is_once() {
    let [from, until] = ["2026-11-24T12:00:00Z", "2026-11-24T14:00:00Z"].map(|text| text.parse().unwrap());
    let once = When::Once(from..until);
    check(&once, "2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z", "2026-11-24T14:00:00Z");
    assert_eq!(once.next_change(until), None);
}

#[test]
fn times_that_make_no_window_are_refused() {
    for (from, until) in [(60, 60), (1440, 60), (0, 1441)] {
        assert_eq!(Recurrence::new(Days::Daily, from, until, TimeZone::UTC), Err(InvalidSpan));
    }
}

#[test]
fn a_day_that_a_zone_leaves_out_is_no_trouble() {
    // Samoa had no 2011-12-30.
    let samoa = daily("12:00", "13:00", "Pacific/Apia");
    check(&samoa, "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z");
    check(&samoa, "2011-12-30T12:00:00Z", "2011-12-30T22:00:00Z", "2011-12-30T23:00:00Z");
}

/// The clock's minutes, one after the other: what the rule says in words, without any arithmetic of zones but the clock
/// itself. Whoever waits for a start or an end looks at the clock each minute.
struct Watcher<'w> {
    from: u16,
    until: u16,
    days: &'w Days,
    zone: TimeZone,
}

impl Watcher<'_> {
    /// Which of these minutes are covered.
    fn watch(&self, first: Timestamp, count: usize) -> Vec<bool> {
        let minute = SignedDuration::from_mins(1);
        let instants: Vec<Timestamp> =
            (0..count).scan(first, |at, _| Some(std::mem::replace(at, *at + minute))).collect();
        let shown: Vec<DateTime> =
            instants.iter().map(|at| at.to_zoned(self.zone.clone()).datetime()).collect();
        let mut covered = vec![false; count];
        let mut date = shown[0].date();
        while date <= shown[count - 1].date() {
            if self.days.contain(date) {
                self.cover(date, &shown, &mut covered);
            }
            date = date.tomorrow().unwrap();
        }
        covered
    }

    fn cover(&self, date: Date, shown: &[DateTime], covered: &mut [bool]) {
        let midnight = date.at(0, 0, 0, 0);
        let from = midnight + i64::from(self.from).minutes();
        let length =
            i64::from(if self.until > self.from { self.until } else { self.until + 1440 } - self.from);
        let until = from + length.minutes();
        let Some(begin) = shown.iter().position(|shown| *shown >= from) else { return };
        let end = if shown[begin] > from {
            begin + usize::try_from(length).unwrap()
        } else if let Some(last) = shown.iter().rposition(|shown| *shown == until) {
            last
        } else if let Some(skipped) = shown.iter().position(|shown| *shown > until) {
            // As many minutes after the skip as the end lies behind the last minute shown before it.
            let before = shown[skipped - 1];
            skipped - 1 + usize::try_from(before.duration_until(until).as_mins()).unwrap()
        } else {
            shown.len()
        };
        for covered in covered.iter_mut().take(end).skip(begin) {
            *covered = true;
        }
    }
}

fn any_days() -> impl Strategy<Value = Days> {
    prop_oneof![
        Just(Days::Daily),
        prop::collection::btree_set(0_i8..7, 1..7).prop_map(Days::Weekly),
        (1_i8..=31).prop_map(Days::OfMonth),
        (prop_oneof![(1_i8..5).prop_map(Which::Nth), Just(Which::Last)], 0_i8..7)
            .prop_map(|(which, weekday)| Days::WeekdayOfMonth(which, weekday)),
    ]
}

/// Around the nights in which clocks are set, and times of day that lie there.
fn any_minute() -> impl Strategy<Value = u16> {
    prop_oneof![3 => 0_u16..300, 1 => 0_u16..1440]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn it_covers_what_somebody_with_an_eye_on_the_clock_covers(
        days in any_days(),
        from in any_minute(),
        until in prop_oneof![4 => any_minute(), 1 => Just(1440)],
        zone_name in prop_oneof![
            Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe"),
            Just("America/Santiago"), Just("UTC")
        ],
        start in prop_oneof![
            Just("2026-03-28"), Just("2026-10-24"), Just("2026-03-07"), Just("2026-10-31"), Just("2026-10-03"),
            Just("2026-04-04"), Just("2026-09-05"), Just("2026-07-30")
        ],
    ) {
        prop_assume!(from != until);
        let (zone, days) = (zone(zone_name), days);
        let start: Date = start.parse().unwrap();
        // Two days before and after are watched too, so that what reaches in and out is seen whole.
        let first = zone.to_ambiguous_timestamp((start - 2.days()).at(0, 0, 0, 0)).earlier().unwrap();
        let watcher = Watcher { from, until, days: &days, zone: zone.clone() };
        let minutes = 8 * 1440;
        let covered = watcher.watch(first, minutes);
        let when = When::Recurring(Recurrence::new(days.clone(), from, until, zone).unwrap());
        let mut at = first + SignedDuration::from_hours(48);
        let mut next = when.next_change(at);
        for index in 2880..minutes - 2880 {
            prop_assert_eq!(when.contains(at), covered[index], "{}", at);
            if next == Some(at) {
                prop_assert_ne!(covered[index - 1], covered[index], "it said so of {}", at);
                next = when.next_change(at);
            } else if index > 2880 {
                prop_assert_eq!(covered[index - 1], covered[index], "it said nothing of {}", at);
            }
            at += SignedDuration::from_mins(1);
        }
    }

    #[test]
    fn no_moment_is_too_early_or_too_late(
        second in prop_oneof![
            Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
            Just(Timestamp::MIN.as_second()), Just(Timestamp::MAX.as_second())
        ],
        days in any_days(),
        from in 0_u16..1440,
        until in 0_u16..1440,
    ) {
        prop_assume!(from != until);
        let at = Timestamp::from_second(second).unwrap();
        let when = When::Recurring(Recurrence::new(days, from, until, zone("America/New_York")).unwrap());
        if let Some(next) = when.next_change(at) {
            prop_assert!(next > at);
            prop_assert_ne!(when.contains(at), when.contains(next));
        }
    }
}
