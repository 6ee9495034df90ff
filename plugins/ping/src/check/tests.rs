use pihook_plugin::settings::read;
use pihook_plugin::{Status, guide};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn settings(host: &str, expect: &Value) -> Settings {
    read(&json!({"host": host, "expect": expect}).to_string()).expect("they are good")
}

fn answer(round_trips_ms: &[Option<f64>]) -> Answer {
    Answer {
        address: "192.168.1.10".into(),
        dns_ms: None,
        round_trips_ms: round_trips_ms.to_vec(),
        complaint: String::new(),
    }
}

fn judged(expect: Value, trips: &[Option<f64>]) -> (Status, String) {
    let outcome = judge(&settings("nas.lan", &expect), Ok(answer(trips))).expect("a verdict");
    (outcome.status, outcome.summary)
}

fn metrics(outcome: &Outcome) -> Vec<(&str, f64, &str)> {
    outcome.metrics.iter().map(|metric| (&*metric.name, metric.value, &*metric.unit)).collect()
}

#[test]
fn who_answers_is_up_and_measured() {
    let outcome = judge(&settings("nas.lan", &json!({})), Ok(answer(&[Some(1.0), Some(4.0), Some(2.5)])));
    let outcome = outcome.expect("a verdict");
    assert_eq!((outcome.status, &*outcome.summary), (Status::Up, "nas.lan (192.168.1.10) answers"));
    assert_eq!(outcome.response_ms, Some(2.5));
    assert_eq!(
        metrics(&outcome),
        [
            ("loss_percent", 0.0, "percent"),
            ("rtt_min_ms", 1.0, "ms"),
            ("rtt_avg_ms", 2.5, "ms"),
            ("rtt_max_ms", 4.0, "ms"),
            ("jitter_ms", 2.25, "ms")
        ]
    );
    let address = judge(&settings("192.168.1.10", &json!({})), Ok(answer(&[Some(1.0)]))).expect("a verdict");
    assert_eq!(address.summary, "192.168.1.10 answers");
    assert_eq!(metrics(&address).len(), 4, "one alone has no jitter");
}

#[test]
fn who_does_not_answer_is_down() {
    let down = (Status::Down, "no answer from nas.lan (192.168.1.10) to 3 echo requests".to_owned());
    assert_eq!(judged(json!({}), &[None, None, None]), down);
    let one = judge(&settings("192.168.1.10", &json!({})), Ok(answer(&[None]))).expect("a verdict");
    assert_eq!(one.summary, "no answer from 192.168.1.10 to 1 echo request");
    assert_eq!((metrics(&one), one.response_ms), (vec![("loss_percent", 100.0, "percent")], None));
    let told = Answer { complaint: "no route to the host".into(), ..answer(&[None, None]) };
    let told = judge(&settings("192.168.1.10", &json!({})), Ok(told)).expect("a verdict");
    assert_eq!(told.summary, "no answer from 192.168.1.10 to 2 echo requests (no route to the host)");
}

#[test]
fn losses_are_tolerated_up_to_a_share() {
    let (yes, no) = (Some(1.0), None);
    let up = (Status::Up, "nas.lan (192.168.1.10) answers".to_owned());
    assert_eq!(judged(json!({}), &[yes, no, yes]), up);
    assert_eq!(judged(json!({}), &[yes, no]), up);
    let lost = |text: &str| (Status::Degraded, text.to_owned());
    assert_eq!(
        judged(json!({}), &[yes, no, no]),
        lost("2 of 3 echo requests to nas.lan (192.168.1.10) lost, more than 50 %")
    );
    assert_eq!(
        judged(json!({"max_loss": "0%"}), &[yes, no, yes]),
        lost("1 of 3 echo requests to nas.lan (192.168.1.10) lost")
    );
    assert_eq!(judged(json!({"max_loss": "33.3%"}), &[yes, no, yes]).0, Status::Degraded);
    assert_eq!(judged(json!({"max_loss": "33.4%"}), &[yes, no, yes]).0, Status::Up);
    assert_eq!(judged(json!({"max_loss": "99.9%"}), &[no, no, no]).0, Status::Down);
}

#[test]
fn a_slow_host_is_degraded() {
    let expect = || json!({"max_round_trip": "20ms", "max_loss": "0%"});
    assert_eq!(judged(expect(), &[Some(10.0), Some(30.0)]).0, Status::Up);
    let slow = "nas.lan (192.168.1.10) answers in 25 ms, slower than 20 ms";
    assert_eq!(judged(expect(), &[Some(10.0), Some(40.0)]), (Status::Degraded, slow.to_owned()));
    let both = "1 of 2 echo requests to nas.lan (192.168.1.10) lost; \
                nas.lan (192.168.1.10) answers in 40 ms, slower than 20 ms";
    assert_eq!(judged(expect(), &[None, Some(40.0)]), (Status::Degraded, both.to_owned()));
}

#[test]
fn what_pihook_may_not_do_is_no_fault_of_the_host() {
    let plain = settings("nas.lan", &json!({}));
    assert_eq!(judge(&plain, Err(Error::Forbidden("sysctl".into()))), Err(Failure::Other("sysctl".into())));
    assert_eq!(judge(&plain, Err(Error::Dns("no such name".into()))), Ok(Outcome::down("no such name")));
    assert!(matches!(judge(&plain, Ok(answer(&[]))), Err(Failure::Other(_))));
}

#[test]
fn the_requests_are_the_settings() {
    let run = Run { connect_timeout: Duration::from_secs(2), ..Run::default() };
    let asked = request(&settings("[fd00::1]", &json!({})), &run);
    let wanted = Request {
        host: "fd00::1".into(),
        count: 3,
        interval: Duration::from_millis(200),
        timeout: Duration::from_secs(2),
        payload_bytes: 56,
    };
    assert_eq!(asked, wanted);
}

#[test]
fn the_documentation_names_each_metric_and_no_other() {
    let outcome = judge(&settings("a", &json!({})), Ok(answer(&[Some(1.0), Some(2.0)]))).expect("a verdict");
    let names: Vec<_> = outcome.metrics.iter().map(|metric| &*metric.name).collect();
    assert_eq!(guide::column(include_str!("../../../../docs/checks/ping.md"), "Metric"), names);
}

proptest! {
    #[test]
    fn any_times_are_judged(
        trips in prop::collection::vec(prop::option::of(any::<f64>()), 1..20), loss in 0_u8..100, limit in any::<u32>(),
    ) {
        let expect = json!({"max_loss": format!("{loss}%"), "max_round_trip": format!("{limit}ms")});
        let outcome = judge(&settings("nas.lan", &expect), Ok(answer(&trips))).expect("a verdict");
        prop_assert!(outcome.metrics.iter().all(|metric| metric.value.is_finite() && metric.value >= 0.0));
        prop_assert!(outcome.response_ms.is_none_or(|ms| ms.is_finite() && ms >= 0.0));
        let came = trips.iter().flatten().any(|ms| ms.is_finite());
        prop_assert_eq!(outcome.status == Status::Down, !came);
    }
}
