use jiff::tz::db;
use proptest::prelude::*;

use super::*;
use crate::maintenance::{Days, Recurrence};

/// From 22:00 to 07:00 in Berlin.
fn quiet() -> When {
    let zone = db().get("Europe/Berlin").unwrap();
    When::Recurring(Recurrence::new(Days::Daily, 22 * 60, 7 * 60, zone).unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn waiting(incident: u64, kind: AlertKind, severity: Severity, when: &str) -> Waiting {
    Waiting { incident: IncidentId(incident), kind, severity, at: at(when), told: Told::Never }
}

fn fates(now: &str, alerts: &[Waiting]) -> Vec<Fate> {
    Night::new(&quiet(), at(now)).fates(alerts)
}

const NIGHT: &str = "2026-11-22T23:30:00+01:00";
const MORNING: &str = "2026-11-23T07:00:00+01:00";

#[test]
fn what_is_not_critical_waits_for_the_morning() {
    use AlertKind::{Notice, Opened};
    let alerts = [
        waiting(1, Opened, Severity::Warning, NIGHT),
        waiting(2, Opened, Severity::Critical, NIGHT),
        waiting(0, Notice, Severity::Info, NIGHT),
    ];
    assert_eq!(fates(NIGHT, &alerts), [Fate::Held, Fate::Due, Fate::Held]);
    assert_eq!(fates(MORNING, &alerts), [Fate::Due; 3]);
    let quiet = quiet();
    assert_eq!(Night::new(&quiet, at(NIGHT)).ends(), Some(at(MORNING)));
    assert_eq!(Night::new(&quiet, at(MORNING)).ends(), None);
}

#[test]
fn an_incident_of_one_night_is_not_told() {
    use AlertKind::{Opened, Recovered, Reminder};
    let warning = |kind, when| waiting(1, kind, Severity::Warning, when);
    let whole =
        [warning(Opened, NIGHT), warning(Reminder, NIGHT), warning(Recovered, "2026-11-23T01:00:00+01:00")];
    assert_eq!(fates("2026-11-23T01:00:00+01:00", &whole), [Fate::Spared; 3]);
    // Also if it is only looked at in the morning.
    assert_eq!(fates(MORNING, &whole), [Fate::Spared; 3]);
    let again = [&whole[..], &[waiting(2, Opened, Severity::Warning, "2026-11-23T06:00:00+01:00")]].concat();
    assert_eq!(fates(MORNING, &again), [Fate::Spared, Fate::Spared, Fate::Spared, Fate::Due]);
}

#[test]
fn what_began_or_ended_by_day_is_told() {
    use AlertKind::{Opened, Recovered};
    let warning = |kind, when| waiting(1, kind, Severity::Warning, when);
    let evening = [warning(Opened, "2026-11-22T21:59:00+01:00"), warning(Recovered, NIGHT)];
    assert_eq!(fates(NIGHT, &evening), [Fate::Held; 2]);
    let other_night = [warning(Opened, NIGHT), warning(Recovered, "2026-11-23T23:00:00+01:00")];
    assert_eq!(fates("2026-11-23T23:00:00+01:00", &other_night), [Fate::Held; 2]);
    // The end of what the sink was told of, and of what it may have been told of long ago.
    let told = Waiting { told: Told::Before, ..warning(Recovered, NIGHT) };
    let reminded = [Waiting { told: Told::Before, ..warning(AlertKind::Reminder, NIGHT) }, told];
    for end in [&[told][..], &[warning(Recovered, NIGHT)], &reminded] {
        assert!(fates(NIGHT, end).iter().all(|fate| *fate == Fate::Held));
        assert!(fates(MORNING, end).iter().all(|fate| *fate == Fate::Due));
    }
}

#[test]
fn an_incident_that_becomes_critical_is_told_as_a_whole() {
    use AlertKind::{Escalated, Opened, Recovered};
    let alerts = [
        waiting(1, Opened, Severity::Warning, NIGHT),
        waiting(2, Opened, Severity::Warning, NIGHT),
        waiting(1, Escalated, Severity::Critical, NIGHT),
        waiting(1, Recovered, Severity::Critical, NIGHT),
    ];
    assert_eq!(fates(NIGHT, &alerts), [Fate::Due, Fate::Held, Fate::Due, Fate::Due]);
}

fn any_waiting() -> impl Strategy<Value = Waiting> {
    let told = prop_oneof![Just(Told::Before), Just(Told::Never)];
    let severity = proptest::sample::select(Severity::ALL.to_vec());
    let kind = proptest::sample::select(AlertKind::ALL.to_vec());
    (0_u64..4, kind, severity, 0_i64..200_000, told).prop_map(|(incident, kind, severity, seconds, told)| {
        let at = at(NIGHT) + jiff::SignedDuration::from_secs(seconds);
        Waiting { incident: IncidentId(incident), kind, severity, at, told }
    })
}

proptest! {
    #[test]
    fn nothing_critical_waits_and_nothing_waits_by_day(
        alerts in proptest::collection::vec(any_waiting(), 0..20),
        seconds in 0_i64..200_000,
    ) {
        let now = at(NIGHT) + jiff::SignedDuration::from_secs(seconds);
        let quiet = quiet();
        let fates = Night::new(&quiet, now).fates(&alerts);
        prop_assert_eq!(fates.len(), alerts.len());
        for (alert, fate) in alerts.iter().zip(&fates) {
            prop_assert!(alert.severity < Severity::Critical || *fate == Fate::Due);
            prop_assert!(quiet.contains(now) || *fate != Fate::Held);
            if alert.incident != IncidentId::NONE {
                let same = alerts.iter().zip(&fates).filter(|(other, _)| other.incident == alert.incident);
                prop_assert!(same.into_iter().all(|(_, other)| other == fate), "an incident is split");
            }
        }
    }
}
