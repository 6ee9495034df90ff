use std::collections::BTreeSet;

use pihook_plugin::Metric;
use pihook_plugin::dns::{Answer, Record};
use pihook_plugin::settings::read as read_settings;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::entry::{query, resolved};

const NOW: i64 = 1_795_348_800_000;
const MINUTE: i64 = 60_000;

fn ip(last: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, last])
}

fn settings(value: Value) -> Settings {
    read_settings(&value.to_string()).expect("they are good")
}

fn with_dns() -> Settings {
    settings(json!({"expect_dns": "home.duckdns.org"}))
}

/// What echoes `a`, `b` … said.
fn poll(said: &[Result<IpAddr, Failed>]) -> Poll {
    let mut poll = Poll::new(said.len());
    for (name, answer) in ["a.example", "b.example", "c.example", "d.example"].into_iter().zip(said) {
        poll.note(name, answer.clone());
    }
    poll
}

fn agreed(last: u8) -> Poll {
    poll(&[Ok(ip(last)), Ok(ip(last)), Ok(ip(last))])
}

fn hangs() -> Result<IpAddr, Failed> {
    Err(Failed::Unreachable("no answer within 10 s".into()))
}

fn knowing(last: u8) -> Memory {
    Memory { address: Some(ip(last)), stale_since_ms: None }
}

fn leads_to(last: u8) -> Option<Lookup> {
    Some(Lookup::Addresses(vec![ip(last)]))
}

fn judged(settings: &Settings, poll: &Poll, lookup: Option<Lookup>, memory: &Memory) -> (Outcome, Memory) {
    judge(settings, poll, lookup, memory, NOW).expect("there is a verdict")
}

fn gist(outcome: &Outcome) -> (Status, &str) {
    (outcome.status, outcome.summary.as_str())
}

fn metric(outcome: &Outcome, name: &str) -> Option<f64> {
    outcome.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value)
}

#[test]
fn the_first_run_takes_note_and_the_next_has_nothing_to_tell() {
    let (outcome, memory) = judged(&Settings::default(), &agreed(5), None, &Memory::default());
    assert_eq!((gist(&outcome), &outcome.notice), ((Status::Up, "203.0.113.5"), &None));
    assert_eq!(memory, knowing(5));
    let (again, still) = judged(&Settings::default(), &agreed(5), None, &memory);
    assert_eq!((&again, &still), (&outcome, &memory), "constant while it is the same");
}

#[test]
fn a_change_is_news_once() {
    let (outcome, memory) = judged(&Settings::default(), &agreed(9), None, &knowing(5));
    assert_eq!(gist(&outcome), (Status::Up, "203.0.113.9"));
    assert_eq!(outcome.notice.as_deref(), Some("the public address changed from 203.0.113.5 to 203.0.113.9"));
    assert_eq!((metric(&outcome, "changed"), &memory), (Some(1.0), &knowing(9)));
    let (outcome, _) = judged(&Settings::default(), &agreed(9), None, &memory);
    assert_eq!((outcome.notice.as_ref(), metric(&outcome, "changed")), (None, Some(0.0)));
}

#[test]
fn a_liar_is_outvoted() {
    let lied = poll(&[Ok(ip(66)), Ok(ip(5)), Ok(ip(5)), Ok(ip(5))]);
    let (outcome, memory) = judged(&Settings::default(), &lied, None, &knowing(5));
    assert_eq!((gist(&outcome), outcome.notice.as_ref()), ((Status::Up, "203.0.113.5"), None));
    assert_eq!((metric(&outcome, "echoes_agreeing"), memory), (Some(3.0), knowing(5)));
}

#[test]
fn without_a_majority_nothing_is_believed() {
    let refused = Err(Failed::Useless("answers HTTP 503".into()));
    for (said, status, summary) in [
        (
            vec![Ok(ip(5)), Ok(ip(6)), Ok(ip(5)), Ok(ip(6))],
            Status::Degraded,
            "the echoes disagree: 203.0.113.5 (a.example, c.example), 203.0.113.6 (b.example, d.example)",
        ),
        (
            vec![Ok(ip(5)), Ok(ip(6)), hangs()],
            Status::Degraded,
            "the echoes disagree: 203.0.113.5 (a.example), 203.0.113.6 (b.example)",
        ),
        (
            vec![hangs(), Ok(ip(9)), refused.clone()],
            Status::Unknown,
            "only b.example names an address, 203.0.113.9; a.example: no answer within 10 s; \
             c.example answers HTTP 503",
        ),
        (
            vec![hangs(), hangs()],
            Status::Down,
            "no way out: a.example: no answer within 10 s; b.example: no answer within 10 s",
        ),
        (
            vec![hangs(), refused],
            Status::Down,
            "no echo names the address: a.example: no answer within 10 s; b.example answers HTTP 503",
        ),
    ] {
        let (outcome, memory) = judged(&with_dns(), &poll(&said), None, &knowing(5));
        assert_eq!(gist(&outcome), (status, summary));
        assert_eq!((outcome.notice, memory), (None, knowing(5)), "what was known is kept");
        assert_eq!(outcome.metrics.len(), 2);
    }
}

#[test]
fn pihooks_own_fault_is_no_outage() {
    let denied = || Err(Failed::Own(Failure::Denied("not allowed".into())));
    let other = || Err(Failed::Own(Failure::Other("too many open files".into())));
    let failure = |said: &[Result<IpAddr, Failed>]| {
        judge(&Settings::default(), &poll(said), None, &knowing(5), NOW).err()
    };
    assert_eq!(failure(&[denied(), other()]), Some(Failure::Denied("a.example: not allowed".into())));
    assert_eq!(failure(&[other()]), Some(Failure::Other("a.example: too many open files".into())));
    assert_eq!(failure(&[denied(), hangs()]), None, "the other is to blame");
    assert_eq!(failure(&[hangs(), denied()]), None);
    assert!(matches!(failure(&[]), Some(Failure::Settings(_))));
    assert_eq!(failure(&[denied(), Ok(ip(5)), Ok(ip(5))]), None);
}

#[test]
fn an_expected_address_is_compared() {
    let fixed = settings(json!({"expect": "203.0.113.5"}));
    assert_eq!(judged(&fixed, &agreed(5), None, &knowing(5)).0.status, Status::Up);
    let (outcome, memory) = judged(&fixed, &agreed(9), None, &knowing(5));
    assert_eq!(gist(&outcome), (Status::Degraded, "the address is 203.0.113.9, expected 203.0.113.5"));
    assert!(outcome.notice.is_some(), "and that it changed is news all the same");
    assert_eq!(memory, knowing(9));
}

#[test]
fn a_name_that_follows_is_well() {
    let (outcome, memory) = judged(&with_dns(), &agreed(9), leads_to(9), &knowing(9));
    assert_eq!((gist(&outcome), metric(&outcome, "dns_stale_seconds")), ((Status::Up, "203.0.113.9"), None));
    assert_eq!(memory, knowing(9));
    let two = Some(Lookup::Addresses(vec![ip(1), ip(9)]));
    assert_eq!(judged(&with_dns(), &agreed(9), two, &knowing(9)).0.status, Status::Up);
}

#[test]
fn a_name_that_does_not_follow_is_told_with_its_time() {
    let at = |now_ms, memory: &Memory| {
        judge(&with_dns(), &agreed(9), leads_to(5), memory, now_ms).expect("there is a verdict")
    };
    let (first, memory) = at(NOW, &knowing(5));
    let text = "home.duckdns.org still leads to 203.0.113.5, the address is 203.0.113.9";
    assert_eq!(gist(&first), (Status::Degraded, text));
    assert_eq!((first.notice.is_some(), memory.stale_since_ms), (true, Some(NOW)));
    assert_eq!(metric(&first, "dns_stale_seconds"), Some(0.0));
    for (later, told) in [
        (MINUTE - 1, "less than a minute"),
        (MINUTE, "1 min"),
        (25 * MINUTE + 3_000, "25 min"),
        (125 * MINUTE, "2 h 5 min"),
        (-5 * MINUTE, "less than a minute"),
    ] {
        let (outcome, still) = at(NOW + later, &memory);
        assert_eq!(outcome.summary, format!("{text} (for {told})"));
        assert_eq!((outcome.notice, &still), (None, &memory), "the time of its beginning is kept");
    }
    let (well, memory) = judged(&with_dns(), &agreed(9), leads_to(9), &memory);
    assert_eq!((well.status, memory), (Status::Up, knowing(9)));
}

#[test]
fn a_name_that_never_led_here_is_not_still_so() {
    let told = |lookup| judged(&with_dns(), &agreed(9), Some(lookup), &knowing(9)).0.summary;
    let elsewhere = Lookup::Addresses(vec![ip(1), ip(2)]);
    assert_eq!(
        told(elsewhere),
        "home.duckdns.org leads to 203.0.113.1 and 203.0.113.2, the address is 203.0.113.9"
    );
    assert_eq!(told(Lookup::NoSuchName), "home.duckdns.org does not exist, the address is 203.0.113.9");
    assert_eq!(
        told(Lookup::Addresses(Vec::new())),
        "home.duckdns.org leads nowhere, the address is 203.0.113.9"
    );
}

#[test]
fn what_dns_does_not_tell_is_unknown_and_loses_no_news() {
    let stale = Memory { stale_since_ms: Some(NOW - MINUTE), ..knowing(5) };
    let failed = || Some(Lookup::Failed("no answer from 192.168.1.1 within 3 s".into()));
    let (outcome, memory) = judged(&with_dns(), &agreed(9), failed(), &stale);
    let doubt = "what home.duckdns.org leads to cannot be told: no answer from 192.168.1.1 within 3 s";
    assert_eq!(gist(&outcome), (Status::Unknown, &*format!("the address is 203.0.113.9, but {doubt}")));
    assert!(outcome.notice.is_some());
    assert_eq!(memory, Memory { address: Some(ip(9)), ..stale }, "and how long it has been stale");
    let fixed = settings(json!({"expect": "203.0.113.5", "expect_dns": "home.duckdns.org"}));
    let (outcome, _) = judged(&fixed, &agreed(9), failed(), &knowing(9));
    let text = format!("the address is 203.0.113.9, expected 203.0.113.5; {doubt}");
    assert_eq!(gist(&outcome), (Status::Degraded, &*text));
}

#[test]
fn answers_of_dns_are_read() {
    let record =
        |kind: &str, value: &str| Record { kind: kind.into(), value: value.into(), ..Record::default() };
    let answer = |code: &str, records: &[Record]| Answer {
        code: code.into(),
        records: records.to_vec(),
        server: "9.9.9.9:53".into(),
        ..Answer::default()
    };
    let aliased = [record("CNAME", "x.example"), record("A", "203.0.113.9"), record("AAAA", "2001:db8::1")];
    assert_eq!(resolved("A", &answer("NOERROR", &aliased)), Lookup::Addresses(vec![ip(9)]));
    assert_eq!(resolved("A", &answer("NOERROR", &[record("A", "what?")])), Lookup::Addresses(Vec::new()));
    assert_eq!(resolved("A", &answer("NXDOMAIN", &[])), Lookup::NoSuchName);
    assert_eq!(
        resolved("A", &answer("SERVFAIL", &[])),
        Lookup::Failed("the DNS server 9.9.9.9:53 answers SERVFAIL".into())
    );
}

#[test]
fn answers_of_echoes_are_read() {
    let response = |status, body: &str| Response { status, body: body.into(), ..Response::default() };
    assert_eq!(read(Ok(response(200, "203.0.113.9\n")), Family::Ipv4), Ok(ip(9)));
    assert_eq!(
        read(Ok(response(429, "203.0.113.9")), Family::Ipv4),
        Err(Failed::Useless("answers HTTP 429".into()))
    );
    assert_eq!(
        read(Err(Error::Refused("refused".into())), Family::Ipv4),
        Err(Failed::Unreachable("refused".into()))
    );
    assert_eq!(
        read(Err(Error::Other("no certificates".into())), Family::Ipv4),
        Err(Failed::Own(Failure::Other("no certificates".into())))
    );
}

fn run(connect: u64, read: u64) -> Run {
    Run {
        connect_timeout: Duration::from_secs(connect),
        read_timeout: Duration::from_secs(read),
        ..Run::default()
    }
}

#[test]
fn echoes_that_hang_leave_time_for_the_others() {
    for (connect, read) in [(3, 10), (20, 20), (60, 300), (0, 0), (u32::MAX.into(), u32::MAX.into())] {
        let run = run(connect, read);
        let all = Settings::default();
        let took: Duration = all
            .echoes
            .0
            .iter()
            .map(|echo| request(echo, &all, &run))
            .map(|request| request.connect_timeout + request.read_timeout)
            .sum();
        let deadline = Duration::from_secs(120).max(3 * (run.connect_timeout + run.read_timeout));
        let lookup = query(&with_dns(), &run).expect("there is a name").timeout;
        assert!(took + lookup <= deadline + Duration::from_millis(1), "{took:?}, {lookup:?}");
    }
    let asked = request(&Settings::default().echoes.0[0], &Settings::default(), &run(3, 10));
    assert_eq!(
        (asked.connect_timeout, asked.read_timeout),
        (Duration::from_secs(3), Duration::from_secs(10))
    );
    assert_eq!((asked.url.as_str(), asked.max_redirects), ("https://api.ipify.org", 0));
}

#[test]
fn the_question_to_dns_is_for_the_family() {
    let all = settings(
        json!({"expect_dns": "home.duckdns.org", "dns_server": "9.9.9.9", "family": "ipv6", "echoes": ["http://e.lan"]}),
    );
    let asked = query(&all, &run(3, 10)).expect("there is a name");
    assert_eq!((asked.kind.as_str(), asked.server.as_deref()), ("AAAA", Some("9.9.9.9")));
    assert_eq!((asked.name.as_str(), asked.timeout), ("home.duckdns.org", Duration::from_secs(10)));
    assert_eq!(query(&Settings::default(), &run(3, 10)), None);
}

#[test]
fn the_guide_has_every_metric_with_its_unit() {
    let stale = Memory { stale_since_ms: Some(NOW), ..knowing(5) };
    let (outcome, _) = judged(&with_dns(), &agreed(9), leads_to(5), &stale);
    let measured: BTreeSet<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let guide = include_str!("../../../../docs/checks/wan-ip.md");
    let told: BTreeSet<&str> = pihook_plugin::guide::column(guide, "Metric").into_iter().collect();
    assert_eq!(measured, told);
    for Metric { name, unit, .. } in &outcome.metrics {
        assert!(guide.contains(&format!("| `{name}` | {unit}")), "{name} in {unit}");
    }
}

proptest! {
    #[test]
    fn any_memory_and_any_clock_are_judged(now_ms in any::<i64>(), since in any::<Option<i64>>(), last in any::<u8>()) {
        let memory = Memory { stale_since_ms: since, ..knowing(last) };
        let (outcome, now) = judge(&with_dns(), &agreed(9), leads_to(5), &memory, now_ms).expect("a verdict");
        prop_assert_eq!(outcome.status, Status::Degraded);
        prop_assert_eq!(outcome.notice.is_some(), last != 9);
        prop_assert_eq!(now.stale_since_ms, Some(since.unwrap_or(now_ms)));
        prop_assert!(outcome.metrics.iter().all(|metric| metric.value.is_finite() && metric.value >= 0.0));
    }

    #[test]
    fn any_settings_and_answers_are_judged(votes in prop::collection::vec(any::<Option<u8>>(), 0..4), dns in 0_u8..4) {
        let said: Vec<_> = votes.into_iter().map(|vote| vote.map_or_else(hangs, |last| Ok(ip(last % 3)))).collect();
        let lookup = [Some(Lookup::NoSuchName), Some(Lookup::Failed("x".into())), leads_to(1), None];
        let poll = poll(&said);
        let lookup = lookup[usize::from(dns)].clone();
        if let Ok((outcome, now)) = judge(&with_dns(), &poll, lookup, &knowing(1), NOW) {
            prop_assert!(!outcome.summary.contains('\n') && outcome.summary.len() < 500);
            prop_assert_eq!(outcome.notice.is_some(), now.address != Some(ip(1)));
        }
    }
}
