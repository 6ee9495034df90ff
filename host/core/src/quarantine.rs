//! Which plugins are run at all. One that breaks again and again costs CPU time and says nothing, so it is left alone
//! for a while, which grows from trial to trial.

use std::time::Duration;

use crate::{Backoff, Moment, jitter};

/// Runs in a row, over all services, that a plugin may break before it is left alone.
pub const FAULTS: u32 = 5;

/// How long it is left alone.
const PAUSE: Backoff =
    Backoff { first: Duration::from_secs(60), factor: 2, cap: Duration::from_secs(60 * 60) };

/// How a plugin has behaved of late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    state: State,
    seed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It broke so many runs in a row.
    Trusted {
        faults: u32,
    },
    Shut(Shut),
}

/// A plugin is not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shut {
    /// When the next run is let through, to see whether it works.
    pub until: Moment,
    /// How it broke the last run.
    pub reason: String,
    /// Pauses so far, this one included.
    pauses: u32,
}

/// Leave for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The plugin is trusted.
    Usual,
    /// The run decides whether it is again.
    Trial,
}

impl Quarantine {
    /// This plugin is trusted. Its name scatters the pauses, so that plugins do not stay in step.
    #[must_use]
    pub fn new(plugin: &str) -> Self {
        Self { state: State::Trusted { faults: 0 }, seed: jitter::seed_of(plugin) }
    }

    /// Whether a run may start. A trial that never reports is followed by another after the same pause.
    ///
    /// # Errors
    /// The plugin is left alone.
    pub fn admit(&mut self, now: Moment) -> Result<Permit, Shut> {
        match &mut self.state {
            State::Trusted { .. } => Ok(Permit::Usual),
            State::Shut(shut) if shut.until.uptime <= now.uptime => {
                shut.until = end_of_pause(shut.pauses, now, self.seed);
                Ok(Permit::Trial)
            }
            State::Shut(shut) => Err(shut.clone()),
        }
    }

    /// A run gave an answer. Of one that began before the plugin was left alone this says nothing new.
    pub fn worked(&mut self, permit: Permit) {
        if permit == Permit::Trial || matches!(self.state, State::Trusted { .. }) {
            self.state = State::Trusted { faults: 0 };
        }
    }

    /// A run was broken by the plugin.
    pub fn broke(&mut self, permit: Permit, reason: &str, now: Moment) {
        let pauses = match &mut self.state {
            State::Trusted { faults } => {
                *faults = faults.saturating_add(1);
                if *faults < FAULTS {
                    return;
                }
                1
            }
            State::Shut(shut) if permit == Permit::Trial => shut.pauses.saturating_add(1),
            State::Shut(_) => return,
        };
        let until = end_of_pause(pauses, now, self.seed);
        self.state = State::Shut(Shut { until, reason: reason.to_owned(), pauses });
    }

    /// Something about its services may have changed: the next run is a trial.
    pub fn try_soon(&mut self, now: Moment) {
        if let State::Shut(shut) = &mut self.state {
            shut.until = now;
        }
    }

    /// Why and until when it is not run; none if it is.
    #[must_use]
    pub fn shut(&self) -> Option<&Shut> {
        match &self.state {
            State::Trusted { .. } => None,
            State::Shut(shut) => Some(shut),
        }
    }
}

fn end_of_pause(pauses: u32, now: Moment, seed: u64) -> Moment {
    let pause = PAUSE.delay(pauses, seed);
    Moment {
        uptime: now.uptime.saturating_add(pause),
        // A pause is an hour at the most, so only the end of time is in its way.
        wall: now.wall.checked_add(pause).unwrap_or(now.wall),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    fn at(seconds: u64) -> Moment {
        let wall = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        Moment { uptime: Duration::from_secs(seconds), wall }
    }

    fn shut() -> Quarantine {
        let mut quarantine = Quarantine::new("x");
        for _ in 0..FAULTS {
            assert_eq!(quarantine.admit(at(0)), Ok(Permit::Usual));
            quarantine.broke(Permit::Usual, "it trapped", at(0));
        }
        quarantine
    }

    #[test]
    fn faults_count_in_a_row_only() {
        let mut quarantine = Quarantine::new("x");
        for _ in 0..100 {
            for _ in 1..FAULTS {
                quarantine.broke(Permit::Usual, "it trapped", at(0));
            }
            assert_eq!(quarantine.shut(), None);
            quarantine.worked(Permit::Usual);
        }
        assert_eq!(shut().shut().unwrap().reason, "it trapped");
    }

    #[test]
    fn one_trial_at_a_time_and_a_lost_one_is_followed_by_another() {
        let mut quarantine = shut();
        let refused = quarantine.admit(at(10)).unwrap_err();
        let end = refused.until;
        assert_eq!(quarantine.admit(end), Ok(Permit::Trial));
        assert!(quarantine.admit(end).is_err(), "the trial runs");
        let again = quarantine.shut().unwrap().until;
        assert!(again.uptime > end.uptime);
        assert_eq!(quarantine.admit(again), Ok(Permit::Trial), "nothing was heard of the first");
    }

    #[test]
    fn only_a_trial_decides() {
        let mut quarantine = shut();
        let before = quarantine.clone();
        quarantine.worked(Permit::Usual);
        quarantine.broke(Permit::Usual, "late", at(5));
        assert_eq!(quarantine, before, "those runs began earlier");
        quarantine.worked(Permit::Trial);
        assert_eq!(quarantine, Quarantine::new("x"));
    }

    #[test]
    fn pauses_grow_to_an_hour() {
        let mut quarantine = shut();
        let mut now = at(0);
        let mut lengths = Vec::new();
        for _ in 0..10 {
            let end = quarantine.shut().unwrap().until;
            lengths.push(end.since(now.uptime));
            now = end;
            assert_eq!(quarantine.admit(now), Ok(Permit::Trial));
            quarantine.broke(Permit::Trial, "still", now);
        }
        assert!(lengths.first().unwrap() <= &Duration::from_secs(72));
        assert!(lengths.last().unwrap() >= &Duration::from_secs(48 * 60), "{lengths:?}");
        assert_eq!(quarantine.shut().unwrap().reason, "still");
    }

    #[test]
    fn a_reload_makes_the_next_run_a_trial() {
        let mut quarantine = shut();
        quarantine.try_soon(at(7));
        assert_eq!(quarantine.admit(at(7)), Ok(Permit::Trial));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Pass(u16),
        Run(bool),
        Reload,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<u16>().prop_map(Step::Pass),
            any::<bool>().prop_map(Step::Run),
            Just(Step::Reload)
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        /// Runs one at a time: whatever happens, it is shut exactly after five faults in a row, never for longer than
        /// an hour, and one good run opens it.
        #[test]
        fn it_is_shut_after_five_faults_and_opened_by_one_good_run(steps in steps()) {
            let (mut quarantine, mut now, mut faults) = (Quarantine::new("x"), 0_u64, 0_u32);
            for step in steps {
                match step {
                    Step::Pass(seconds) => now += u64::from(seconds),
                    Step::Reload => quarantine.try_soon(at(now)),
                    Step::Run(works) => match quarantine.admit(at(now)) {
                        Ok(permit) if works => {
                            quarantine.worked(permit);
                            faults = 0;
                        }
                        Ok(permit) => {
                            quarantine.broke(permit, "why", at(now));
                            faults += 1;
                        }
                        Err(shut) => {
                            prop_assert!(shut.until.since(at(now).uptime) <= Duration::from_secs(3600));
                            prop_assert!(shut.until.uptime > at(now).uptime);
                        }
                    },
                }
                prop_assert_eq!(quarantine.shut().is_some(), faults >= FAULTS);
            }
        }
    }
}
