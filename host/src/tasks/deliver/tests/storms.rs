//! Gathering, quiet hours and fallbacks, on paused time.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use jiff::tz::db;
use pihook_core::dispatch::Fallback;
use pihook_core::maintenance::{Days, Recurrence, When};
use pihook_core::{AlertKind, IncidentId, Severity};
use proptest::prelude::*;
use tokio::sync::mpsc;

use super::scripted::{Act, Seen, disable, next, refuse, retry, scripted, scripted_sink};
use super::stage::{Stage, alert, set_with};
use crate::sinks::{Asking, Form, SendContext, Sending, Verdict};
use crate::store::DeliveryState;
use crate::tasks::deliver::*;

fn gathering() -> Policy {
    Policy { gather: Duration::from_secs(10), per_minute: NonZeroU32::new(6).unwrap(), ..Policy::EACH }
}

fn quiet() -> Policy {
    let zone = db().get("Europe/Berlin").unwrap();
    let quiet = Recurrence::new(Days::Daily, 22 * 60, 7 * 60, zone).unwrap();
    Policy { quiet: Some(When::Recurring(quiet)), ..gathering() }
}

fn with_fallback(after: u64) -> Policy {
    let fallback = Fallback { sink: SinkId::new("phone"), after: Duration::from_secs(after) };
    Policy { fallback: Some(fallback), ..Policy::EACH }
}

fn nothing(seen: &mut mpsc::Receiver<Seen>) {
    assert!(seen.try_recv().is_err(), "something was sent");
}

#[tokio::test(start_paused = true)]
async fn a_storm_is_one_alert_and_then_digests() {
    let mut stage = Stage::new();
    for number in 0..250 {
        stage.decide(&format!("s{number}"), &["chat"]).await;
    }
    let (sink, mut seen) = scripted("a", []);
    stage.run(set_with("counting", &gathering(), [("chat", sink)]));
    let first = next(&mut seen).await;
    assert_eq!(first.title, "s0 opened #1");
    let (second, third) = (next(&mut seen).await, next(&mut seen).await);
    assert_eq!([(second.at - first.at).as_secs(), (third.at - first.at).as_secs()], [10, 20]);
    let names: Vec<_> = (1..=200).map(|number| format!("s{number}")).collect();
    assert_eq!(second.title, format!("{} #2", names.join("+")));
    assert!(third.title.ends_with("s248+s249 #3"), "{}", third.title);
    stage.until("delivered", <[_]>::is_empty).await;
    nothing(&mut seen);
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_a_calm_time_is_alone_again() {
    let mut stage = Stage::new();
    let (sink, mut seen) = scripted("a", []);
    stage.run(set_with("counting", &gathering(), [("chat", sink)]));
    stage.decide("one", &["chat"]).await;
    let first = next(&mut seen).await;
    stage.until("delivered", <[_]>::is_empty).await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    stage.decide("two", &["chat"]).await;
    let second = next(&mut seen).await;
    assert_eq!(second.title, "two opened #2");
    assert!((second.at - first.at).as_secs() < 15, "it was gathered with nothing");
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_fails_is_tried_again_as_it_was() {
    let mut stage = Stage::new();
    for name in ["one", "two", "three"] {
        stage.decide(name, &["chat"]).await;
    }
    let (sink, mut seen) = scripted("a", [Act::Give(Verdict::Sent), retry(), Act::Hang]);
    stage.run(set_with("counting", &gathering(), [("chat", sink)]));
    assert_eq!(next(&mut seen).await.title, "one opened #1");
    assert_eq!(next(&mut seen).await.title, "two+three #2");
    stage.decide("four", &["chat"]).await;
    assert_eq!(next(&mut seen).await.title, "two+three #2");
    stage.stop().await;
    let attempts: Vec<_> = stage.undelivered().into_iter().map(|row| (row.service, row.attempts)).collect();
    assert_eq!(
        attempts,
        [("two", 1), ("three", 1), ("four", 0)].map(|(name, count)| (name.to_owned(), count))
    );

    // Another formatter by now, and a restart in the middle: it is the same batch with the same wording.
    stage.formatter = Arc::default();
    let (sink, mut seen) = scripted("a", []);
    stage.run(set_with("counting", &gathering(), [("chat", sink)]));
    assert_eq!(next(&mut seen).await.title, "two+three #2");
    assert_eq!(next(&mut seen).await.title, "four opened #1");
    stage.until("delivered", <[_]>::is_empty).await;
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_is_refused_goes_out_in_plain_words_and_then_dies_as_a_whole() {
    let mut stage = Stage::new();
    for name in ["one", "two", "three"] {
        stage.decide(name, &["chat"]).await;
    }
    let (sink, mut seen) = scripted("a", [Act::Give(Verdict::Sent), refuse(), refuse()]);
    stage.run(set_with("counting", &gathering(), [("chat", sink)]));
    next(&mut seen).await;
    assert_eq!(next(&mut seen).await.form, Form::Rich);
    let plain = next(&mut seen).await;
    assert_eq!((plain.title.as_str(), plain.form), ("2 alerts: 2 down", Form::Plain));
    stage
        .until("given up", |rows| rows.len() == 2 && rows.iter().all(|row| row.state == DeliveryState::Dead))
        .await;
}

#[tokio::test(start_paused = true)]
async fn quiet_hours_hold_what_is_not_critical_until_they_end() {
    let mut stage = Stage::new();
    stage.clock.set("2026-11-22T23:30:00+01:00");
    let at = "2026-11-22T23:30:00+01:00".parse().unwrap();
    let warning = |name: &str, kind, incident| Alert {
        kind,
        severity: Severity::Warning,
        incident: IncidentId(incident),
        at,
        ..alert(name, &["chat"])
    };
    let (sink, mut seen) = scripted("a", []);
    stage.run(set_with("counting", &quiet(), [("chat", sink)]));
    stage.decide_all("disk", vec![warning("disk", AlertKind::Opened, 1)]).await;
    stage.decide_all("page", vec![warning("page", AlertKind::Opened, 2)]).await;
    stage.decide_all("mail", vec![warning("mail", AlertKind::Opened, 3)]).await;
    let critical = Alert { incident: IncidentId(4), at, ..alert("nas", &["chat"]) };
    stage.decide_all("nas", vec![critical]).await;
    assert_eq!(next(&mut seen).await.title, "nas opened #1");
    stage.until("the critical one to be told", |rows| rows.len() == 3).await;
    stage.decide_all("page", vec![warning("page", AlertKind::Recovered, 2)]).await;
    stage.until("the one that has passed to be spared", |rows| rows.len() == 2).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    stage.settle().await;
    nothing(&mut seen);
    stage.clock.set("2026-11-23T07:00:00+01:00");
    let morning = next(&mut seen).await;
    assert_eq!(morning.title, "disk+mail #2");
    stage.until("delivered", <[_]>::is_empty).await;
    nothing(&mut seen);
}

#[tokio::test(start_paused = true)]
async fn what_was_being_tried_when_quiet_hours_began_waits_too() {
    let mut stage = Stage::new();
    stage.clock.set("2026-11-22T21:59:00+01:00");
    let warning = Alert { severity: Severity::Warning, ..alert("disk", &["chat"]) };
    stage.decide_all("disk", vec![warning]).await;
    let (sink, mut seen) = scripted("a", [retry()]);
    stage.run(set_with("counting", &quiet(), [("chat", sink)]));
    next(&mut seen).await;
    stage.clock.set("2026-11-22T22:00:00+01:00");
    stage.until("the attempt to be noted", |rows| rows[0].attempts == 1).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    stage.settle().await;
    nothing(&mut seen);
    stage.clock.set("2026-11-23T07:00:00+01:00");
    assert_eq!(next(&mut seen).await.title, "disk opened #2");
}

#[tokio::test(start_paused = true)]
async fn the_fallback_of_a_disabled_sink_is_told_at_once_and_of_what_comes_later() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    stage.decide("two", &["chat", "phone"]).await;
    let (sink, mut seen) = scripted("a", [disable()]);
    let (phone, mut told) = scripted("b", []);
    let mut sinks = set_with("counting", &with_fallback(600), [("chat", sink)]);
    sinks.extend(set_with("counting", &Policy::EACH, [("phone", phone)]));
    stage.run(sinks);
    next(&mut seen).await;
    let mut titles = vec![next(&mut told).await, next(&mut told).await];
    titles.sort_by(|one, other| one.title.cmp(&other.title));
    assert!(titles[0].title.starts_with("one opened"), "{titles:?}");
    assert_eq!(titles[0].body, "This was meant for the sink chat.");
    assert!(titles[1].title.starts_with("two opened") && titles[1].body.is_empty(), "{titles:?}");
    stage.decide("three", &["chat"]).await;
    assert!(next(&mut told).await.title.starts_with("three opened"));
    stage.until("delivered", <[_]>::is_empty).await;
    nothing(&mut told);
    nothing(&mut seen);
    stage.until_disabled(1).await;
}

#[tokio::test(start_paused = true)]
async fn the_fallback_of_a_failing_sink_is_told_when_patience_ends() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let hang = || Act::After(Duration::from_secs(10), Verdict::Retry("no answer in time".to_owned()));
    let (sink, mut seen) = scripted_sink("a", [hang(), hang(), hang(), hang(), hang(), hang()]);
    let (phone, mut told) = scripted("b", []);
    let mut sinks = set_with("counting", &with_fallback(60), [("chat", sink.clone() as Arc<dyn Sink>)]);
    sinks.extend(set_with("counting", &Policy::EACH, [("phone", phone)]));
    stage.run(sinks);
    let first = next(&mut seen).await.at;
    let moved = next(&mut told).await;
    assert_eq!(moved.title, "one opened #2");
    assert_eq!(moved.body, "This was meant for the sink chat.");
    let waited = (moved.at - first).as_secs();
    assert!((60..75).contains(&waited), "{waited} s");
    while seen.try_recv().is_ok() {}

    // It is tried again with what comes, and not waited for again.
    sink.then([hang()]);
    stage.decide("two", &["chat"]).await;
    let tried = next(&mut seen).await;
    assert!(tried.title.starts_with("two opened"));
    let moved = next(&mut told).await;
    assert!(moved.title.starts_with("two opened") && (moved.at - tried.at).as_secs() < 15, "{moved:?}");
    stage.decide("three", &["chat"]).await;
    assert!(next(&mut seen).await.title.starts_with("three opened"));
    stage.until("delivered", <[_]>::is_empty).await;
    nothing(&mut told);
}

/// Notes what it is given, and what it does with it.
#[derive(Default)]
struct Witness {
    script: Mutex<VecDeque<Verdict>>,
    seen: Mutex<Vec<Attempt>>,
}

/// The numbers of the alerts in it, how it was laid out, and what came of it.
type Attempt = (Vec<usize>, Form, Verdict);

impl Sink for Witness {
    fn kind(&self) -> &'static str {
        "witness"
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    fn send<'a>(&'a self, _message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        let verdict = self.script.lock().unwrap().pop_front().unwrap_or(Verdict::Sent);
        let mut numbers: Vec<usize> =
            context.alerts().map(|alert| alert.service.as_str().parse().unwrap()).collect();
        numbers.sort_unstable();
        self.seen.lock().unwrap().push((numbers, context.form, verdict.clone()));
        Box::pin(std::future::ready(verdict))
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[derive(Clone, Debug)]
enum Step {
    Decide(usize),
    Answer(Vec<Verdict>),
    Pass(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![
        Just(Verdict::Sent),
        Just(Verdict::Retry("unreachable".to_owned())),
        Just(Verdict::Wait(Duration::from_secs(3))),
        Just(Verdict::Refused("bad request".to_owned())),
        Just(Verdict::Disabled("gone".to_owned())),
    ];
    let step = prop_oneof![
        4 => (1_usize..8).prop_map(Step::Decide),
        2 => proptest::collection::vec(verdict, 1..5).prop_map(Step::Answer),
        2 => (0_u64..40).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..14)
}

/// Everything that was given to the sink in the course of these steps, and how much was decided.
async fn witnessed(gather: u64, per_minute: u32, steps: Vec<Step>) -> (Vec<Attempt>, usize) {
    let policy = Policy {
        gather: Duration::from_secs(gather),
        per_minute: NonZeroU32::new(per_minute).unwrap(),
        ..Policy::EACH
    };
    let (mut stage, witness, mut decided) = (Stage::new(), Arc::new(Witness::default()), 0);
    let sinks = || set_with("counting", &policy, [("chat", Arc::clone(&witness) as Arc<dyn Sink>)]);
    stage.run(sinks());
    for step in steps {
        match step {
            Step::Decide(count) => {
                for number in decided..decided + count {
                    stage.decide(&number.to_string(), &["chat"]).await;
                }
                decided += count;
            }
            Step::Answer(verdicts) => *witness.script.lock().unwrap() = verdicts.into(),
            Step::Pass(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Step::Restart => {
                stage.stop().await;
                stage.run(sinks());
            }
        }
    }
    witness.script.lock().unwrap().clear();
    // A sink that was disabled is asked once more.
    stage.reload(sinks());
    for _ in 0..5000 {
        if stage.undelivered().iter().all(|row| row.state == DeliveryState::Dead) {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stage.stop().await;
    let seen = witness.seen.lock().unwrap().clone();
    (seen, decided)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_doubled_split_or_disordered(
        gather in prop_oneof![Just(0_u64), Just(10)],
        per_minute in prop_oneof![Just(2_u32), Just(6), Just(600)],
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (seen, decided) = runtime.block_on(witnessed(gather, per_minute, steps));
        let (mut ended, mut open) = (Vec::new(), None::<Vec<usize>>);
        for (batch, form, verdict) in seen {
            if let Some(before) = &open {
                prop_assert_eq!(before, &batch, "a batch was changed after it was tried");
            }
            // Refused in plain words too, it is given up.
            let given_up = form == Form::Plain && matches!(verdict, Verdict::Refused(_));
            if verdict == Verdict::Sent || given_up {
                ended.extend(batch);
                open = None;
            } else {
                open = Some(batch);
            }
        }
        prop_assert_eq!(ended, (0..decided).collect::<Vec<_>>(), "lost, doubled or out of order");
    }
}
