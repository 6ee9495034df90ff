use pihook_plugin::settings::read;
use pihook_plugin::{Status, guide};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn settings(json: &serde_json::Value) -> Settings {
    read(&json.to_string()).expect("they are good")
}

fn record(kind: &str, value: &str) -> Record {
    Record { name: "nas.lan".into(), kind: kind.into(), ttl: 300, value: value.into() }
}

fn answer(code: &str, records: &[(&str, &str)]) -> Answer {
    Answer {
        code: code.into(),
        records: records.iter().map(|(kind, value)| record(kind, value)).collect(),
        server: "192.168.1.2".into(),
        took_ms: 12.5,
        ..Answer::default()
    }
}

fn judged(expect: serde_json::Value, answer: Answer) -> (Status, String) {
    let outcome =
        judge(&settings(&json!({"name": "nas.lan", "expect": expect})), Ok(answer)).expect("a verdict");
    (outcome.status, outcome.summary)
}

#[test]
fn a_name_that_resolves_is_up() {
    let outcome =
        judge(&settings(&json!({"name": "nas.lan"})), Ok(answer("NOERROR", &[("A", "192.168.1.10")])));
    let outcome = outcome.expect("a verdict");
    assert_eq!((outcome.status, &*outcome.summary), (Status::Up, "nas.lan has A 192.168.1.10"));
    assert_eq!(outcome.response_ms, Some(12.5));
    let metrics: Vec<_> = outcome.metrics.iter().map(|it| (&*it.name, it.value, &*it.unit)).collect();
    assert_eq!(metrics, [("records", 1.0, ""), ("ttl_seconds", 300.0, "seconds")]);
}

#[test]
fn the_order_of_the_answer_does_not_show() {
    let addresses = |order: &[&str]| {
        let records: Vec<_> = order.iter().map(|address| ("A", *address)).collect();
        judged(json!({}), answer("NOERROR", &records)).1
    };
    assert_eq!(addresses(&["192.0.2.2", "192.0.2.1"]), addresses(&["192.0.2.1", "192.0.2.2"]));
    let many: Vec<_> = (1..8).map(|last| format!("192.0.2.{last}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(addresses(&many), "nas.lan has A 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 and 3 more");
}

#[test]
fn what_does_not_resolve_is_down() {
    for (code, summary) in [
        ("NXDOMAIN", "nas.lan does not exist, says 192.168.1.2 (NXDOMAIN)"),
        ("SERVFAIL", "192.168.1.2 cannot resolve nas.lan (SERVFAIL)"),
        ("REFUSED", "192.168.1.2 refuses to resolve nas.lan (REFUSED)"),
        ("RCODE9", "192.168.1.2 answers RCODE9 for nas.lan"),
        ("NOERROR", "nas.lan has no A record, says 192.168.1.2"),
    ] {
        assert_eq!(judged(json!({}), answer(code, &[])), (Status::Down, summary.into()));
    }
    let alias = answer("NOERROR", &[("CNAME", "web.lan")]);
    assert_eq!(judged(json!({}), alias), (Status::Down, "nas.lan has no A record, says 192.168.1.2".into()));
}

#[test]
fn wrong_values_are_named_with_the_right_ones() {
    let two = || answer("NOERROR", &[("CNAME", "web.lan"), ("A", "192.0.2.1"), ("A", "192.0.2.2")]);
    for (expect, status, summary) in [
        (json!({"values": ["192.0.2.2"]}), Status::Up, "nas.lan has A 192.0.2.1, 192.0.2.2"),
        (json!({"only": ["192.0.2.2", "192.0.2.1"]}), Status::Up, "nas.lan has A 192.0.2.1, 192.0.2.2"),
        (
            json!({"values": ["192.0.2.3"]}),
            Status::Down,
            "nas.lan has A 192.0.2.1, 192.0.2.2, expected 192.0.2.3",
        ),
        (
            json!({"values": ["192.0.2.1", "192.0.2.3"]}),
            Status::Down,
            "nas.lan has A 192.0.2.1, 192.0.2.2, expected 192.0.2.3 too",
        ),
        (
            json!({"only": ["192.0.2.1"]}),
            Status::Down,
            "nas.lan has A 192.0.2.1, 192.0.2.2, expected only 192.0.2.1",
        ),
        (
            json!({"only": ["192.0.2.1", "192.0.2.3"]}),
            Status::Down,
            "nas.lan has A 192.0.2.1, 192.0.2.2, expected 192.0.2.1, 192.0.2.3",
        ),
    ] {
        assert_eq!(judged(expect, two()), (status, summary.into()));
    }
}

#[test]
fn values_are_compared_in_one_spelling() {
    for (kind, found, expected) in [
        ("AAAA", "fd00::10", "FD00:0:0:0::0010"),
        ("CNAME", "Web.lan", "web.LAN."),
        ("MX", "10 Mail.Example.org", "10   mail.example.org."),
        ("SRV", "0 5 5060 sip.lan", "0 5 5060 SIP.lan."),
        ("TXT", "v=spf1 -all", "v=spf1 -all"),
        ("CAA", "0 issue \"letsencrypt.org\"", "0  issue  \"letsencrypt.org\""),
        ("NS", ".", "."),
    ] {
        let settings = settings(&json!({"name": "nas.lan", "type": kind, "expect": {"only": [expected]}}));
        assert_eq!(settings.problems(), [], "{kind}");
        let outcome = judge(&settings, Ok(answer("NOERROR", &[(kind, found)]))).expect("a verdict");
        assert_eq!(outcome.status, Status::Up, "{}", outcome.summary);
    }
    let text = settings(&json!({"name": "nas.lan", "type": "txt", "expect": {"only": ["V=spf1 -all"]}}));
    let outcome = judge(&text, Ok(answer("NOERROR", &[("TXT", "v=spf1 -all")]))).expect("a verdict");
    assert_eq!(outcome.summary, "nas.lan has TXT v=spf1 -all, expected V=spf1 -all");
}

#[test]
fn that_a_name_is_blocked_can_be_expected() {
    let expect = || json!({"code": "nxdomain"});
    let up = (Status::Up, "192.168.1.2 answers NXDOMAIN for nas.lan, as expected".to_owned());
    assert_eq!(judged(expect(), answer("NXDOMAIN", &[])), up);
    let down = (Status::Down, "nas.lan has A 192.0.2.1, expected NXDOMAIN".to_owned());
    assert_eq!(judged(expect(), answer("NOERROR", &[("A", "192.0.2.1")])), down);
    let down = (Status::Down, "nas.lan has no A record, expected NXDOMAIN".to_owned());
    assert_eq!(judged(expect(), answer("NOERROR", &[])), down);
    let down = (Status::Down, "192.168.1.2 cannot resolve nas.lan (SERVFAIL), expected NXDOMAIN".to_owned());
    assert_eq!(judged(expect(), answer("SERVFAIL", &[])), down);
}

#[test]
fn a_slow_answer_is_degraded_and_a_wrong_one_down() {
    let slow = |took_ms, code| {
        let answer = Answer { took_ms, ..answer(code, &[("A", "192.0.2.1")]) };
        judged(json!({"max_response_time": "100ms"}), answer)
    };
    assert_eq!(slow(100.0, "NOERROR").0, Status::Up);
    let degraded =
        (Status::Degraded, "192.168.1.2 answers for nas.lan in 250 ms, slower than 100 ms".to_owned());
    assert_eq!(slow(250.0, "NOERROR"), degraded);
    assert_eq!(slow(f64::NAN, "NOERROR").0, Status::Degraded);
    assert_eq!(slow(250.0, "SERVFAIL").0, Status::Down);
}

#[test]
fn no_answer_is_down_and_pihooks_own_fault_unknown() {
    let plain = settings(&json!({"name": "nas.lan"}));
    let late = judge(&plain, Err(Error::ReadTimeout("192.168.1.2 did not answer within 10 s".into())));
    assert_eq!(late, Ok(Outcome::down("192.168.1.2 did not answer within 10 s")));
    let denied = judge(&plain, Err(Error::Denied("no".into())));
    assert_eq!(denied, Err(Failure::Denied("no".into())));
}

#[test]
fn the_question_is_the_settings() {
    let run = Run { read_timeout: std::time::Duration::from_secs(7), ..Run::default() };
    let asked = query(&settings(&json!({"name": "nas.lan", "type": "aaaa", "server": "[::1]:5353"})), &run);
    let wanted = Query {
        name: "nas.lan".into(),
        kind: "AAAA".into(),
        server: Some("[::1]:5353".into()),
        timeout: run.read_timeout,
    };
    assert_eq!(asked, wanted);
}

#[test]
fn the_documentation_names_each_metric_and_no_other() {
    let outcome = judge(&settings(&json!({"name": "a"})), Ok(answer("NOERROR", &[("A", "192.0.2.1")])))
        .expect("a verdict");
    let names: Vec<_> = outcome.metrics.iter().map(|metric| &*metric.name).collect();
    assert_eq!(guide::column(include_str!("../../../../docs/checks/dns.md"), "Metric"), names);
}

proptest! {
    #[test]
    fn any_answer_is_judged(
        code in any::<String>(), values in prop::collection::vec(any::<String>(), 0..9), took_ms in any::<f64>(),
        expected in ".{1,80}", kind in prop::sample::select(vec!["A", "MX", "TXT", "CNAME", "CAA"]),
    ) {
        let records: Vec<_> = values.iter().map(|value| (kind, &**value)).collect();
        let answer = Answer { took_ms, ..answer(&code, &records) };
        let text = json!({"name": expected, "type": kind, "expect": {"values": [expected], "max_response_time": "1s"}});
        if let Ok(settings) = read::<Settings>(&text.to_string()) {
            let _ = settings.problems();
            let outcome = judge(&settings, Ok(answer)).expect("a verdict");
            prop_assert!(!outcome.summary.is_empty() && !outcome.summary.contains('\n'));
        }
    }
}
