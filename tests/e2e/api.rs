//! What programs are told, and how they mute alerts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use super::daemon::{Daemon, LADDER, PATIENCE, config, in_zone, service};
use super::dashboard::address;
use crate::browser::Browser;
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

/// Two services, of which the second is down; the dashboard has these keys beside `listen`.
async fn stage(
    dashboard: &str,
    arguments: &[(&'static str, &str)],
) -> (Daemon, Browser, FakeDiscord, WebServer, WebServer) {
    let discord = FakeDiscord::start().await;
    let good = WebServer::start(Behaviour::ok("")).await;
    let bad = WebServer::start(Behaviour::Refuse).await;
    let services = [service("NAS", &good.url("/?key=${KEY}")), in_zone("external", "Web", &bad.url("/"))];
    let text = config(&discord.url(), LADDER, &services);
    let listen = format!("dashboard: {{ listen: \"127.0.0.1:0\"{dashboard} }}");
    let mut daemon = Daemon::prepare(&text.replace("dashboard: off", &listen));
    daemon.environment("KEY", "hidden-Ty6-must-not-be-seen");
    for (name, value) in arguments {
        daemon.environment(name, value);
    }
    daemon.spawn();
    let address = address(&mut daemon).await;
    (daemon, Browser::new(&address), discord, good, bad)
}

fn items(answer: &Value) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

/// All that a list has, page by page.
async fn all(browser: &mut Browser, path: &str, limit: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = browser.get(&format!("/api/v1/{path}?limit={limit}{cursor}")).await.json();
        assert!(items(&page).len() <= limit);
        found.extend(items(&page).iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn everything_that_is_known_is_told_page_by_page_and_without_secrets() {
    let (mut daemon, mut browser, _discord, _good, _bad) = stage("", &[]).await;
    daemon.further_checks("NAS", 5).await;
    daemon.until("the alert", |daemon| daemon.alerts().iter().any(|alert| alert.state == "sent")).await;

    let services = browser.get("/api/v1/services").await.json();
    let names: Vec<_> = items(&services).iter().map(|it| (it["id"].clone(), it["status"].clone())).collect();
    assert_eq!(names, [(json!("nas"), json!("up")), (json!("web"), json!("down"))]);
    let down = browser.get("/api/v1/services?status=down&zone=external").await.json();
    assert_eq!((items(&down).len(), &down["next"]), (1, &Value::Null));
    assert!(items(&down)[0]["last"]["summary"].as_str().unwrap().starts_with("connection refused"));
    assert_eq!(all(&mut browser, "services", 1).await.len(), 2);

    let nas = browser.get("/api/v1/services/nas").await.json();
    assert_eq!(
        (&nas["check"], &nas["confirmed"], &nas["uptime"]["day_percent"]),
        (&json!("http"), &json!("up"), &json!(100.0))
    );
    assert!(nas["settings"]["url"].as_str().unwrap().ends_with("/?key=***"), "{nas}");

    let logged = daemon.checks_of("NAS").len();
    let checks = all(&mut browser, "services/nas/checks", 2).await;
    assert!(checks.len() >= logged, "{} of {logged}", checks.len());
    let at: Vec<_> = checks.iter().map(|check| check["at"].as_str().unwrap().to_owned()).collect();
    assert!(at.windows(2).all(|pair| pair[0] > pair[1]), "the newest first, each once: {at:?}");

    let incidents = browser.get("/api/v1/incidents?state=open&service=web").await.json();
    assert_eq!(items(&incidents).len(), 1);
    assert_eq!(
        (&items(&incidents)[0]["status"], &items(&incidents)[0]["closed"]),
        (&json!("down"), &Value::Null)
    );
    assert!(items(&browser.get("/api/v1/incidents?state=closed").await.json()).is_empty());
    let deliveries = browser.get("/api/v1/deliveries?state=sent&sink=discord").await.json();
    let delivery = &items(&deliveries)[0];
    assert_eq!(
        (&delivery["event"], &delivery["service"], &delivery["incident"]),
        (&json!("opened"), &json!("Web"), &items(&incidents)[0]["id"])
    );
    let summary = browser.get("/api/v1/summary?days=1").await.json();
    assert_eq!((&summary["now"]["down"], items(&summary).len()), (&json!(1), 2));

    for path in [
        "services",
        "services/nas",
        "services/nas/checks",
        "incidents",
        "deliveries",
        "maintenance",
        "summary",
        "openapi.json",
    ] {
        let answer = browser.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        for secret in ["hidden-Ty6", "webhooks/"] {
            assert!(!answer.body.contains(secret), "{path}: {}", answer.body);
        }
    }
    daemon.stop().await;
}

/// Schemathesis asks all that the description allows, and all that it does not, for a while.
#[tokio::test]
async fn the_api_is_as_its_description_says() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/schemathesis/bin/schemathesis");
    let tool = tool.canonicalize().expect("`./build.sh test` installs schemathesis");
    let auth = ", auth: { user: admin, password: \"${API_PASSWORD}\" }";
    let (mut daemon, browser, _discord, _good, _bad) = stage(auth, &[("API_PASSWORD", "right")]).await;
    daemon.until("the alert", |daemon| daemon.alerts().iter().any(|alert| alert.state == "sent")).await;
    let document = format!("http://{}/api/v1/openapi.json", browser.host);
    let run = Command::new(tool)
        .args([
            "run",
            &document,
            "--auth",
            "admin:right",
            "--checks",
            "all",
            "--seed",
            "1",
            "--max-time",
            "20",
        ])
        .args(["--request-timeout", "30", "--generation-database", "none", "--no-color"])
        .current_dir(daemon.path("data"))
        .kill_on_drop(true)
        .output();
    let run = timeout(3 * PATIENCE, run).await.expect("it does not end").unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("Tested: 11"), "{said}");
    assert!(!said.contains("WARNINGS"), "{said}");
    daemon.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_as_json() {
    let (mut daemon, mut browser, ..) = stage("", &[("X", "")]).await;
    for (path, status, code) in [
        ("services?limit=0", 400, "invalid_request"),
        ("services?limit=501", 400, "invalid_request"),
        ("services?statu=down", 400, "invalid_request"),
        ("services?status=fine", 400, "invalid_request"),
        ("services/nobody", 404, "not_found"),
        ("services/nobody/checks", 404, "not_found"),
        ("services/nas/checks?cursor=x", 400, "invalid_request"),
        ("summary?days=400", 400, "invalid_request"),
        ("incidents?cursor=-1", 400, "invalid_request"),
        ("nothing", 404, "not_found"),
    ] {
        let answer = browser.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (status, &json!(code)), "{path}");
        assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty(), "{path}");
    }
    let answer = browser.send("POST", "/api/v1/services", "{}").await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (405, &json!("method_not_allowed")));
    assert!(answer.header("allow").unwrap().contains("GET"));
    for (kind, body, status) in [
        ("text/plain", "{}".to_owned(), 415),
        ("application/json", "{".to_owned(), 400),
        ("application/json", "{\"fro_seconds\": 1}".to_owned(), 400),
        ("application/json", "{\"for_seconds\": 0}".to_owned(), 400),
        ("application/json", "{\"services\": [\"nobody\"]}".to_owned(), 404),
        ("application/json", format!("{{\"reason\": \"{}\"}}", "x".repeat(70_000)), 413),
    ] {
        let answer = browser.ask("PUT", "/api/v1/maintenance", &[("Content-Type", kind)], &body).await;
        assert_eq!(answer.status, status, "{body:.40}");
    }
    assert!(!daemon.path("data/maintenance.flag").exists());
    daemon.stop().await;
}

#[tokio::test]
async fn maintenance_begins_and_ends_by_api_and_by_the_pages_form() {
    let (mut daemon, mut browser, ..) = stage("", &[]).await;
    daemon.further_checks("NAS", 1).await;
    let body = json!({ "for_seconds": 3600, "services": ["nas"], "reason": "disk swap" });
    let muted = browser.send("PUT", "/api/v1/maintenance", &body.to_string()).await.json();
    assert_eq!((&muted["active"], &muted["ongoing"][0]["services"]), (&json!(true), &json!(["nas"])));
    let flag = std::fs::read_to_string(daemon.path("data/maintenance.flag")).unwrap();
    assert!(flag.contains("disk swap") && flag.contains("nas") && flag.contains("until:"), "{flag}");
    daemon
        .until("muted checks", |daemon| daemon.checks_of("NAS").iter().any(|check| check.in_maintenance))
        .await;
    assert_eq!(browser.get("/api/v1/services/nas").await.json()["in_maintenance"], json!(true));
    assert_eq!(browser.get("/api/v1/services/web").await.json()["in_maintenance"], json!(false));
    let ended = browser.send("DELETE", "/api/v1/maintenance", "").await.json();
    assert_eq!(ended["active"], json!(false));
    assert!(!daemon.path("data/maintenance.flag").exists());

    let page = browser.get("/").await.body;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("token={token}&for=1800&zone=external&reason=new+router&do=begin");
    let answer = browser.submit("/maintenance", &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("./")), "{}", answer.body);
    let state = browser.get("/api/v1/maintenance").await.json();
    assert_eq!(state["ongoing"][0]["zones"], json!(["external"]));
    assert_eq!(state["ongoing"][0]["reason"], json!("new router"));
    assert_eq!(browser.submit("/maintenance", "token=wrong&do=end").await.status, 403);
    assert!(daemon.path("data/maintenance.flag").exists());
    assert_eq!(browser.submit("/maintenance", &format!("token={token}&do=end")).await.status, 303);
    assert!(!daemon.path("data/maintenance.flag").exists());
    daemon.stop().await;
}

#[tokio::test]
async fn other_pages_and_other_names_are_refused() {
    let (mut daemon, mut browser, ..) = stage(", hosts: [pi.example]", &[]).await;
    let set = |headers: Vec<(&'static str, &'static str)>| {
        let mut headers = headers;
        headers.push(("Content-Type", "application/json"));
        headers
    };
    for wrong in [
        vec![("Origin", "http://evil.example")],
        vec![("Origin", "null")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
        vec![("Cookie", "pihook_session=x")],
        vec![("X-Forwarded-For", "10.0.0.7")],
    ] {
        let answer = browser.ask("PUT", "/api/v1/maintenance", &set(wrong.clone()), "{}").await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &json!("forbidden")), "{wrong:?}");
    }
    assert!(!daemon.path("data/maintenance.flag").exists());
    let right = set(vec![("Sec-Fetch-Site", "same-origin")]);
    assert_eq!(browser.ask("PUT", "/api/v1/maintenance", &right, "{}").await.status, 200);

    browser.host = "evil.example".into();
    let answer = browser.get("/").await;
    assert_eq!(answer.status, 421);
    assert!(answer.body.contains("dashboard: { hosts: [NAME] }"), "{}", answer.body);
    assert_eq!(browser.get("/api/v1/services").await.json()["error"]["code"], json!("misdirected_request"));
    assert_eq!(browser.get("/healthz").await.status, 200);
    for name in ["pi.example", "PI.example:8420", "localhost", "[::1]:80"] {
        browser.host = name.into();
        assert_eq!(browser.get("/").await.status, 200, "{name}");
    }
    browser.host = "localhost".into();
    let huge = "x".repeat(40_000);
    assert_eq!(browser.ask("GET", "/", &[("X-Huge", &huge)], "").await.status, 431);
    daemon.stop().await;
}

#[tokio::test]
async fn an_incident_that_somebody_sees_to_is_told_of_once_more_when_it_is_over() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let ladder = "[{ after: 1, severity: critical, repeat: 1s }]";
    let text = config(&discord.url(), ladder, &[service("NAS", &server.url("/"))]);
    let text = text.replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }");
    let mut daemon = Daemon::start(&text).await;
    let mut browser = Browser::new(&address(&mut daemon).await);
    let told = |daemon: &Daemon| daemon.alerts().len();
    daemon.until("a reminder", |daemon| told(daemon) >= 2).await;
    let open = browser.get("/api/v1/incidents?state=open").await.json();
    let id = items(&open)[0]["id"].as_u64().unwrap();
    let path = format!("/api/v1/incidents/{id}/acknowledgement");
    assert_eq!(browser.send("POST", &path, "").await.json(), json!({ "id": id }));
    // It is on disk when it is answered.
    daemon.kill();
    let before = told(&daemon);
    let status = daemon.pihook(&["status"]).await;
    assert!(String::from_utf8(status.stdout).unwrap().contains("failed checks, acknowledged: "));
    daemon.restart().await;
    let mut browser = Browser::new(&address(&mut daemon).await);
    daemon.further_checks("NAS", 4).await;
    assert_eq!(told(&daemon), before, "no reminder");
    assert!(browser.get("/").await.body.contains("acknowledged"));
    assert_eq!(browser.send("POST", &path, "").await.status, 200, "twice is once");
    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery", |daemon| told(daemon) == before + 1).await;
    assert_eq!(daemon.alerts().last().unwrap().kind, "recovered");
    let over = browser.get("/api/v1/incidents?state=closed").await.json();
    assert!(items(&over)[0]["acknowledged"].is_string(), "{over}");
    for wrong in [&*path, "/api/v1/incidents/99/acknowledgement"] {
        assert_eq!(browser.send("POST", wrong, "").await.status, 404, "{wrong}");
    }
    assert_eq!(browser.send("POST", "/api/v1/incidents/x/acknowledgement", "").await.status, 400);
    let other = [("Origin", "http://evil.example")];
    assert_eq!(browser.ask("POST", &path, &other, "").await.status, 403);
    daemon.stop().await;
}
