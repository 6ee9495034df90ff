//! What is secret reaches whom it is for, and is seen nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use super::dashboard;
use crate::discord::{Answer, FakeDiscord, TOKEN};
use crate::web::{Behaviour, Seen, WebServer};

const BEARER: &str = "bearer-Qk7-must-not-be-seen";
const PASSWORD: &str = "password-Zx9-must-not-be-seen";
const HEADER: &str = "header-Lm3-must-not-be-seen";
const QUERY: &str = "query-Vw5-must-not-be-seen";
/// `watcher:` and the password, as they travel.
const BASIC: &str = "d2F0Y2hlcjpwYXNzd29yZC1aeDktbXVzdC1ub3QtYmUtc2Vlbg==";

/// A service that gets a secret and answers with what it got, where its check looks and fails on it.
struct Indiscreet {
    name: &'static str,
    /// As services.yaml has it.
    settings: &'static str,
    /// What the service must get.
    got: fn(&Seen) -> bool,
    server: WebServer,
}

impl Indiscreet {
    async fn start(name: &'static str, settings: &'static str, answer: &str, got: fn(&Seen) -> bool) -> Self {
        let server = WebServer::start(Behaviour::ok(&format!("{{ \"echo\": \"{answer}\" }}"))).await;
        Self { name, settings, got, server }
    }

    async fn all() -> [Self; 4] {
        [
            Self::start("bearer", "url: \"URL/\", auth: { bearer: \"${BEARER}\" }", BEARER, |seen| {
                seen.header("authorization") == Some(&*format!("Bearer {BEARER}"))
            })
            .await,
            Self::start(
                "basic",
                "url: \"URL/\", auth: { basic: { user: watcher, password: \"${file:password}\" } }",
                &format!("{PASSWORD} {BASIC}"),
                |seen| seen.header("authorization") == Some(&*format!("Basic {BASIC}")),
            )
            .await,
            Self::start(
                "header",
                "url: \"URL/\", method: POST, headers: { X-Key: \"${HEADER}\" }, body: \"key=${HEADER}\"",
                HEADER,
                |seen| {
                    seen.header("x-key") == Some(HEADER) && seen.body == format!("key={HEADER}").into_bytes()
                },
            )
            .await,
            Self::start("query", "url: \"URL/?key=${QUERY}\"", QUERY, |seen| {
                seen.target == format!("/?key={QUERY}")
            })
            .await,
        ]
    }

    fn line(&self) -> String {
        let settings = self.settings.replace("URL", self.server.url("").trim_end_matches('/'));
        let expect = "expect: { json: { /echo: nothing } }";
        format!("  - {{ name: {}, check: http, settings: {{ {settings}, {expect} }} }}\n", self.name)
    }
}

/// A daemon with secrets and a page.
async fn start(discord: &FakeDiscord, services: &[Indiscreet], arguments: &[&'static str]) -> Daemon {
    let lines: Vec<_> = services.iter().map(Indiscreet::line).collect();
    let config = config("${WEBHOOK}", LADDER, &lines);
    let mut daemon =
        Daemon::prepare(&config.replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }"));
    std::fs::write(daemon.path("password"), PASSWORD).unwrap();
    let url = discord.url();
    for (name, value) in [
        ("WEBHOOK", &*url),
        ("BEARER", BEARER),
        ("HEADER", HEADER),
        ("QUERY", QUERY),
        ("PIHOOK_LOG", "trace"),
    ] {
        daemon.environment(name, value);
    }
    for argument in arguments {
        daemon.argument(argument);
    }
    daemon.restart().await;
    daemon
}

/// Takes a daemon through outages, failed and refused deliveries, and looks for secrets wherever they must not be.
async fn nothing_is_seen(arguments: &[&'static str]) {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::ServerError, Answer::Echo, Answer::Echo, Answer::Close, Answer::Ok]);
    let services = Indiscreet::all().await;
    let mut daemon = start(&discord, &services, arguments).await;
    // Of four alerts one is refused, and the others are sent.
    discord.wait_for(3, PATIENCE).await;
    for service in &services {
        assert!(
            service.server.seen().iter().all(service.got),
            "{}: {:?}",
            service.name,
            service.server.seen()
        );
        let checks = daemon.checks_of(service.name);
        assert!(checks.iter().all(|check| check.summary.contains("***")), "{checks:?}");
    }

    let mut printed = Vec::new();
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["check"],
        &["check", "--json"],
        &["alert", "test"],
        &["validate"],
    ] {
        let output = daemon.pihook(command).await;
        printed.extend([output.stdout, output.stderr].concat());
    }
    let pages = dashboard::every_page(&mut daemon).await;
    assert!(pages.contains("bearer"), "the pages have the services: {pages}");
    services[0].server.set(Behaviour::Echo).await;
    services[1].server.set(Behaviour::redirect(302, &format!("/{PASSWORD}"))).await;
    services[2].server.set(Behaviour::Garbage).await;
    services[3].server.set(Behaviour::Refuse).await;
    daemon.further_checks("query", 2).await;
    daemon.stop().await;

    let messages: String = discord.received().iter().map(|message| message.body.to_string()).collect();
    for (place, bytes) in [
        ("the log", daemon.log().into_bytes()),
        ("the database", daemon.database_bytes()),
        ("what commands print", printed),
        ("the pages", pages.into_bytes()),
        ("messages", messages.into_bytes()),
    ] {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.is_empty(), "{place} is empty");
        for secret in [TOKEN, BEARER, PASSWORD, HEADER, QUERY, BASIC] {
            assert!(!text.contains(secret), "{secret} is in {place}: {}", around(&text, secret));
        }
    }
}

/// The text before and after a secret, to tell where it came from.
fn around(text: &str, secret: &str) -> String {
    let (before, after) = text.split_once(secret).unwrap_or_default();
    let before: String = before.chars().skip(before.chars().count().saturating_sub(200)).collect();
    format!("{before}{secret}{}", after.chars().take(200).collect::<String>())
}

#[tokio::test]
async fn secrets_are_not_seen() {
    nothing_is_seen(&[]).await;
}

#[tokio::test]
async fn secrets_are_not_seen_in_json_either() {
    nothing_is_seen(&["--log-format", "json"]).await;
}
