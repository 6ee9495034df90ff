use std::time::Duration;

use pihook_plugin::http::Timings;
use pihook_plugin::settings::read;
use pihook_plugin::{Metric, Status};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// 2026-11-22 12:00 UTC.
const NOW: i64 = 1_795_348_800_000;
const DAY: i64 = 86_400_000;

fn settings(rest: Value) -> Settings {
    let mut all = json!({"url": "https://git.lan/"});
    if let (Some(all), Value::Object(rest)) = (all.as_object_mut(), rest) {
        all.extend(rest);
    }
    read(&all.to_string()).expect("the settings are good")
}

fn answer(status: u16, body: &str) -> Response {
    Response {
        status,
        version: "HTTP/1.1".into(),
        body: body.as_bytes().to_vec(),
        timings: Timings {
            dns_ms: Some(1.0),
            connect_ms: 2.0,
            tls_ms: Some(3.0),
            first_byte_ms: 4.0,
            total_ms: 10.5,
        },
        certificate: Some(Certificate { not_after_ms: NOW + 90 * DAY, ..Certificate::default() }),
        ..Response::default()
    }
}

fn judged(expect: Value, response: Response) -> Outcome {
    judge(&settings(json!({"expect": expect})).expect, Ok(response), NOW).expect("an answer is judged")
}

#[track_caller]
fn assert_verdict(expect: Value, response: Response, status: Status, summary: &str) {
    let outcome = judged(expect, response);
    assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
}

#[test]
fn settings_become_a_request() {
    let run = Run {
        connect_timeout: Duration::from_secs(3),
        read_timeout: Duration::from_secs(10),
        ..Run::default()
    };
    let plain = request(&settings(json!({})), &run);
    assert_eq!(plain, Request::get("https://git.lan/", &run));
    let rich = request(
        &settings(
            json!({"method": "post", "headers": {"A": "1", "B": "${secret:0}"}, "body": "x", "verify": false,
            "auth": {"basic": {"user": "u", "password": "${secret:1}"}}, "ca_file": "/ca.pem", "redirects": 0}),
        ),
        &run,
    );
    assert_eq!((rich.method.as_str(), rich.verify, rich.max_redirects), ("POST", false, 0));
    assert_eq!(rich.headers, [("A".into(), "1".into()), ("B".into(), "${secret:0}".into())]);
    assert_eq!((rich.body, rich.ca_file.as_deref()), (Some(b"x".to_vec()), Some("/ca.pem")));
    let basic = Credentials::Basic { user: "u".into(), password: "${secret:1}".into() };
    assert_eq!(rich.credentials, Some(basic));
    let bearer = request(&settings(json!({"auth": {"bearer": "${secret:2}"}})), &run);
    assert_eq!(bearer.credentials, Some(Credentials::Bearer("${secret:2}".into())));
    assert_eq!(
        (bearer.connect_timeout, bearer.read_timeout),
        (Duration::from_secs(3), Duration::from_secs(10))
    );
}

#[test]
fn without_expectations_a_status_below_400_is_up() {
    for (status, expected, summary) in [
        (200, Status::Up, "HTTP 200"),
        (204, Status::Up, "HTTP 204"),
        (301, Status::Up, "HTTP 301"),
        (399, Status::Up, "HTTP 399"),
        (400, Status::Down, "HTTP 400, expected below 400"),
        (404, Status::Down, "HTTP 404, expected below 400"),
        (503, Status::Down, "HTTP 503, expected below 400"),
    ] {
        assert_verdict(json!({}), answer(status, ""), expected, summary);
    }
}

#[test]
fn the_expected_status_decides() {
    assert_verdict(json!({"status": "200-299"}), answer(301, ""), Status::Down, "HTTP 301, expected 200-299");
    assert_verdict(json!({"status": "200,204"}), answer(204, ""), Status::Up, "HTTP 204");
    assert_verdict(json!({"status": 401}), answer(401, ""), Status::Up, "HTTP 401");
    let both = json!({"status": 200, "body_contains": "ok"});
    assert_verdict(both, answer(500, "error"), Status::Down, "HTTP 500, expected 200");
}

#[test]
fn the_body_decides() {
    let expect = json!({"body_contains": "ok", "body_not_contains": "error", "body_matches": "^[a-z ]+$"});
    assert_verdict(expect.clone(), answer(200, "all is ok"), Status::Up, "HTTP 200");
    assert_verdict(
        expect.clone(),
        answer(200, "an error"),
        Status::Down,
        "HTTP 200, but the body lacks \"ok\" and the body contains \"error\"",
    );
    assert_verdict(
        expect,
        answer(200, "OK 7 ok"),
        Status::Down,
        "HTTP 200, but the body does not match \"^[a-z ]+$\"",
    );
}

#[test]
fn a_truncated_body_is_owned_up_to() {
    let cut = |body: &str| Response { body_truncated: true, ..answer(200, body) };
    let big = "x".repeat(256 * 1024);
    assert_verdict(
        json!({"body_contains": "ok"}),
        cut(&big),
        Status::Down,
        "HTTP 200, but the body lacks \"ok\" (only its first 256 KiB were looked at)",
    );
    assert_verdict(json!({"body_contains": "x"}), cut(&big), Status::Up, "HTTP 200");
    assert_verdict(
        json!({"body_matches": "^y"}),
        cut("xxx"),
        Status::Down,
        "HTTP 200, but the body does not match \"^y\" (only its first 3 bytes were looked at)",
    );
    let outcome = judged(json!({"json": {"/a": 1}}), cut("{\"a\": 1, "));
    assert!(outcome.summary.ends_with("(only its first 9 bytes were looked at)"), "{}", outcome.summary);
}

#[test]
fn a_json_value_decides() {
    let body =
        r#"{"status": "pass", "checks": [{"n": 1}, {"n": 2.0}], "none": null, "big": 9007199254740993}"#;
    for pointers in [
        json!({"/status": "pass"}),
        json!({"/checks/1/n": 2}),
        json!({"/checks": [{"n": 1.0}, {"n": 2}]}),
        json!({"/none": null, "/big": 9_007_199_254_740_993_u64}),
    ] {
        assert_verdict(json!({"json": pointers}), answer(200, body), Status::Up, "HTTP 200");
    }
    for (pointers, fault) in [
        (json!({"/status": "fail"}), "/status is \"pass\", expected \"fail\""),
        (json!({"/nowhere/0": true}), "/nowhere/0 is missing, expected true"),
        (json!({"/big": 9_007_199_254_740_992_u64}), "/big is 9007199254740993, expected 9007199254740992"),
        (json!({"/checks/0": {"n": 1, "m": 2}}), "/checks/0 is {\"n\":1}, expected {\"m\":2,\"n\":1}"),
    ] {
        assert_verdict(
            json!({"json": pointers}),
            answer(200, body),
            Status::Down,
            &format!("HTTP 200, but {fault}"),
        );
    }
    assert_verdict(
        json!({"json": {"": []}}),
        answer(200, "7"),
        Status::Down,
        "HTTP 200, but the document is 7, expected []",
    );
    let outcome = judged(json!({"json": {"/a": 1}}), answer(200, "<html>"));
    assert!(outcome.summary.starts_with("HTTP 200, but the body is no JSON: "), "{}", outcome.summary);
}

#[test]
fn a_slow_answer_is_degraded() {
    let slow = |total_ms| {
        let mut response = answer(200, "");
        response.timings.total_ms = total_ms;
        response
    };
    let expect = json!({"max_response_time": "2s"});
    assert_verdict(expect.clone(), slow(2000.0), Status::Up, "HTTP 200");
    assert_verdict(expect.clone(), slow(3240.0), Status::Degraded, "HTTP 200 in 3.2 s, slower than 2 s");
    assert_verdict(expect, slow(2000.4), Status::Degraded, "HTTP 200 in 2001 ms, slower than 2000 ms");
}

#[test]
fn a_certificate_is_judged_only_if_asked_for() {
    let until = |not_after_ms| Response {
        certificate: Some(Certificate { not_after_ms, ..Certificate::default() }),
        ..answer(200, "")
    };
    let expect = json!({"certificate_valid_for": "14d"});
    assert_verdict(expect.clone(), until(NOW + 14 * DAY), Status::Up, "HTTP 200");
    assert_verdict(
        expect.clone(),
        until(NOW + 6 * DAY),
        Status::Degraded,
        "the certificate expires in 6 days (2026-11-28), wanted at least 14 d",
    );
    assert_verdict(
        expect.clone(),
        until(NOW - 3 * DAY),
        Status::Down,
        "HTTP 200, but the certificate expired 3 days ago (2026-11-19)",
    );
    assert_verdict(json!({}), until(NOW - 3 * DAY), Status::Up, "HTTP 200");
    assert_verdict(
        expect,
        Response { certificate: None, ..answer(200, "") },
        Status::Degraded,
        "the answer came without TLS, so there is no certificate to be valid",
    );
}

#[test]
fn several_doubts_are_all_told() {
    let mut response = answer(200, "");
    response.timings.total_ms = 5000.0;
    response.certificate = Some(Certificate { not_after_ms: NOW + DAY, ..Certificate::default() });
    assert_verdict(
        json!({"max_response_time": "1s", "certificate_valid_for": "2d"}),
        response,
        Status::Degraded,
        "HTTP 200 in 5 s, slower than 1 s; the certificate expires in 1 day (2026-11-23), wanted at least 2 d",
    );
}

#[test]
fn measurements_go_with_every_answer() {
    for status in [200, 500] {
        let outcome = judged(json!({}), answer(status, "abc"));
        assert_eq!(outcome.response_ms, Some(10.5));
        let metrics: Vec<(&str, f64, &str)> = outcome
            .metrics
            .iter()
            .map(|Metric { name, value, unit }| (name.as_str(), *value, unit.as_str()))
            .collect();
        assert_eq!(
            metrics,
            [
                ("dns_ms", 1.0, "ms"),
                ("connect_ms", 2.0, "ms"),
                ("tls_ms", 3.0, "ms"),
                ("first_byte_ms", 4.0, "ms"),
                ("total_ms", 10.5, "ms"),
                ("body_bytes", 3.0, "bytes"),
                ("certificate_days_left", 90.0, "days"),
                ("certificate_not_after_seconds", ((NOW + 90 * DAY) / 1000) as f64, "seconds"),
            ]
        );
    }
    let mut plain = answer(200, "");
    (plain.timings.dns_ms, plain.timings.tls_ms, plain.certificate) = (None, None, None);
    let names: Vec<String> = judged(json!({}), plain).metrics.into_iter().map(|metric| metric.name).collect();
    assert_eq!(names, ["connect_ms", "first_byte_ms", "total_ms", "body_bytes"]);
}

#[test]
fn without_an_answer_it_is_down_or_nobody_knows() {
    let expect = Expect::default();
    let judged = |error| judge(&expect, Err(error), NOW);
    let refused = "connection refused by 192.168.1.10:8096";
    assert_eq!(judged(Error::Refused(refused.into())), Ok(Outcome::down(refused)));
    assert_eq!(judged(Error::Denied("no grant".into())), Err(Failure::Denied("no grant".into())));
    assert_eq!(
        judged(Error::CertificateExpired { since_ms: Some(NOW - DAY) }),
        Ok(Outcome::down("the certificate expired 1 day ago (2026-11-21)"))
    );
    assert_eq!(
        judged(Error::CertificateExpired { since_ms: None }),
        Ok(Outcome::down("the certificate has expired"))
    );
}

fn any_response() -> impl Strategy<Value = Response> {
    let timings = (any::<Option<f64>>(), any::<f64>(), any::<Option<f64>>(), any::<f64>(), any::<f64>());
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        r#"[\[\]{}:,"0-9a-z\\]{0,60}"#.prop_map(String::into_bytes)
    ];
    (any::<u16>(), body, any::<bool>(), timings, any::<Option<i64>>()).prop_map(
        |(status, body, cut, timings, until)| {
            let (dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms) = timings;
            Response {
                status,
                body,
                body_truncated: cut,
                timings: Timings { dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms },
                certificate: until.map(|not_after_ms| Certificate { not_after_ms, ..Certificate::default() }),
                ..Response::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn any_answer_is_judged(response in any_response(), now in any::<i64>(), wanted in any::<String>()) {
        let expect = settings(json!({"expect": {
            "body_contains": format!("a{wanted}"), "body_not_contains": "b", "body_matches": "[a-z]+$",
            "json": {"/a": wanted, "": {}}, "max_response_time": "1s", "certificate_valid_for": "14d"
        }})).expect;
        for expect in [expect, Expect::default()] {
            let outcome = judge(&expect, Ok(response.clone()), now).expect("an answer is judged");
            prop_assert!(outcome.summary.starts_with("HTTP ") || outcome.summary.starts_with("the "));
            prop_assert!(!outcome.summary.contains('\n'));
        }
    }
}
