use proptest::prelude::*;

use super::*;

const INTERVAL: Duration = Duration::from_secs(60);

fn sample() -> impl Strategy<Value = Sample> {
    let response = prop::option::of((0..40_000_000_u64).prop_map(Duration::from_micros));
    (0..7 * 86_400_i64, 0..4_usize, prop::bool::weighted(0.1), response).prop_map(
        |(second, status, muted, response)| Sample {
            at: Timestamp::from_second(1_795_000_000 + second).unwrap(),
            status: Status::ALL[status],
            maintenance: if muted { Muting::Muted } else { Muting::Audible },
            response,
            stands_for: INTERVAL,
        },
    )
}

fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Summary {
    let mut summary = Summary::default();
    samples.into_iter().for_each(|sample| summary.record(sample));
    summary
}

#[test]
fn maintenance_and_what_cannot_be_told_do_not_count() {
    let plain = Sample {
        at: Timestamp::UNIX_EPOCH,
        status: Status::Up,
        maintenance: Muting::Audible,
        response: Some(Duration::from_millis(10)),
        stands_for: INTERVAL,
    };
    let down = Sample { status: Status::Down, response: None, ..plain };
    let muted = Sample { maintenance: Muting::Muted, ..down };
    let unknown = Sample { status: Status::Unknown, response: None, ..plain };
    let summary = of(&[plain, plain, plain, down, muted, unknown]);
    assert_eq!(summary.uptime_percent(), Some(75.0));
    assert_eq!((summary.checks(), summary.maintained, summary.unknown), (6, 1, 1));
    assert_eq!((summary.down_for, summary.maintained_for), (INTERVAL, INTERVAL));
    assert_eq!(summary.worst(), Some(Status::Down));
    assert_eq!(of(&[muted, unknown]).uptime_percent(), None);
}

#[test]
fn a_change_needs_both_weeks() {
    let taking = |millis: u64| {
        let mut summary = Summary::default();
        summary.responses.record(millis * 1000);
        summary
    };
    assert_eq!(change_percent(&taking(40), &taking(50)), Some(25.0));
    assert_eq!(change_percent(&Summary::default(), &taking(50)), None);
    assert_eq!(change_percent(&taking(50), &Summary::default()), None);
}

proptest! {
    #[test]
    fn seven_days_merged_equal_the_week(samples in prop::collection::vec(sample(), 0..300)) {
        let mut merged = Summary::default();
        for day in 0..7 {
            let first = 1_795_000_000 + day * 86_400;
            let of_day = samples.iter().filter(|it| (first..first + 86_400).contains(&it.at.as_second()));
            merged.merge(&of(of_day));
        }
        prop_assert_eq!(merged, of(&samples));
    }

    #[test]
    fn percentiles_stay_within_what_was_seen(samples in prop::collection::vec(sample(), 1..50), percent in 0..=100_u8) {
        let summary = of(&samples);
        if let Some(told) = summary.responses.percentile_ms(percent) {
            prop_assert!(told >= summary.responses.min as f64 / 1000.0);
            prop_assert!(told <= summary.responses.max_ms().unwrap());
        }
    }
}
