//! Time, order, shutdown and reload, with sinks that do as they are told. Time is paused: it passes only where the
//! deliverer itself waits, and every wait can be measured.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::stage::{CountingFormatter, Stage, set};
use crate::sinks::{Asking, Form, SendContext, Sending, Sink, Verdict};
use crate::store::DeliveryState;
use crate::tasks::deliver::crew::Crew;
use crate::tasks::deliver::*;

/// What a scripted sink does.
pub(super) enum Act {
    Give(Verdict),
    /// Answers after this time.
    After(Duration, Verdict),
    Hang,
    Panic,
}

/// An attempt that a scripted sink has seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) at: Instant,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) form: Form,
    late: Option<String>,
}

/// Does what its script says, then takes everything.
pub(super) struct ScriptedSink {
    fingerprint: &'static str,
    script: Mutex<VecDeque<Act>>,
    seen: mpsc::Sender<Seen>,
    asked: (mpsc::Sender<Instant>, tokio::sync::Mutex<mpsc::Receiver<Instant>>),
    /// What it says when it is asked.
    works: AtomicBool,
}

pub(super) fn scripted<const N: usize>(
    fingerprint: &'static str,
    script: [Act; N],
) -> (Arc<dyn Sink>, mpsc::Receiver<Seen>) {
    let (sink, seen) = scripted_sink(fingerprint, script);
    (sink, seen)
}

pub(super) fn scripted_sink<const N: usize>(
    fingerprint: &'static str,
    script: [Act; N],
) -> (Arc<ScriptedSink>, mpsc::Receiver<Seen>) {
    let (seen, receiver) = mpsc::channel(1000);
    let script = Mutex::new(script.into());
    let (asked, questions) = mpsc::channel(10);
    let sink = ScriptedSink {
        fingerprint,
        script,
        seen,
        asked: (asked, tokio::sync::Mutex::new(questions)),
        works: AtomicBool::new(false),
    };
    (Arc::new(sink), receiver)
}

impl ScriptedSink {
    /// Does this next.
    pub(super) fn then<const N: usize>(&self, script: [Act; N]) {
        *self.script.lock().unwrap() = script.into();
    }

    /// When it was asked whether it works.
    async fn next_question(&self) -> Instant {
        self.asked.1.lock().await.recv().await.unwrap()
    }
}

impl Sink for ScriptedSink {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.to_owned()
    }

    fn send<'a>(&'a self, message: &'a Message, context: &'a SendContext<'a>) -> Sending<'a> {
        Box::pin(async move {
            let late = context.late.map(ToString::to_string);
            let (title, body) = (message.title.clone(), message.body.clone());
            let seen = Seen { at: Instant::now(), title, body, form: context.form, late };
            self.seen.send(seen).await.unwrap();
            let act = self.script.lock().unwrap().pop_front();
            match act {
                Some(Act::Give(verdict)) => verdict,
                Some(Act::After(time, verdict)) => {
                    tokio::time::sleep(time).await;
                    verdict
                }
                Some(Act::Hang) => std::future::pending().await,
                Some(Act::Panic) => panic!("a sink's bug"),
                None => Verdict::Sent,
            }
        })
    }

    fn ask(&self) -> Asking<'_> {
        Box::pin(async {
            let _full = self.asked.0.try_send(Instant::now());
            if self.works.load(Ordering::SeqCst) { Ok(()) } else { Err("it is gone".to_owned()) }
        })
    }
}

pub(super) fn retry() -> Act {
    Act::Give(Verdict::Retry("unreachable".to_owned()))
}

pub(super) fn refuse() -> Act {
    Act::Give(Verdict::Refused("bad request".to_owned()))
}

pub(super) fn disable() -> Act {
    Act::Give(Verdict::Disabled("the webhook is gone".to_owned()))
}

pub(super) async fn next(seen: &mut mpsc::Receiver<Seen>) -> Seen {
    seen.recv().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_for_as_long_as_it_takes() {
    let mut stage = Stage::new();
    stage.decide("nas", &["chat"]).await;
    let (sink, mut seen) = scripted("a", std::array::from_fn::<_, 14, _>(|_| retry()));
    stage.run(set("counting", [("chat", sink)]));

    let mut before = next(&mut seen).await.at;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600] {
        let attempt = next(&mut seen).await;
        let waited = (attempt.at - before).as_secs_f64() / f64::from(seconds);
        assert!((0.79..=1.21).contains(&waited), "{waited} times {seconds} s");
        assert_eq!(attempt.title, "nas opened #1");
        before = attempt.at;
    }
    stage.until("delivered", <[_]>::is_empty).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_not_a_failure() {
    let mut stage = Stage::new();
    stage.decide("nas", &["chat"]).await;
    let wait = |seconds| Act::Give(Verdict::Wait(Duration::from_secs(seconds)));
    let (sink, mut seen) = scripted("a", [wait(7), wait(30), retry(), Act::Hang]);
    stage.run(set("counting", [("chat", sink)]));

    let times = [next(&mut seen).await.at, next(&mut seen).await.at, next(&mut seen).await.at];
    assert_eq!((times[1] - times[0]).as_secs(), 7);
    assert_eq!((times[2] - times[1]).as_secs(), 30);
    assert_eq!(next(&mut seen).await.at.duration_since(times[2]).as_secs_f64().round(), 1.0);
    assert_eq!(stage.undelivered()[0].attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn order_holds_across_trouble() {
    let mut stage = Stage::new();
    let (sink, mut seen) =
        scripted("a", [retry(), Act::Give(Verdict::Wait(Duration::from_secs(60))), retry()]);
    stage.run(set("counting", [("chat", sink)]));
    for service in ["one", "two", "three"] {
        stage.decide(service, &["chat"]).await;
    }
    for expect in [
        "one opened #1",
        "one opened #1",
        "one opened #1",
        "one opened #1",
        "two opened #2",
        "three opened #3",
    ] {
        assert_eq!(next(&mut seen).await.title, expect);
    }
    stage.until("delivered", <[_]>::is_empty).await;
}

#[tokio::test(start_paused = true)]
async fn a_stuck_sink_delays_no_other() {
    let mut stage = Stage::new();
    let (stuck, mut stuck_seen) = scripted("a", [Act::Hang]);
    let (free, mut free_seen) = scripted("b", []);
    stage.run(set("counting", [("stuck", stuck), ("free", free)]));
    for service in ["one", "two", "three"] {
        stage.decide(service, &["stuck", "free"]).await;
        assert!(next(&mut free_seen).await.title.starts_with(service));
    }
    next(&mut stuck_seen).await;
    assert!(stuck_seen.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_goes_out_in_plain_words_and_then_dies() {
    let mut stage = Stage::new();
    let (sink, mut seen) = scripted("a", [refuse(), Act::Give(Verdict::Sent), refuse(), retry(), refuse()]);
    stage.run(set("counting", [("chat", sink)]));
    for service in ["one", "two", "three"] {
        stage.decide(service, &["chat"]).await;
    }
    let mut forms = Vec::new();
    for _ in 0..6 {
        let seen = next(&mut seen).await;
        forms.push((seen.title.split(' ').next().unwrap().to_owned(), seen.form));
    }
    let expect = [
        ("one", Form::Rich),
        ("one", Form::Plain),
        ("two", Form::Rich),
        ("two", Form::Plain), // A failure does not bring the refused form back.
        ("two", Form::Plain),
        ("three", Form::Rich),
    ];
    assert_eq!(forms, expect.map(|(service, form)| (service.to_owned(), form)));
    stage.until("the second is dead", |rows| rows.len() == 1 && rows[0].state == DeliveryState::Dead).await;
    let dead = &stage.undelivered()[0];
    assert_eq!((dead.service.as_str(), dead.last_error.as_deref()), ("two", Some("bad request")));
}

#[tokio::test(start_paused = true)]
async fn late_is_told_at_sending() {
    let mut stage = Stage::new();
    stage.decide("nas", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [retry()]);
    stage.run(set("counting", [("chat", sink)]));
    assert_eq!(next(&mut seen).await.late, None);
    stage.clock.set("2026-11-22T09:16:30Z");
    let late = next(&mut seen).await.late;
    assert_eq!(late.as_deref(), Some("delivered late: decided at 09:02, 14 min ago"));
}

#[tokio::test(start_paused = true)]
async fn the_wording_is_saved_before_the_first_attempt_and_survives_a_restart() {
    let mut stage = Stage::new();
    stage.decide("nas", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [retry()]);
    stage.run(set("counting", [("chat", sink)]));
    next(&mut seen).await;
    stage.stop().await;
    // Another formatter by now, and a sink that works.
    stage.formatter = Arc::new(CountingFormatter::default());
    let (sink, mut seen) = scripted("a", []);
    stage.run(set("counting", [("chat", sink)]));
    assert_eq!(next(&mut seen).await.title, "nas opened #1");
    assert_eq!(stage.formatter.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_sink_stays_so_until_its_settings_change() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [disable()]);
    stage.run(set("counting", [("chat", sink)]));
    next(&mut seen).await;
    stage.until_disabled(1).await;
    stage.stop().await;

    let (sink, mut seen) = scripted("a", []);
    stage.run(set("counting", [("chat", sink)]));
    stage.decide("two", &["chat"]).await;
    for _ in 0..24 {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        stage.settle().await;
    }
    assert!(seen.try_recv().is_err(), "a disabled sink was used");
    let disabled = stage.store.disabled_sinks().await.unwrap();
    assert_eq!((disabled[0].fingerprint.as_str(), disabled[0].reason.as_str()), ("a", "the webhook is gone"));
    assert_eq!(stage.undelivered().len(), 2);

    let (sink, mut seen) = scripted("b", []);
    stage.reload(set("counting", [("chat", sink)]));
    assert_eq!(next(&mut seen).await.title, "one opened #1");
    assert_eq!(next(&mut seen).await.title, "two opened #2");
    stage.until_disabled(0).await;
}

#[tokio::test(start_paused = true)]
async fn an_attempt_in_flight_may_end_at_shutdown() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    stage.decide("two", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [Act::After(Duration::from_secs(4), Verdict::Sent)]);
    stage.run(set("counting", [("chat", sink)]));
    next(&mut seen).await;
    stage.stop().await;
    let pending = stage.undelivered();
    assert_eq!(pending.iter().map(|row| row.service.as_str()).collect::<Vec<_>>(), ["two"]);
    assert!(seen.recv().await.is_none(), "an attempt began after the request to stop");
}

#[tokio::test(start_paused = true)]
async fn no_second_form_is_tried_after_the_request_to_stop() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let refused = Verdict::Refused("bad request".to_owned());
    let (sink, mut seen) = scripted("a", [Act::After(Duration::from_secs(4), refused)]);
    stage.run(set("counting", [("chat", sink)]));
    next(&mut seen).await;
    stage.stop().await;
    assert!(seen.recv().await.is_none(), "an attempt began after the request to stop");
    assert_eq!(stage.undelivered()[0].state, DeliveryState::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_attempt_does_not_hold_shutdown_up() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [Act::Hang]);
    stage.run(set("counting", [("chat", sink)]));
    next(&mut seen).await;
    let asked = Instant::now();
    stage.stop().await;
    assert_eq!(asked.elapsed().as_secs(), 5);
    assert_eq!(stage.undelivered()[0].state, DeliveryState::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_worker_stops_at_once() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [Act::Give(Verdict::Wait(Duration::from_secs(3600)))]);
    stage.run(set("counting", [("chat", sink), ("idle", scripted("b", []).0)]));
    next(&mut seen).await;
    let asked = Instant::now();
    stage.stop().await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn deliveries_of_a_removed_sink_are_given_up() {
    let mut stage = Stage::new();
    stage.decide("one", &["old", "new"]).await;
    let (old, mut old_seen) = scripted("a", [disable()]);
    stage.run(set("counting", [("old", old)]));
    next(&mut old_seen).await;
    // The sink that is not there yet loses its delivery too: order matters more than what nobody configured.
    stage.until("given up", |rows| rows.iter().any(|row| row.state == DeliveryState::Dead)).await;
    stage.until_disabled(1).await;

    let (new, mut new_seen) = scripted("b", []);
    stage.reload(set("counting", [("new", new)]));
    stage.until_disabled(0).await;
    stage.decide("two", &["old", "new"]).await;
    assert_eq!(next(&mut new_seen).await.title, "two opened #2");
    stage.until("all ended", |rows| rows.iter().all(|row| row.state == DeliveryState::Dead)).await;
    let why: Vec<_> =
        stage.undelivered().into_iter().map(|row| (row.sink.to_string(), row.last_error)).collect();
    let removed = || Some("sink removed from the configuration".to_owned());
    assert_eq!(why, ["old", "new", "old"].map(|sink| (sink.to_owned(), removed())));
}

#[tokio::test(start_paused = true)]
async fn a_reload_does_not_disturb_a_sink_that_stays() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [Act::Give(Verdict::Wait(Duration::from_secs(100)))]);
    stage.run(set("counting", [("chat", sink)]));
    let first = next(&mut seen).await.at;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (same, mut same_seen) = scripted("a", []);
    stage.reload(set("counting", [("chat", same), ("other", scripted("b", []).0)]));
    assert_eq!((next(&mut seen).await.at - first).as_secs(), 100);
    assert!(same_seen.try_recv().is_err());
}

// On real time: paused time would run out for the formatter while the reload waits for the database.
#[tokio::test]
async fn a_changed_formatter_words_what_comes_next() {
    let mut stage = Stage::new();
    let (sink, mut seen) = scripted("a", []);
    stage.run(set("hangs", [("chat", Arc::clone(&sink))]));
    stage.decide("one", &["chat"]).await;
    while stage.formatter.count() == 0 {
        tokio::task::yield_now().await;
    }
    stage.reload(set("counting", [("chat", sink)]));
    assert_eq!(next(&mut seen).await.title, "one opened #2");
}

#[tokio::test(start_paused = true)]
async fn a_formatter_that_hangs_or_panics_loses_no_alert() {
    for formatter in ["hangs", "panics"] {
        let mut stage = Stage::new();
        stage.decide("nas", &["chat"]).await;
        let (sink, mut seen) = scripted("a", []);
        stage.run(set(formatter, [("chat", sink)]));
        assert_eq!(next(&mut seen).await.title, "nas is down");
        assert_eq!(stage.formatter.count(), if formatter == "panics" { 2 } else { 1 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_nothing_can_be_done_with_does_not_hold_up_the_next() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    stage.decide("two", &["chat"]).await;
    let (sink, mut seen) = scripted("a", [Act::Panic, Act::Panic, Act::Panic]);
    stage.run(set("counting", [("chat", sink)]));
    let expect = [
        ("one opened #1", Form::Rich),
        ("one opened #1", Form::Rich),
        ("one is down", Form::Plain),
        ("two opened #2", Form::Rich),
    ];
    for (title, form) in expect {
        let seen = next(&mut seen).await;
        assert_eq!((seen.title.as_str(), seen.form), (title, form));
    }
    stage.until("the first is dead", |rows| rows.len() == 1 && rows[0].state == DeliveryState::Dead).await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_sink_is_asked_every_six_hours() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted_sink("a", [disable(), disable()]);
    stage.run(set("counting", [("chat", sink.clone())]));
    let mut before = next(&mut seen).await.at;
    for _ in 0..3 {
        let asked = sink.next_question().await;
        assert_eq!((asked - before).as_secs(), 6 * 3600);
        before = asked;
    }
    stage.until_standing("chat", |standing| matches!(standing, Standing::Disabled(_))).await;

    // It says that it works, and still refuses: that is no recovery.
    sink.works.store(true, Ordering::SeqCst);
    let mut standings = stage.standings.subscribe();
    assert_eq!(next(&mut seen).await.title, "one opened #1");
    assert!(!standings.has_changed().unwrap());
    assert_eq!(next(&mut seen).await.title, "one opened #1");
    standings.changed().await.unwrap();
    stage.until_standing("chat", |standing| *standing == Standing::Works).await;
    stage.until_disabled(0).await;
}

// On real time: paused time would run six hours on while the database answers.
#[tokio::test]
async fn a_disabled_sink_is_asked_at_the_start_and_after_a_reload() {
    let mut stage = Stage::new();
    stage.decide("one", &["chat"]).await;
    let (sink, mut seen) = scripted_sink("a", [disable()]);
    stage.run(set("counting", [("chat", sink.clone())]));
    next(&mut seen).await;
    stage.until_disabled(1).await;
    stage.stop().await;
    stage.run(set("counting", [("chat", sink.clone())]));
    sink.next_question().await;
    stage.reload(set("counting", [("chat", sink.clone())]));
    sink.next_question().await;
    assert!(seen.try_recv().is_err(), "it was not used before it said that it works");
    sink.works.store(true, Ordering::SeqCst);
    stage.reload(set("counting", [("chat", sink.clone())]));
    assert_eq!(next(&mut seen).await.title, "one opened #1");
    stage.until_disabled(0).await;
}

#[tokio::test]
async fn an_alert_to_a_sink_that_was_just_added_is_not_given_up() {
    // The database's thread may answer before the new set comes, which shows nothing; so several tries are made. Whoever
    // looked at the set first would fail in all of them.
    for _ in 0..50 {
        if fates_when_a_sink_is_added_meanwhile().await == [DeliveryState::Dead, DeliveryState::Pending] {
            return;
        }
    }
    panic!("the alert to the new sink was given up each time");
}

/// What becomes of an alert to a removed sink and of one to a sink that is added while the database is being asked who has
/// deliveries.
async fn fates_when_a_sink_is_added_meanwhile() -> Vec<DeliveryState> {
    let stage = Stage::new();
    stage.decide("one", &["old"]).await;
    stage.decide("two", &["new"]).await;
    let sinks = watch::Sender::new(Arc::new(set("counting", [])));
    let crew = Crew::new(stage.deliverer());
    let receiver = sinks.subscribe();
    tokio::join!(biased; crew.give_up_orphans(&receiver), async {
        sinks.send_replace(Arc::new(set("counting", [("new", scripted("b", []).0)])));
    });
    stage.undelivered().into_iter().map(|row| row.state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_test_alert_goes_past_the_outbox() {
    let alert = super::stage::alert("nas", &[]);
    let message = pihook_core::plain::plain_message(&alert);
    let (sink, mut seen) = scripted("a", [refuse(), retry()]);
    assert_eq!(send_now(sink.as_ref(), &message, &alert).await, Verdict::Retry("unreachable".to_owned()));
    assert_eq!([next(&mut seen).await.form, next(&mut seen).await.form], [Form::Rich, Form::Plain]);
    assert_eq!(send_now(sink.as_ref(), &message, &alert).await, Verdict::Sent);
}
