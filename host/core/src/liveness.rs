//! Whether checks are really being made: what a dead man's switch elsewhere is told.

use std::time::Duration;

/// How long after its time a check may start before PiHook does not count as alive.
pub const OVERDUE: Duration = Duration::from_secs(30);

/// How far the engine has come. It says so itself: one that hangs says nothing new, and its next start grows old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Checks that have ended in this run of the process.
    pub checked: u64,
    /// The uptime at which the next check is to start; none while all are running, or if there are none.
    pub next_start: Option<Duration>,
}

/// Why PiHook does not count as alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifeless {
    /// No check has ended since the last sign of life, and none is being waited for.
    NothingChecked,
    /// A check should have started so long ago.
    Overdue(Duration),
}

/// By how much the next check is late at this uptime; none if all are on time.
#[must_use]
pub fn overdue(progress: Progress, uptime: Duration) -> Option<Duration> {
    progress.next_start.map(|start| uptime.saturating_sub(start)).filter(|late| *late > OVERDUE)
}

/// Whether a sign of life may be given at this uptime; `told` is how many checks had ended when the last one was given.
///
/// # Errors
/// Why not.
pub fn alive(progress: Progress, told: u64, uptime: Duration) -> Result<(), Lifeless> {
    if let Some(late) = overdue(progress, uptime) {
        return Err(Lifeless::Overdue(late));
    }
    // Intervals may be longer than the watchdog's: then the first check has to have ended, and the next to be in time.
    let waiting = progress.checked > 0 && progress.next_start.is_some();
    if progress.checked > told || waiting { Ok(()) } else { Err(Lifeless::NothingChecked) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn before_the_first_check_and_without_services_there_is_no_life() {
        assert_eq!(alive(Progress::default(), 0, SECOND), Err(Lifeless::NothingChecked));
        let waiting = Progress { checked: 0, next_start: Some(SECOND) };
        assert_eq!(alive(waiting, 0, SECOND), Err(Lifeless::NothingChecked));
    }

    proptest! {
        #[test]
        fn an_engine_that_hangs_is_found_out(checked in 1_u64.., start in 0_u64..1_000_000, after in 0_u64..1_000_000) {
            let progress = Progress { checked, next_start: Some(SECOND * u32::try_from(start).unwrap()) };
            let now = Duration::from_secs(start + after);
            let expected = after <= OVERDUE.as_secs();
            prop_assert_eq!(alive(progress, checked, now).is_ok(), expected);
        }

        #[test]
        fn while_all_checks_run_one_has_to_have_ended_since(checked in 0_u64..100, told in 0_u64..100, now: u32) {
            let progress = Progress { checked, next_start: None };
            let now = Duration::from_secs(now.into());
            prop_assert_eq!(alive(progress, told, now).is_ok(), checked > told);
        }
    }
}
