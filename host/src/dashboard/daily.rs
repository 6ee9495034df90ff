//! What each of the last thirty days came to, of all services. It is read beside the pages, so that none of them waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::ToSpan;
use jiff::tz::TimeZone;
use pihook_core::{ServiceId, Timestamp};
use tokio::time::sleep;

use super::{Shared, stock};
use crate::store::DayMarks;

/// Days that are shown.
pub(super) const DAYS: usize = 30;
/// Days of the newest that are read anew each time: what comes late for an earlier one is shown after a restart.
const FRESH: usize = 2;
/// When the days are read after the start, and how often from then on.
const PAUSES: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(240), Duration::from_secs(900)];

/// The days as they were last read. Cloning is cheap.
#[derive(Debug, Default)]
pub(super) struct Daily(Mutex<Arc<Days>>);

/// The last days.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Days {
    /// Where they begin, ascending, and where the last one ends.
    edges: Vec<Timestamp>,
    marks: BTreeMap<ServiceId, Vec<DayMarks>>,
}

impl Days {
    /// The days of a service, the oldest first; none if there are no checks of it.
    pub(super) fn of(&self, service: &ServiceId) -> Option<&[DayMarks]> {
        self.marks.get(service).map(Vec::as_slice)
    }

    /// The edges that these days have to be read between to show `edges`, and how many before them are known.
    fn unknown<'a>(&self, edges: &'a [Timestamp]) -> (usize, &'a [Timestamp]) {
        let settled = edges.len().saturating_sub(1 + FRESH);
        let known =
            edges.windows(2).take(settled).take_while(|day| self.edges.windows(2).any(|own| own == *day));
        let known = known.count();
        (known, edges.get(known..).unwrap_or_default())
    }

    /// These days with others before them, of which `known` are taken over.
    fn with(&self, edges: Vec<Timestamp>, known: usize, read: BTreeMap<ServiceId, Vec<DayMarks>>) -> Self {
        let first = edges.first().copied();
        let offset = self.edges.iter().position(|edge| Some(*edge) == first).unwrap_or(0);
        let days = edges.len().saturating_sub(1);
        let mut marks: BTreeMap<ServiceId, Vec<DayMarks>> = BTreeMap::new();
        let mut put = |service: &ServiceId, from: usize, some: &[DayMarks]| {
            let all = marks.entry(service.clone()).or_insert_with(|| vec![DayMarks::default(); days]);
            for (slot, mark) in all.iter_mut().skip(from).zip(some) {
                *slot = *mark;
            }
        };
        for (service, own) in &self.marks {
            let kept: Vec<DayMarks> = own.iter().skip(offset).take(known).copied().collect();
            if kept.iter().any(|mark| *mark != DayMarks::default()) {
                put(service, 0, &kept);
            }
        }
        for (service, some) in &read {
            put(service, known, some);
        }
        Self { edges, marks }
    }

    #[cfg(test)]
    pub(super) fn for_test(marks: BTreeMap<ServiceId, Vec<DayMarks>>) -> Self {
        Self { edges: Vec::new(), marks }
    }
}

impl Daily {
    /// What was last read.
    pub(super) fn days(&self) -> Arc<Days> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, days: Days) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(days);
    }
}

/// Reads the days now and then, until it is dropped.
pub(super) async fn follow(dashboard: Shared) {
    let [.., usual] = PAUSES;
    let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(usual));
    loop {
        let known = dashboard.rendered.daily.days();
        let edges = edges(dashboard.clock.now().wall, &TimeZone::system());
        let read = stock::ask(&dashboard, move |reader| {
            let (kept, unknown) = known.unknown(&edges);
            let read = reader.day_marks(unknown)?;
            Ok(known.with(edges, kept, read))
        });
        if let Some(days) = read.await {
            dashboard.rendered.daily.set(days);
        }
        sleep(pauses.next().unwrap_or(usual)).await;
    }
}

/// The beginnings of the days by the clock of this zone, and the end of today.
fn edges(now: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
    let today = now.to_zoned(zone.clone()).start_of_day();
    let day = |back: i64| {
        Some(today.as_ref().ok()?.checked_sub(back.days()).ok()?.start_of_day().ok()?.timestamp())
    };
    (-1..i64::try_from(DAYS).unwrap_or(0)).rev().filter_map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(up: u32) -> DayMarks {
        DayMarks { up, ..DayMarks::default() }
    }

    #[test]
    fn days_begin_at_midnight_also_where_the_clock_changes() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let edges = edges("2026-10-26T10:00:00Z".parse().unwrap(), &zone);
        assert_eq!(edges.len(), DAYS + 1);
        let last: Vec<String> = edges[28..].iter().map(Timestamp::to_string).collect();
        assert_eq!(last, ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]);
    }

    #[test]
    fn what_is_known_is_not_read_again() {
        let id = ServiceId::new("nas");
        let edges_on = |day: &str| edges(format!("2026-11-{day}T10:00:00Z").parse().unwrap(), &TimeZone::UTC);
        let all = |up: std::ops::Range<u32>| [(id.clone(), up.map(mark).collect())].into();
        let first = edges_on("20");
        let none = Days::default();
        let (known, unknown) = none.unknown(&first);
        assert_eq!((known, unknown.len()), (0, 31));
        let days = none.with(first, 0, all(0..30));
        // The same day again: but for the newest two all is known.
        let again = edges_on("20");
        assert_eq!((days.unknown(&again).0, days.unknown(&again).1.len()), (28, 3));
        // Three days later.
        let later = edges_on("23");
        let (known, unknown) = days.unknown(&later);
        assert_eq!((known, unknown.len()), (27, 4));
        let days = days.with(later.clone(), known, all(100..103));
        let ups: Vec<u32> = days.of(&id).unwrap().iter().map(|mark| mark.up).collect();
        let expected: Vec<u32> = (3..30).chain(100..103).collect();
        assert_eq!(ups, expected);
        // Half a year later nothing is known, and who had no checks is gone.
        let much_later = edges("2027-05-01T10:00:00Z".parse().unwrap(), &TimeZone::UTC);
        let (known, _) = days.unknown(&much_later);
        assert_eq!(known, 0);
        assert_eq!(days.with(much_later, known, BTreeMap::new()).of(&id), None);
    }
}
