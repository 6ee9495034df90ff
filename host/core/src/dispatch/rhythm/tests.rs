use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn policy(gather: u64, per_minute: u32) -> Policy {
    Policy {
        gather: SECOND * u32::try_from(gather).unwrap(),
        per_minute: NonZeroU32::new(per_minute).unwrap(),
        ..Policy::EACH
    }
}

/// A message: when it was sent, and which alerts are in it.
type Sent = (u64, Vec<usize>);

/// What a worker sends that asks the rhythm. Alerts come at these seconds, in order; sending takes no time.
fn worked(policy: &Policy, arrivals: &[u64]) -> Vec<Sent> {
    let mut rhythm = Rhythm::new(policy);
    let (mut now, mut next, mut waiting, mut sent) = (0, 0, VecDeque::new(), Vec::new());
    loop {
        while arrivals.get(next).is_some_and(|at| *at <= now) {
            waiting.push_back(next);
            next += 1;
        }
        if waiting.is_empty() {
            match arrivals.get(next) {
                Some(at) => now = *at,
                None => return sent,
            }
            continue;
        }
        let alerts: Vec<usize> = match rhythm.turn(SECOND * u32::try_from(now).unwrap()) {
            Turn::Gather(wait) => {
                assert!(!wait.is_zero());
                now += wait.as_secs();
                continue;
            }
            Turn::One => waiting.drain(..1).collect(),
            Turn::All => waiting.drain(..).collect(),
        };
        rhythm.sent(SECOND * u32::try_from(now).unwrap());
        sent.push((now, alerts));
    }
}

/// The same second by second, by nothing but the list of what was sent. The pace of a storm divides a minute.
fn expected(policy: &Policy, arrivals: &[u64]) -> Vec<Sent> {
    let (gather, limit) = (policy.gather.as_secs(), u64::from(policy.per_minute.get()));
    let mut sent: Vec<Sent> = Vec::new();
    let (mut waiting, mut storm, mut second, mut next) = (Vec::new(), false, 0, 0);
    while next < arrivals.len() || !waiting.is_empty() {
        let came = arrivals.iter().enumerate().skip(next).take_while(|(_, at)| **at <= second);
        let mut came: VecDeque<usize> = came.map(|(index, _)| index).collect();
        next += came.len();
        loop {
            let newest = sent.last().map(|(at, _)| *at);
            let minute = sent.iter().filter(|(at, _)| at + 60 > second).count() as u64;
            let quiet = |apart: u64| newest.is_none_or(|newest| newest + apart <= second);
            if came.is_empty() && waiting.is_empty() {
                break;
            }
            storm |= minute >= limit;
            let apart = if storm { gather.max(60 / limit) } else { gather };
            if !quiet(apart) || minute >= limit {
                waiting.extend(came.drain(..));
                break;
            }
            if waiting.is_empty() {
                storm = false;
                sent.push((second, came.drain(..1).collect()));
            } else {
                waiting.extend(came.drain(..));
                sent.push((second, std::mem::take(&mut waiting)));
            }
        }
        second += 1;
    }
    sent
}

#[test]
fn the_first_goes_out_at_once_and_what_follows_together() {
    let sent = worked(&policy(10, 6), &[5, 5, 5, 6, 14, 40, 60]);
    assert_eq!(sent, [(5, vec![0]), (15, vec![1, 2, 3, 4]), (40, vec![5]), (60, vec![6])]);
}

#[test]
fn above_the_rate_it_gathers_until_it_is_calm() {
    let each: Vec<u64> = (0..40).collect();
    let mut arrivals: Vec<u64> = each.iter().map(|second| second / 10).collect();
    arrivals.extend([62, 63, 90, 90]);
    let sent = worked(&policy(0, 6), &arrivals);
    let times: Vec<(u64, usize)> = sent.iter().map(|(at, alerts)| (*at, alerts.len())).collect();
    assert_eq!(times, [(0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (60, 34), (70, 2), (90, 1), (90, 1)]);
}

#[test]
fn what_was_held_goes_out_together() {
    let mut rhythm = Rhythm::new(&Policy::EACH);
    assert!(!rhythm.gathers());
    rhythm.hold();
    assert!(rhythm.gathers());
    assert_eq!(rhythm.turn(SECOND), Turn::All);
    rhythm.sent(SECOND);
    assert_eq!(rhythm.turn(SECOND), Turn::One);
}

proptest! {
    #[test]
    fn it_agrees_with_the_list_of_what_was_sent(
        gather in 0_u64..30,
        limit in proptest::sample::select(vec![1_u32, 2, 3, 5, 6, 12, 60]),
        gaps in proptest::collection::vec(prop_oneof![Just(0_u64), 0..4_u64, 0..90_u64], 0..60),
    ) {
        let policy = policy(gather, limit);
        let arrivals: Vec<u64> =
            gaps.iter().scan(0, |now, gap| { *now += gap; Some(*now) }).collect();
        let sent = worked(&policy, &arrivals);
        prop_assert_eq!(&sent, &expected(&policy, &arrivals));

        let order: Vec<usize> = sent.iter().flat_map(|(_, alerts)| alerts.clone()).collect();
        prop_assert_eq!(order, (0..arrivals.len()).collect::<Vec<_>>(), "lost, doubled or out of order");
        for (at, alerts) in &sent {
            let longest = at - arrivals[alerts[0]];
            prop_assert!(longest <= gather.max(60), "held for {} s", longest);
            let minute = sent.iter().filter(|(other, _)| (*at..at + 60).contains(other)).count();
            prop_assert!(minute <= limit as usize, "{} messages in a minute", minute);
        }
        let alone = |index: usize| index == 0 || arrivals[index] - arrivals[index - 1] > 2 * gather.max(60);
        for index in (0..arrivals.len()).filter(|index| alone(*index)) {
            prop_assert!(sent.contains(&(arrivals[index], vec![index])), "the first was not sent at once");
        }
    }
}
