//! Whether checks start when they are to, or much later for a while.

use std::time::Duration;

/// How much later than planned a start has to be to count as late. Checks share beats, which are far shorter.
pub const LATE: Duration = Duration::from_secs(10);
/// For how long starts have to be late before it is worth a word: a machine that is busy for a moment is none.
pub const LASTING: Duration = Duration::from_secs(60);
/// For how long none may be late before all is well again. Longer than most intervals, so that rare checks count too.
pub const CALM: Duration = Duration::from_secs(120);

/// Whether checks start in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// They do.
    InTime,
    /// They have been late for a while; the worst was by so much.
    Late(Duration),
}

/// Judges how late checks start. All times are uptime: a wall clock that jumps is no matter.
#[derive(Clone, Copy, Debug)]
pub struct Punctuality {
    /// The first and the last late start of those that follow each other, and the worst lateness of them.
    late: Option<(Duration, Duration, Duration)>,
    since: Duration,
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    InTime,
    Late,
}

impl Punctuality {
    /// Judges from now on.
    #[must_use]
    pub fn new(uptime: Duration) -> Self {
        Self { late: None, since: uptime, told: None }
    }

    /// Takes in by how much the worst start since the last look was late, and says how it is if that is news. What is
    /// first said is news.
    pub fn look(&mut self, worst: Duration, uptime: Duration) -> Option<Pace> {
        let goes_on = |(_, last, _): &(Duration, Duration, Duration)| uptime.saturating_sub(*last) <= CALM;
        self.late = self.late.filter(goes_on);
        if worst > LATE {
            let (first, _, before) = self.late.unwrap_or((uptime, uptime, worst));
            self.late = Some((first, uptime, before.max(worst)));
        }
        let (told, pace) = match self.late {
            Some((first, last, worst)) if last.saturating_sub(first) >= LASTING => {
                (Told::Late, Pace::Late(worst))
            }
            None if uptime.saturating_sub(self.since) >= CALM => (Told::InTime, Pace::InTime),
            _ => return None,
        };
        (self.told.replace(told) != Some(told)).then_some(pace)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOOK: u64 = 10;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What is told at which second, of looks with these latenesses.
    fn told(looks: impl IntoIterator<Item = u64>) -> Vec<(u64, Pace)> {
        let mut punctuality = Punctuality::new(Duration::ZERO);
        let at = |(place, late): (u64, u64)| {
            let now = (place + 1) * LOOK;
            punctuality.look(seconds(late), seconds(now)).map(|pace| (now, pace))
        };
        (0..).zip(looks).filter_map(at).collect()
    }

    #[test]
    fn what_is_late_for_a_minute_is_told_once_and_its_end_too() {
        let looks = [[0; 20].as_slice(), &[15; 12], &[0; 20]].concat();
        assert_eq!(told(looks), [(120, Pace::InTime), (270, Pace::Late(seconds(15))), (450, Pace::InTime)]);
    }

    #[test]
    fn a_busy_moment_and_a_sleep_are_no_news() {
        assert_eq!(told([[11; 6].as_slice(), &[0; 30]].concat()), [(190, Pace::InTime)]);
        assert_eq!(told([[0; 12].as_slice(), &[3600], &[0; 30]].concat()), [(120, Pace::InTime)]);
    }

    #[test]
    fn a_check_that_comes_once_a_minute_counts_too() {
        let looks = (0..30).map(|look| if look % 6 == 0 { 20 } else { 0 });
        assert_eq!(told(looks), [(70, Pace::Late(seconds(20)))]);
    }

    proptest! {
        #[test]
        fn news_take_turns_and_are_true(looks in prop::collection::vec(0..25_u64, 0..200)) {
            let told = told(looks.clone());
            for pair in told.windows(2) {
                let late = |pace: Pace| matches!(pace, Pace::Late(_));
                prop_assert_ne!(late(pair[0].1), late(pair[1].1));
            }
            for (now, pace) in told {
                let calm = usize::try_from(CALM.as_secs() / LOOK).unwrap();
                let end = usize::try_from(now / LOOK).unwrap();
                let lately = &looks[end.saturating_sub(calm)..end];
                let late = lately.iter().any(|late| *late > LATE.as_secs());
                prop_assert_eq!(late, pace != Pace::InTime);
            }
        }
    }
}
