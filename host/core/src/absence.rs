//! What is told when PiHook has been away: for how long, and what has changed meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use crate::plain::humanise;
use crate::{ServiceId, Status, Timestamp};

/// An absence that is worth a word even if PiHook was stopped in an orderly way.
pub const LONG: Duration = Duration::from_secs(5 * 60);

/// A clock that is behind by no more than this has merely been set right.
const DRIFT: SignedDuration = SignedDuration::from_secs(-60);

/// Names that are listed of a kind; of more, how many they are.
const NAMES: usize = 10;

/// When the start is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// At every start.
    Always,
    /// When PiHook was away for [`LONG`], or nobody knows how long, or had not been stopped in an orderly way.
    #[default]
    Problems,
    /// At no start.
    Never,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 3] = [Policy::Always, Policy::Problems, Policy::Never];

    /// The word in services.yaml.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Always => "always",
            Policy::Problems => "problems",
            Policy::Never => "never",
        }
    }

    /// The reverse of [`Policy::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.as_str() == text)
    }
}

/// How PiHook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was asked to.
    Orderly,
    /// It crashed, was killed, or the power failed.
    Abrupt,
}

/// What was known when PiHook was last at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Wall time of the newest sign of it.
    pub seen: Timestamp,
    /// How it ended.
    pub stop: Stop,
    /// The services of that time.
    pub services: Services,
}

/// Services by their identity.
pub type Services = BTreeMap<ServiceId, Known>;

/// A service as it was at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What people call it.
    pub name: String,
    /// What its newest check found; none if it had none.
    pub status: Option<Status>,
}

/// What to tell of a start at the wall time `started`, now that the services have been checked; none if nothing is to be
/// told. Without `before` it is the first start of all.
#[must_use]
pub fn report(policy: Policy, before: Option<&Before>, started: Timestamp, now: &Services) -> Option<String> {
    let Some(before) = before else {
        return (policy == Policy::Always).then(|| "PiHook has started for the first time.".to_owned());
    };
    let worth_it = match policy {
        Policy::Always => true,
        Policy::Problems => {
            before.stop == Stop::Abrupt || away(before, started).is_none_or(|away| away >= LONG)
        }
        Policy::Never => false,
    };
    worth_it.then(|| {
        let mut sentences = vec![absence(before, started)];
        sentences.extend(changes(&before.services, now));
        sentences.join(" ")
    })
}

/// None if the clock says that PiHook comes back before it went.
fn away(before: &Before, started: Timestamp) -> Option<Duration> {
    let away = started.duration_since(before.seen);
    (away >= DRIFT).then(|| Duration::try_from(away).unwrap_or_default())
}

fn absence(before: &Before, started: Timestamp) -> String {
    let away = match (away(before, started), before.stop) {
        (Some(away), Stop::Orderly) => format!("PiHook was away for {}.", humanise(away)),
        // Nobody knows when it ended: only when it was last seen at work.
        (Some(away), Stop::Abrupt) => format!("PiHook was away for up to {}.", humanise(away)),
        (None, _) => format!(
            "PiHook was away, and it cannot be told for how long: the clock is {} behind the newest entry in its \
             history.",
            humanise(started.duration_since(before.seen).unsigned_abs())
        ),
    };
    let ended = match before.stop {
        Stop::Orderly => "",
        Stop::Abrupt => {
            " It had not been stopped in an orderly way: it crashed, was killed, or the power failed."
        }
    };
    format!("{away}{ended}")
}

fn changes(before: &Services, now: &Services) -> Vec<String> {
    let bad =
        |known: &Known| known.status.is_some_and(|status| matches!(status, Status::Down | Status::Degraded));
    let was_bad = |id: &ServiceId| before.get(id).is_some_and(bad);
    let name = |(_, known): (&ServiceId, &Known)| known.name.clone();
    let of_now = |wanted: &dyn Fn(&ServiceId, &Known) -> bool| -> Vec<String> {
        now.iter().filter(|(id, known)| wanted(id, known)).map(name).collect()
    };
    let gone = before.iter().filter(|(id, _)| !now.contains_key(*id)).map(name).collect();
    let up = |known: &Known| known.status == Some(Status::Up);
    let listed = [
        ("Not well now", of_now(&|id, known| bad(known) && !was_bad(id))),
        ("Still not well", of_now(&|id, known| bad(known) && was_bad(id))),
        ("Well again", of_now(&|id, known| up(known) && was_bad(id))),
        ("New", of_now(&|id, _| !before.contains_key(id))),
        ("Not watched any more", gone),
        ("Not checked yet", of_now(&|_, known| known.status.is_none())),
    ];
    let sentences: Vec<_> = listed
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}.", some_of(&names)))
        .collect();
    if sentences.is_empty() { vec!["All services are as they were.".to_owned()] } else { sentences }
}

fn some_of(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn services(of: &[(&str, Option<Status>)]) -> Services {
        let known = |(name, status): &(&str, Option<Status>)| {
            let known = Known { name: (*name).to_owned(), status: *status };
            (ServiceId::new(&name.to_lowercase()), known)
        };
        of.iter().map(known).collect()
    }

    fn before(stop: Stop, of: &[(&str, Option<Status>)]) -> Before {
        Before { seen: at(0), stop, services: services(of) }
    }

    const UP: Option<Status> = Some(Status::Up);
    const DOWN: Option<Status> = Some(Status::Down);

    #[test]
    fn it_says_for_how_long_and_what_has_changed() {
        let before = before(
            Stop::Orderly,
            &[("A", UP), ("B", DOWN), ("C", DOWN), ("Gone", UP), ("Odd", Some(Status::Unknown))],
        );
        let now = services(&[("A", DOWN), ("B", UP), ("C", DOWN), ("D", None), ("Odd", UP)]);
        assert_eq!(
            report(Policy::Problems, Some(&before), at(3600), &now).unwrap(),
            "PiHook was away for 1 h. Not well now: A. Still not well: C. Well again: B. New: D. \
             Not watched any more: Gone. Not checked yet: D."
        );
    }

    #[test]
    fn a_crash_is_told_however_short_and_its_length_is_a_bound() {
        let before = before(Stop::Abrupt, &[("A", UP)]);
        let told = report(Policy::Problems, Some(&before), at(10), &before.services).unwrap();
        assert_eq!(
            told,
            "PiHook was away for up to 10 s. It had not been stopped in an orderly way: it crashed, was killed, or \
             the power failed. All services are as they were."
        );
    }

    #[test]
    fn a_clock_that_is_behind_is_said_to_be() {
        let before = before(Stop::Orderly, &[("A", UP)]);
        let told = report(Policy::Problems, Some(&before), at(-7200), &before.services).unwrap();
        assert!(told.contains("cannot be told for how long: the clock is 2 h behind the newest"), "{told}");
    }

    #[test]
    fn the_first_start_is_no_absence() {
        let now = services(&[("A", UP)]);
        assert_eq!(report(Policy::Problems, None, at(0), &now), None);
        assert!(report(Policy::Always, None, at(0), &now).unwrap().contains("first time"));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..1000).map(|number| format!("service {number}")).collect();
        let now = names.iter().map(|name| (name.as_str(), DOWN)).collect::<Vec<_>>();
        let told = report(Policy::Always, Some(&before(Stop::Orderly, &[])), at(0), &services(&now)).unwrap();
        assert!(told.contains(" and 990 more") && told.len() < 1000, "{told}");
    }

    proptest! {
        #[test]
        fn what_is_worth_a_word(away in -10_000_i64..10_000, abrupt: bool) {
            let before = before(if abrupt { Stop::Abrupt } else { Stop::Orderly }, &[]);
            let told = |policy| report(policy, Some(&before), at(away), &Services::new()).is_some();
            prop_assert!(told(Policy::Always));
            prop_assert!(!told(Policy::Never));
            prop_assert_eq!(told(Policy::Problems), abrupt || !(-60..300).contains(&away));
        }
    }
}
