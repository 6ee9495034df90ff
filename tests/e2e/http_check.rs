//! `pihook check --json` against real servers, good and bad: what it says, and how it says it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::oneshot::{Home, run};
use crate::web::{Authority, Behaviour, Identity, Show, WebServer};

/// A service and what is to be seen of it.
struct Case {
    name: &'static str,
    service: Value,
    status: &'static str,
    /// The whole text, or `one | another`; a `*` stands for anything.
    summary: String,
}

/// A service with these keys; `settings` makes it `check: http`.
fn case(name: &'static str, service: Value, status: &'static str, summary: impl Into<String>) -> Case {
    Case { name, service, status, summary: summary.into() }
}

/// A service that is nothing but an address.
fn page(name: &'static str, url: String, status: &'static str, summary: impl Into<String>) -> Case {
    case(name, json!({ "url": url }), status, summary)
}

/// A service with these settings of the http check.
fn with(name: &'static str, settings: Value, status: &'static str, summary: impl Into<String>) -> Case {
    case(name, json!({ "check": "http", "settings": settings }), status, summary)
}

/// Checks all of them in one run, without retries and with little patience unless they say otherwise. Every difference
/// is told at once.
async fn check(cases: Vec<Case>) -> BTreeMap<String, Value> {
    check_with(cases, &[]).await
}

async fn check_with(cases: Vec<Case>, environment: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let services: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut service = json!({ "name": case.name });
            service.as_object_mut().unwrap().extend(case.service.as_object().unwrap().clone());
            service
        })
        .collect();
    let defaults = json!({ "retries": 0, "connect_timeout": "1s", "read_timeout": "700ms" });
    // JSON is YAML too.
    let home = Home::new(&json!({ "defaults": defaults, "services": services }).to_string()).await;
    let mut command = home.command(["check", "--json"]);
    let ran = run(command.envs(environment.iter().copied())).await;
    let rows = ran.json();
    let rows = rows.as_array().unwrap();

    let differences: Vec<String> = cases
        .iter()
        .zip(rows)
        .filter(|(case, row)| row["status"] != case.status || !fits(&row["summary"], &case.summary))
        .map(|(case, row)| {
            let wanted = format!("{} {:?}", case.status, case.summary);
            format!("{}: wanted {wanted}, saw {} {}", case.name, row["status"], row["summary"])
        })
        .collect();
    assert!(differences.is_empty() && rows.len() == cases.len(), "{differences:#?}\n{}", ran.stderr);
    let worst = |status| cases.iter().any(|case| case.status == status);
    let code = match () {
        () if worst("down") || worst("degraded") => 1,
        () if worst("unknown") => 2,
        () => 0,
    };
    assert_eq!(ran.code, code, "{}", ran.stdout);
    rows.iter().map(|row| (row["service"].as_str().unwrap().to_owned(), row.clone())).collect()
}

/// Whether the text is as expected. More than one can be right: a connection that is closed while something still comes
/// is closed to one end and reset to the other.
fn fits(text: &Value, expected: &str) -> bool {
    expected.split(" | ").any(|pattern| fits_pattern(text.as_str().unwrap(), pattern))
}

/// Whether the text has the pattern's parts in their order.
fn fits_pattern(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    for (index, part) in pattern.split('*').enumerate() {
        match rest.find(part) {
            Some(at) if index > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || pattern.ends_with('*')
}

/// The names of a row's metrics.
fn metrics(row: &Value) -> Vec<&str> {
    row["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].as_str().unwrap()).collect()
}

fn metric(row: &Value, name: &str) -> f64 {
    let metrics = row["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
}

#[tokio::test]
async fn answers() {
    let ok = WebServer::start(Behaviour::ok("hello")).await;
    let empty = WebServer::start(Behaviour::status(204)).await;
    let missing = WebServer::start(Behaviour::status(404)).await;
    let broken = WebServer::start(Behaviour::status(500)).await;
    let moved = WebServer::start(Behaviour::redirect(302, &ok.url("/elsewhere"))).await;
    let circle = WebServer::start(Behaviour::RedirectLoop).await;
    let rows = check(vec![
        page("200", ok.url("/"), "up", "HTTP 200"),
        page("by name", ok.named_url("/"), "up", "HTTP 200"),
        page("204", empty.url("/"), "up", "HTTP 204"),
        page("404", missing.url("/"), "down", "HTTP 404, expected below 400"),
        page("500", broken.url("/"), "down", "HTTP 500, expected below 400"),
        page("moved", moved.url("/"), "up", "HTTP 200"),
        page("circle", circle.url("/"), "down", "more than 10 redirects"),
        with("not followed", json!({ "url": circle.url("/"), "redirects": 0 }), "up", "HTTP 301"),
        with(
            "two at most",
            json!({ "url": circle.url("/"), "redirects": 2 }),
            "down",
            "more than 2 redirects",
        ),
    ])
    .await;

    let row = &rows["200"];
    assert_eq!((&row["zone"], &row["check"], &row["attempts"]), (&json!("local"), &json!("http"), &json!(1)));
    assert_eq!(metrics(row), ["connect_ms", "first_byte_ms", "total_ms", "body_bytes"]);
    assert_eq!(row["response_ms"], metric(row, "total_ms"));
    assert_eq!(metric(row, "body_bytes"), 5.0);
    assert_eq!(metrics(&rows["by name"])[0], "dns_ms");
    assert_eq!(metrics(&rows["500"]), metrics(row), "a bad answer is measured like a good one");
    assert_eq!((&rows["circle"]["response_ms"], &rows["circle"]["metrics"]), (&Value::Null, &json!([])));
    assert_eq!(rows["200"]["metrics"][0]["unit"], "ms");
    assert_eq!(ok.seen().iter().filter(|seen| seen.target == "/elsewhere").count(), 1);
    // Eleven requests, one and three; each over a connection of its own.
    assert_eq!((circle.requests(), circle.connections()), (15, 15));
}

#[tokio::test]
async fn servers_that_fail() {
    let start = WebServer::start;
    let (refused, closed, reset) =
        (start(Behaviour::Refuse).await, start(Behaviour::Close).await, start(Behaviour::Reset).await);
    let (hang, silent) = (start(Behaviour::Hang).await, start(Behaviour::Silent).await);
    let (slow_head, trickle, stall) =
        (start(Behaviour::SlowHead).await, start(Behaviour::Trickle).await, start(Behaviour::Stall).await);
    let (cut, endless) = (start(Behaviour::Cut).await, start(Behaviour::Endless).await);
    let (garbage, banner, bomb) =
        (start(Behaviour::Garbage).await, start(Behaviour::Banner).await, start(Behaviour::HeaderBomb).await);
    let nowhere = start(Behaviour::redirect(302, "http://")).await;
    let at = |server: &WebServer| server.address();
    let late = "no answer within 700 ms (read timeout)";
    let incomplete =
        |server| format!("the answer of {} was not complete within 700 ms (read timeout)", at(server));
    let rows = check(vec![
        page("refused", refused.url("/"), "down", format!("connection refused by {}", at(&refused))),
        page(
            "closed",
            closed.url("/"),
            "down",
            format!("{0} closed the connection without an answer | {0} reset *", at(&closed)),
        ),
        page("reset", reset.url("/"), "down", "*reset*"),
        page("hang", hang.url("/"), "down", late),
        page("silent", silent.url("/"), "down", late),
        page("slow head", slow_head.url("/"), "down", late),
        page("trickle", trickle.url("/"), "down", incomplete(&trickle)),
        page("stall", stall.url("/"), "down", incomplete(&stall)),
        page("cut", cut.url("/"), "down", format!("{} closed the connection within the answer", at(&cut))),
        page("endless", endless.url("/"), "up", "HTTP 200"),
        page("garbage", garbage.url("/"), "down", format!("what {} sent is not HTTP", at(&garbage))),
        page("banner", banner.url("/"), "down", format!("what {} sent is not HTTP*", at(&banner))),
        page(
            "bomb",
            bomb.url("/"),
            "down",
            format!("the answer of {} has more headers than 64 KiB or 100", at(&bomb)),
        ),
        page("nowhere", nowhere.url("/"), "down", "the redirect (302) has a Location that is no address"),
        page("no name", "http://name.invalid/".to_owned(), "down", "the name name.invalid does not resolve*"),
    ])
    .await;
    for (name, row) in &rows {
        assert_eq!(row["attempts"], 1, "{name}");
        assert_eq!(row["response_ms"].is_null(), name != "endless", "{name}");
    }
    assert_eq!(
        metric(&rows["endless"], "body_bytes"),
        f64::from(256 * 1024),
        "and no more than that is kept"
    );
}

/// What a check over TLS measures where no name is resolved.
const OVER_TLS: [&str; 7] = [
    "connect_ms",
    "tls_ms",
    "first_byte_ms",
    "total_ms",
    "body_bytes",
    "certificate_days_left",
    "certificate_not_after_seconds",
];

#[tokio::test]
async fn over_tls() {
    let authority = Authority::new();
    let home = Home::bare();
    home.write("ca.pem", authority.pem());
    let (ca, absent) = (home.join("ca.pem"), home.join("absent.pem"));
    let self_signed = Identity::self_signed();
    home.write("own.pem", self_signed.pem());
    let ok = || Behaviour::ok("hello");
    let start = async |show| WebServer::start_tls(&authority.issue(show), ok()).await;
    let (valid, wrong) = (start(Show::Valid).await, start(Show::WrongName).await);
    let (expired, early) = (start(Show::Expired).await, start(Show::NotYetValid).await);
    let own = WebServer::start_tls(&self_signed, ok()).await;
    let h2 = WebServer::start_h2(&authority.issue(Show::Valid), ok()).await;
    let hang = WebServer::start_tls(&self_signed, Behaviour::Hang).await;
    let close = WebServer::start_tls(&self_signed, Behaviour::Close).await;
    let plain = WebServer::start(Behaviour::Banner).await;
    let trusting = |server: &WebServer| json!({ "url": server.url("/"), "ca_file": ca });
    let lenient = |server: &WebServer| json!({ "url": server.url("/"), "verify": false });
    let tls_at = |server: &WebServer| server.url("/").replace("http:", "https:");
    let not_trusted = "the certificate's issuer is not trusted: *PiHook test authority*";
    let not_own = "the certificate is self-signed (*) and not trusted";
    let ended = "the certificate expired * days ago (2001-01-01)";
    let other = "the certificate is not for 127.0.0.1 but for other.example, 192.0.2.7";
    let rows = check(vec![
        with("ca_file", trusting(&valid), "up", "HTTP 200"),
        with("ca_file, by name", json!({ "url": valid.named_url("/"), "ca_file": ca }), "up", "HTTP 200"),
        page("unknown issuer", valid.url("/"), "down", not_trusted),
        with("unknown issuer, no matter", lenient(&valid), "up", "HTTP 200"),
        page("self-signed", own.url("/"), "down", not_own),
        with("self-signed, no matter", lenient(&own), "up", "HTTP 200"),
        with(
            "self-signed, as ca_file",
            json!({ "url": own.url("/"), "ca_file": home.join("own.pem") }),
            "up",
            "HTTP 200",
        ),
        with("wrong name", trusting(&wrong), "down", other),
        with("wrong name, no matter", lenient(&wrong), "up", "HTTP 200"),
        with("expired", trusting(&expired), "down", ended),
        with("expired, no matter", lenient(&expired), "up", "HTTP 200"),
        with(
            "expired, no matter but looked at",
            json!({ "url": expired.url("/"), "verify": false, "expect": { "certificate_valid_for": "1d" } }),
            "down",
            format!("HTTP 200, but {ended}"),
        ),
        with("early", trusting(&early), "down", "the certificate is not valid before 2090-01-01 00:00 UTC"),
        with("http/2", trusting(&h2), "up", "HTTP 200"),
        with(
            "hang",
            lenient(&hang),
            "down",
            format!("no TLS handshake with {} within 1 s (connect timeout)", hang.address()),
        ),
        with(
            "close",
            lenient(&close),
            "down",
            format!("{0} closed the connection within the TLS handshake | the TLS handshake with {0} failed: *reset", close.address()),
        ),
        page(
            "no TLS",
            tls_at(&plain),
            "down",
            format!("{} does not speak TLS on this port", plain.address()),
        ),
        with(
            "no ca_file",
            json!({ "url": valid.url("/"), "ca_file": absent }),
            "unknown",
            format!("*the ca_file {} cannot be used: *", absent.display()),
        ),
    ])
    .await;
    let row = &rows["ca_file"];
    assert_eq!(metrics(row), OVER_TLS);
    assert!(metric(row, "certificate_days_left") > 20_000.0);
    assert!(metric(&rows["expired, no matter"], "certificate_days_left") < -9_000.0);
    assert_eq!(metrics(&rows["http/2"]), OVER_TLS);
    assert!(h2.seen()[0].header(":authority").is_some(), "that is what HTTP/2 has in place of `host`");
}

#[tokio::test]
async fn ipv6() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("this machine has no IPv6: not tested");
        return;
    }
    let ok = WebServer::start_on("[::1]:0", Behaviour::ok("hello")).await;
    let refused = WebServer::start_on("[::1]:0", Behaviour::Refuse).await;
    let rows = check(vec![
        page("ok", ok.url("/"), "up", "HTTP 200"),
        page("refused", refused.url("/"), "down", format!("connection refused by {}", refused.address())),
    ])
    .await;
    assert!(metric(&rows["ok"], "connect_ms") > 0.0);
    assert_eq!(ok.seen()[0].header("host"), Some(ok.address().to_string().as_str()));
}

/// The settings of a check that expects something.
fn expect(server: &WebServer, expect: Value) -> Value {
    json!({ "url": server.url("/"), "expect": expect })
}

#[tokio::test]
async fn the_answer_is_as_expected_or_down() {
    let json = WebServer::start(Behaviour::ok(r#"{"status": "pass", "queue": [{"size": 3}]}"#)).await;
    let text = WebServer::start(Behaviour::ok("pass")).await;
    let teapot = WebServer::start(Behaviour::status(418)).await;
    let endless = WebServer::start(Behaviour::Endless).await;
    check(vec![
        with("status", expect(&teapot, json!({ "status": "200-299,418" })), "up", "HTTP 418"),
        with("other status", expect(&json, json!({ "status": 204 })), "down", "HTTP 200, expected 204"),
        with(
            "other range",
            expect(&teapot, json!({ "status": "200-299" })),
            "down",
            "HTTP 418, expected 200-299",
        ),
        with("contains", expect(&json, json!({ "body_contains": "pass" })), "up", "HTTP 200"),
        with(
            "lacks",
            expect(&json, json!({ "body_contains": "PASS" })),
            "down",
            "HTTP 200, but the body lacks \"PASS\"",
        ),
        with(
            "contains what it must not",
            expect(&json, json!({ "body_not_contains": "pass" })),
            "down",
            "HTTP 200, but the body contains \"pass\"",
        ),
        with("matches", expect(&json, json!({ "body_matches": r"(?i)PASS.*\d" })), "up", "HTTP 200"),
        with(
            "does not match",
            expect(&json, json!({ "body_matches": "^fail" })),
            "down",
            "HTTP 200, but the body does not match \"^fail\"",
        ),
        with(
            "json",
            expect(&json, json!({ "json": { "/status": "pass", "/queue/0/size": 3.0 } })),
            "up",
            "HTTP 200",
        ),
        with(
            "other json",
            expect(&json, json!({ "json": { "/queue/0/size": 0, "/nowhere": true } })),
            "down",
            "HTTP 200, but /nowhere is missing, expected true and /queue/0/size is 3, expected 0",
        ),
        with(
            "no json",
            expect(&text, json!({ "json": { "/status": "pass" } })),
            "down",
            "HTTP 200, but the body is no JSON: *",
        ),
        with(
            "beyond what is kept",
            expect(&endless, json!({ "body_contains": "y" })),
            "down",
            "HTTP 200, but the body lacks \"y\" (only its first 256 KiB were looked at)",
        ),
        with(
            "two faults",
            expect(&json, json!({ "body_contains": "fine", "body_not_contains": "pass" })),
            "down",
            "HTTP 200, but the body lacks \"fine\" and the body contains \"pass\"",
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_is_in_time_and_its_certificate_lasts_or_it_is_degraded() {
    let plain = WebServer::start(Behaviour::ok("hello")).await;
    let slow = WebServer::start(Behaviour::ok("late").after(Duration::from_millis(120))).await;
    let authority = Authority::new();
    let home = Home::bare();
    home.write("ca.pem", authority.pem());
    let tls = WebServer::start_tls(&authority.issue(Show::Valid), Behaviour::ok("hello")).await;
    let lasting = |time: &str| {
        let mut settings = expect(&tls, json!({ "certificate_valid_for": time }));
        settings["ca_file"] = json!(home.join("ca.pem"));
        settings
    };
    check(vec![
        with("fast enough", expect(&slow, json!({ "max_response_time": "30s" })), "up", "HTTP 200"),
        with(
            "too slow",
            expect(&slow, json!({ "max_response_time": "100ms" })),
            "degraded",
            "HTTP 200 in * ms, slower than 100 ms",
        ),
        with("certificate", lasting("14d"), "up", "HTTP 200"),
        with(
            "certificate for too short",
            lasting("36500d"),
            "degraded",
            "the certificate expires in * days (2100-01-01), wanted at least 36500 d",
        ),
        with(
            "no certificate",
            expect(&plain, json!({ "certificate_valid_for": "1d" })),
            "degraded",
            "the answer came without TLS, so there is no certificate to be valid",
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_sent() {
    let (plain, secret) = (WebServer::start(Behaviour::Echo).await, WebServer::start(Behaviour::Echo).await);
    let foreign = WebServer::start(Behaviour::Echo).await;
    let astray = WebServer::start(Behaviour::redirect(302, &foreign.url("/"))).await;
    let telltale = WebServer::start(Behaviour::ok(r#""t0p-secret""#)).await;
    let environment = [("USER_PASSWORD", "hunter2"), ("TOKEN", "t0p-secret")];
    let cases = vec![
        with(
            "post",
            json!({ "url": plain.url("/submit?a=b"), "method": "post", "headers": { "X-Api-Key": "k" }, "body": "content",
                    "expect": { "body_contains": "x-api-key: k" } }),
            "up",
            "HTTP 200",
        ),
        with(
            "basic",
            json!({ "url": secret.url("/basic"), "auth": { "basic": { "user": "me", "password": "${USER_PASSWORD}" } } }),
            "up",
            "HTTP 200",
        ),
        with(
            "bearer",
            json!({ "url": secret.url("/bearer"), "auth": { "bearer": "${TOKEN}" } }),
            "up",
            "HTTP 200",
        ),
        with("in the path", json!({ "url": secret.url("/${TOKEN}") }), "up", "HTTP 200"),
        with(
            "in the answer",
            json!({ "url": telltale.url("/${TOKEN}"), "expect": { "json": { "": "none" } } }),
            "down",
            "HTTP 200, but the document is \"***\", expected \"none\"",
        ),
        with("astray", json!({ "url": astray.url("/"), "auth": { "bearer": "${TOKEN}" } }), "up", "HTTP 200"),
    ];
    let rows = check_with(cases, &environment).await;
    let shown = format!("{rows:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("t0p-secret"), "{shown}");

    let post = &plain.seen()[0];
    assert_eq!((post.method.as_str(), post.target.as_str()), ("POST", "/submit?a=b"));
    assert_eq!(post.body, b"content");
    assert!(post.header("user-agent").is_some_and(|agent| agent.starts_with("pihook/")), "{post:?}");
    let authorization = |server: &WebServer, target: &str| {
        let seen = server.seen();
        let request = seen.iter().find(|seen| seen.target == target).unwrap();
        request.header("authorization").map(str::to_owned)
    };
    // `me:hunter2` in base64.
    assert_eq!(authorization(&secret, "/basic").as_deref(), Some("Basic bWU6aHVudGVyMg=="));
    assert_eq!(authorization(&secret, "/bearer").as_deref(), Some("Bearer t0p-secret"));
    assert_eq!(authorization(&secret, "/t0p-secret"), None);
    assert_eq!(authorization(&astray, "/").as_deref(), Some("Bearer t0p-secret"));
    assert_eq!(authorization(&foreign, "/"), None, "a secret goes to the service's own host alone");
}

#[tokio::test]
async fn retries_are_attempts() {
    let refused = WebServer::start(Behaviour::Refuse).await;
    let broken = WebServer::start(Behaviour::status(503)).await;
    let slow = WebServer::start(Behaviour::ok("").after(Duration::from_millis(50))).await;
    let rogue = WebServer::start(Behaviour::ok("")).await;
    let flaky = FailsFirst::start(2).await;
    let retried = |name, url: String, retries: u32, status, summary: &str| {
        case(name, json!({ "url": url, "retries": retries }), status, summary)
    };
    let doubtful = json!({ "check": "http", "retries": 3, "settings": { "url": slow.url("/"), "expect": { "max_response_time": "1ms" } } });
    let rows = check(vec![
        retried("refused", refused.url("/"), 3, "down", "connection refused by *"),
        retried("broken", broken.url("/"), 1, "down", "HTTP 503, expected below 400"),
        retried("flaky", flaky.url.clone(), 2, "up", "HTTP 200"),
        case("slow", doubtful, "degraded", "HTTP 200 in * ms, slower than 1 ms"),
        retried("good", rogue.url("/"), 10, "up", "HTTP 200"),
    ])
    .await;
    let attempts = |name: &str| rows[name]["attempts"].as_u64().unwrap();
    assert_eq!([attempts("refused"), attempts("broken"), attempts("flaky")], [4, 2, 3]);
    assert_eq!((broken.requests(), flaky.requests()), (2, 3), "no more requests than attempts are told");
    assert_eq!([attempts("slow"), attempts("good")], [1, 1], "only being down is tried again");
}

/// Says 500 so many times, and then 200.
struct FailsFirst {
    url: String,
    seen: tokio::sync::watch::Receiver<usize>,
    server: tokio::task::JoinHandle<()>,
}

impl FailsFirst {
    async fn start(failures: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (count, seen) = tokio::sync::watch::channel(0);
        let answer = move || {
            count.send_modify(|count| *count += 1);
            let status = if *count.borrow() > failures { 200 } else { 500 };
            async move { axum::http::StatusCode::from_u16(status).unwrap() }
        };
        let router = axum::Router::new().route("/", axum::routing::get(answer));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, server }
    }

    fn requests(&self) -> usize {
        *self.seen.borrow()
    }
}

impl Drop for FailsFirst {
    fn drop(&mut self) {
        self.server.abort();
    }
}
