//! What history is told of maintenance: when it begins and when it ends.

use super::{Ongoing, Scope, Source};
use crate::Timestamp;

/// Maintenance that lasts, as history has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Where it comes from.
    pub source: Source,
    /// The window's name; `flag` for the flag.
    pub name: String,
    /// Names or ids of services that it covers; with `zones` empty too, all of them.
    pub services: Vec<String>,
    /// Zones that it covers.
    pub zones: Vec<String>,
    /// Why.
    pub reason: Option<String>,
    /// When it began, or was first seen, by the wall clock of then.
    pub began: Timestamp,
    /// When it was to end by itself, as far as that was known when it began.
    pub until: Option<Timestamp>,
}

/// Something to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It has begun.
    Began(Period),
    /// It is over.
    Ended(Period, Timestamp),
}

/// Notices what has begun and ended since it looked last. Entries are told once each, and every beginning has an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chronicle {
    lasting: Vec<Period>,
}

impl Period {
    /// Whom it covers.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        Scope { services: &self.services, zones: &self.zones }
    }

    fn of(ongoing: &Ongoing<'_>, now: Timestamp) -> Self {
        Self {
            source: ongoing.source,
            name: ongoing.name.to_owned(),
            services: ongoing.scope.services.to_vec(),
            zones: ongoing.scope.zones.to_vec(),
            reason: ongoing.reason.map(str::to_owned),
            began: now,
            until: ongoing.until,
        }
    }

    /// Whether it is the same one. A flag that ends at another time is another flag; a window's end is computed each time.
    fn is(&self, ongoing: &Ongoing<'_>) -> bool {
        self.source == ongoing.source
            && self.name == ongoing.name
            && self.scope() == ongoing.scope
            && self.reason.as_deref() == ongoing.reason
            && (self.source == Source::Window || millis(self.until) == millis(ongoing.until))
    }

    /// When it ended, if that is noticed now: by itself, or right now. Never before it began, wherever the clock has gone.
    fn end(&self, now: Timestamp) -> Timestamp {
        let by_itself = self.until.filter(|until| *until <= now);
        by_itself.unwrap_or(now).max(self.began)
    }
}

/// History has times to the millisecond.
fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millisecond)
}

impl Chronicle {
    /// Goes on from what history says to last. It may have ended since.
    #[must_use]
    pub fn new(lasting: Vec<Period>) -> Self {
        Self { lasting }
    }

    /// Takes in what lasts now, and returns what is new, ends first.
    pub fn follow<'m>(&mut self, ongoing: impl Iterator<Item = Ongoing<'m>>, now: Timestamp) -> Vec<Entry> {
        let before = std::mem::take(&mut self.lasting);
        let mut begun = Vec::new();
        for ongoing in ongoing {
            let known = before.iter().find(|period| period.is(&ongoing));
            if self.lasting.iter().any(|period| period.is(&ongoing)) {
                continue;
            }
            let period = known.cloned().unwrap_or_else(|| Period::of(&ongoing, now));
            if known.is_none() {
                begun.push(Entry::Began(period.clone()));
            }
            self.lasting.push(period);
        }
        let over = before.into_iter().filter(|period| !self.lasting.contains(period));
        let mut entries: Vec<_> = over.map(|period| (period.end(now), period)).collect();
        entries.sort_by_key(|(end, _)| *end);
        let ended = entries.into_iter().map(|(end, period)| Entry::Ended(period, end));
        ended.chain(begun).collect()
    }

    /// What lasts, as of the last look.
    #[must_use]
    pub fn lasting(&self) -> &[Period] {
        &self.lasting
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::maintenance::{Flag, Maintenance};

    const START: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(START + second).unwrap()
    }

    fn flag(until: Option<i64>, services: &[&str]) -> Maintenance {
        let services = services.iter().map(|name| (*name).to_owned()).collect();
        let flag = Flag { until: until.map(at), services, ..Flag::default() };
        Maintenance { flag: Some(flag), ..Maintenance::default() }
    }

    fn look(chronicle: &mut Chronicle, maintenance: &Maintenance, second: i64) -> Vec<(bool, i64)> {
        let entries = chronicle.follow(maintenance.ongoing(at(second)), at(second));
        let told = |entry| match entry {
            Entry::Began(period) => (true, period.began.as_second() - START),
            Entry::Ended(_, end) => (false, end.as_second() - START),
        };
        entries.into_iter().map(told).collect()
    }

    #[test]
    fn it_is_told_once_that_it_begins_and_once_that_it_ends() {
        let mut chronicle = Chronicle::default();
        let (on, off) = (flag(None, &[]), Maintenance::default());
        assert_eq!(look(&mut chronicle, &off, 0), []);
        assert_eq!(look(&mut chronicle, &on, 10), [(true, 10)]);
        assert_eq!(look(&mut chronicle, &on, 20), []);
        assert_eq!(chronicle.lasting().len(), 1);
        assert_eq!(look(&mut chronicle, &off, 30), [(false, 30)]);
        assert_eq!(look(&mut chronicle, &off, 40), []);
    }

    #[test]
    fn one_that_covers_others_or_lasts_longer_is_another() {
        let mut chronicle = Chronicle::default();
        look(&mut chronicle, &flag(None, &["a"]), 0);
        assert_eq!(look(&mut chronicle, &flag(None, &["a", "b"]), 10), [(false, 10), (true, 10)]);
        assert_eq!(look(&mut chronicle, &flag(Some(100), &["a", "b"]), 20), [(false, 20), (true, 20)]);
    }

    #[test]
    fn it_ends_when_it_was_to_end_also_while_nobody_looked() {
        let mut chronicle = Chronicle::default();
        let on = flag(Some(100), &[]);
        look(&mut chronicle, &on, 0);
        let mut restarted = Chronicle::new(chronicle.lasting().to_vec());
        assert_eq!(look(&mut restarted, &on, 5000), [(false, 100)]);
        assert_eq!(look(&mut chronicle, &Maintenance::default(), 50), [(false, 50)], "ahead of its time");
    }

    #[test]
    fn a_clock_that_is_set_back_ends_nothing_before_it_began() {
        let mut chronicle = Chronicle::default();
        look(&mut chronicle, &flag(None, &[]), 1000);
        assert_eq!(look(&mut chronicle, &Maintenance::default(), -5000), [(false, 1000)]);
    }

    proptest! {
        #[test]
        fn beginnings_and_ends_take_turns_across_restarts(
            steps in prop::collection::vec((0..4_usize, -50..200_i64, any::<bool>()), 0..40),
        ) {
            let kinds =
                [Maintenance::default(), flag(None, &[]), flag(Some(500), &["a"]), flag(None, &["b"])];
            let (mut chronicle, mut second, mut open) = (Chronicle::default(), 0, Vec::new());
            for (kind, passed, restarts) in steps {
                second += passed;
                if restarts {
                    chronicle = Chronicle::new(chronicle.lasting().to_vec());
                }
                let (maintenance, now) = (&kinds[kind], at(second));
                for entry in chronicle.follow(maintenance.ongoing(now), now) {
                    match entry {
                        Entry::Began(period) => open.push(period),
                        Entry::Ended(period, end) => {
                            prop_assert!(end >= period.began);
                            let place = open.iter().position(|known| *known == period);
                            prop_assert!(place.is_some(), "an end without a beginning");
                            open.remove(place.unwrap());
                        }
                    }
                }
                prop_assert_eq!(&open, chronicle.lasting());
                prop_assert_eq!(open.len(), maintenance.ongoing(now).count());
            }
        }
    }
}
