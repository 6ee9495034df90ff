use std::num::NonZeroU32;

use super::*;
use crate::{After, Level, Severity};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn level(after: After, repeat: Option<u64>) -> Level {
    Level {
        after,
        severity: Severity::Warning,
        sinks: Vec::new(),
        mention: None,
        formatter: None,
        repeat: repeat.map(secs),
    }
}

fn failures(count: u32) -> After {
    After::Failures(NonZeroU32::new(count).unwrap())
}

/// 3 failures; after 10 min, reminding every hour; 50 failures.
fn ladder() -> Ladder {
    let rest = vec![level(After::Elapsed(secs(600)), Some(3600)), level(failures(50), None)];
    Ladder::new(level(failures(3), None), rest)
}

fn situation(ladder: &Ladder, stage: Stage, muting: Muting) -> Situation<'_> {
    Situation {
        ladder,
        stage,
        muting,
        turn: Turn::Time,
        trouble: None,
        elapsed: Duration::ZERO,
        since_alert: Duration::ZERO,
    }
}

#[test]
fn rungs_are_climbed_in_order() {
    let ladder = ladder();
    let at = |bad, elapsed| Situation {
        trouble: Some(Trouble::Bad(bad)),
        elapsed: secs(elapsed),
        ..situation(&ladder, Stage::Closed, Audible)
    };
    assert_eq!(at(2, 900).climb(None), None);
    assert_eq!(at(3, 0).climb(None), Some((0, Reason::Failures)));
    assert_eq!(at(50, 0).climb(None), Some((0, Reason::Failures)), "the second rung is not skipped");
    assert_eq!(at(3, 600).climb(None), Some((1, Reason::Elapsed)));
    assert_eq!(at(50, 600).climb(None), Some((2, Reason::Failures)));
    assert_eq!(at(50, 600).climb(Some(2)), None);
}

#[test]
fn not_being_able_to_tell_takes_twice_as_long() {
    let ladder = ladder();
    let at = |unknown, elapsed| Situation {
        trouble: Some(Trouble::Unknown(unknown)),
        elapsed: secs(elapsed),
        ..situation(&ladder, Stage::Closed, Audible)
    };
    assert_eq!(at(5, 900).climb(None), None);
    assert_eq!(at(6, 900).climb(None), Some((0, Reason::CannotTell)));
    assert_eq!(at(6, 1200).climb(None), Some((1, Reason::CannotTell)));
}

#[test]
fn what_time_will_say_is_silent_until_then() {
    let ladder = ladder();
    let open = Situation {
        trouble: Some(Trouble::Bad(3)),
        elapsed: secs(100),
        ..situation(&ladder, Stage::Open(0, Told::UpToDate), Audible)
    };
    assert_eq!(open.silent_for(), Some(secs(500)));
    assert_eq!(Situation { muting: Muted, ..open }.silent_for(), None);
    assert_eq!(Situation { trouble: None, ..open }.silent_for(), None, "it may be recovering");
    let reminding = Situation { stage: Stage::Open(1, Told::UpToDate), since_alert: secs(3000), ..open };
    assert_eq!(reminding.silent_for(), Some(secs(600)));
}

#[test]
fn a_repeat_of_zero_reminds_never() {
    let ladder = Ladder::new(level(failures(1), Some(0)), Vec::new());
    let open = situation(&ladder, Stage::Open(0, Told::UpToDate), Audible);
    assert_eq!((open.silent_for(), decide(&open)), (None, QUIET));
}

/// The timers and the table agree: what is due is said, and what is not due is not.
#[test]
fn due_means_that_something_is_said() {
    let ladder = ladder();
    let tolds = [Told::Never, Told::BeforeMaintenance, Told::UpToDate];
    let open = (0..3).flat_map(|level| tolds.map(|told| Stage::Open(level, told)));
    for stage in open.chain([Stage::Closed, Stage::Held]) {
        for muting in [Audible, Muted] {
            for trouble in [None, Some(Trouble::Bad(1)), Some(Trouble::Bad(50)), Some(Trouble::Unknown(6))] {
                for (elapsed, since_alert) in [(0, 0), (600, 0), (599, 3600), (1200, 3599)] {
                    let s = Situation {
                        trouble,
                        elapsed: secs(elapsed),
                        since_alert: secs(since_alert),
                        ..situation(&ladder, stage, muting)
                    };
                    let said = decide(&s).1.is_some();
                    assert!(said == (s.silent_for() == Some(Duration::ZERO)), "{s:?}");
                    assert!(!(said && muting == Muted), "{s:?}");
                }
            }
        }
    }
}
