//! The check `wan-ip`, from real echoes and a real DNS server to the message about a change.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::net::Ipv4Addr;

use serde_json::Value;

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use crate::discord::{FakeDiscord, Received};
use crate::dns::{DnsServer, Says};
use crate::oneshot::Home;
use crate::web::{Behaviour, WebServer};

/// Echoes that can be told what to say.
struct Echoes(Vec<WebServer>);

impl Echoes {
    /// So many, which all name this address of 203.0.113.0/24.
    async fn start(count: usize, last: u8) -> Self {
        let mut echoes = Vec::new();
        for _ in 0..count {
            echoes.push(WebServer::start(names(last)).await);
        }
        Self(echoes)
    }

    /// All of them name another from now on.
    async fn all_name(&self, last: u8) {
        for echo in &self.0 {
            echo.set(names(last)).await;
        }
    }

    fn urls(&self) -> String {
        urls(&self.0.iter().collect::<Vec<_>>())
    }
}

fn names(last: u8) -> Behaviour {
    Behaviour::ok(&format!("203.0.113.{last}\n"))
}

fn urls(echoes: &[&WebServer]) -> String {
    let quoted: Vec<_> = echoes.iter().map(|echo| format!("\"{}\"", echo.url("/ip"))).collect();
    format!("[{}]", quoted.join(", "))
}

fn service(name: &str, settings: &str) -> String {
    format!("  - {{ name: {name}, zone: external, check: wan-ip, settings: {{ {settings} }} }}\n")
}

fn home_service(echoes: &Echoes) -> [String; 1] {
    [service("Home", &format!("echoes: {}", echoes.urls()))]
}

/// Waits until the service was seen at this address.
async fn seen_at(daemon: &mut Daemon, last: u8) {
    let address = format!("203.0.113.{last}");
    daemon
        .until("the address to be seen", |daemon| {
            daemon.checks_of("Home").last().is_some_and(|check| check.summary == address)
        })
        .await;
}

fn change(message: &Received) -> &str {
    assert_eq!(message.title(), "🔵 news from Home");
    message.embeds[0]["description"].as_str().unwrap()
}

fn kinds(daemon: &Daemon) -> Vec<String> {
    daemon.alerts().into_iter().map(|alert| alert.kind).collect()
}

#[tokio::test]
async fn a_change_is_one_message_and_no_incident_over_restarts_too() {
    let discord = FakeDiscord::start().await;
    let echoes = Echoes::start(3, 5).await;
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &home_service(&echoes))).await;
    seen_at(&mut daemon, 5).await;
    daemon.further_checks("Home", 2).await;
    assert_eq!(discord.requests(), 0, "the first run only takes note");

    echoes.all_name(9).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(change(&messages[0]), "the public address changed from 203.0.113.5 to 203.0.113.9");
    assert!(messages[0].text().contains("Status: up"), "{}", messages[0].text());
    assert_eq!(messages[0].pings(), [""; 0]);
    daemon.further_checks("Home", 3).await;
    daemon.until("the delivery to be noted", |daemon| daemon.alerts()[0].state == "sent").await;
    daemon.stop().await;
    daemon.restart().await;
    daemon.further_checks("Home", 3).await;
    assert_eq!(discord.requests(), 1, "told is told");

    daemon.stop().await;
    echoes.all_name(7).await;
    daemon.restart().await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(change(&messages[1]), "the public address changed from 203.0.113.9 to 203.0.113.7");
    daemon.further_checks("Home", 2).await;
    assert_eq!(discord.requests(), 2);
    assert_eq!(kinds(&daemon), ["notice", "notice"]);
    assert_eq!(daemon.incidents(), []);
    assert!(daemon.checks_of("Home").iter().all(|check| check.status == "up"));
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_crash_at_any_moment_neither_loses_nor_doubles_the_news() {
    let discord = FakeDiscord::start().await;
    let echoes = Echoes::start(1, 1).await;
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &home_service(&echoes))).await;
    seen_at(&mut daemon, 1).await;
    for last in 2..=7 {
        let asked = echoes.0[0].requests();
        echoes.all_name(last).await;
        // It dies when the echo has been asked once more, be the answer judged, written, told or not.
        daemon.until("the echo to be asked", |_| echoes.0[0].requests() > asked).await;
        daemon.kill();
        daemon.restart().await;
        seen_at(&mut daemon, last).await;
    }
    daemon.further_checks("Home", 2).await;
    // A message may be doubled by a crash after it was sent; what is decided is not.
    assert_eq!(kinds(&daemon), ["notice"; 6]);
    discord.wait_for(6, PATIENCE).await;
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    let mut told: Vec<String> = discord.received().iter().map(|message| change(message).to_owned()).collect();
    told.dedup();
    let changes: Vec<String> = (2..=7)
        .map(|last| format!("the public address changed from 203.0.113.{} to 203.0.113.{last}", last - 1))
        .collect();
    assert_eq!(told, changes);
}

#[tokio::test]
async fn during_maintenance_the_newest_is_held_and_told_afterwards() {
    let discord = FakeDiscord::start().await;
    let echoes = Echoes::start(1, 5).await;
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &home_service(&echoes))).await;
    seen_at(&mut daemon, 5).await;
    daemon.flag("");
    daemon
        .until("the flag to be seen", |daemon| {
            daemon.checks_of("Home").last().is_some_and(|check| check.in_maintenance)
        })
        .await;
    for last in [6, 7] {
        echoes.all_name(last).await;
        seen_at(&mut daemon, last).await;
    }
    daemon.kill();
    daemon.restart().await;
    daemon.further_checks("Home", 2).await;
    assert_eq!((discord.requests(), kinds(&daemon)), (0, Vec::new()), "the flag silences all alerts");

    daemon.unflag();
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(
        change(&messages[0]),
        "the public address changed from 203.0.113.6 to 203.0.113.7. This was held back during maintenance."
    );
    daemon.further_checks("Home", 3).await;
    assert_eq!((discord.requests(), kinds(&daemon)), (1, vec!["notice".to_owned()]));
}

#[tokio::test]
async fn a_name_that_does_not_follow_is_an_incident_of_its_own() {
    let discord = FakeDiscord::start().await;
    let echoes = Echoes::start(1, 5).await;
    let dns = DnsServer::start(Says::Address(Ipv4Addr::new(203, 0, 113, 5))).await;
    let settings =
        format!("echoes: {}, expect_dns: home.duckdns.org, dns_server: \"{}\"", echoes.urls(), dns.address());
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &[service("Home", &settings)])).await;
    seen_at(&mut daemon, 5).await;

    echoes.all_name(9).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(change(&messages[0]), "the public address changed from 203.0.113.5 to 203.0.113.9");
    assert_eq!(messages[1].title(), "🟠 Home is degraded");
    let told = "home.duckdns.org still leads to 203.0.113.5, the address is 203.0.113.9";
    assert!(messages[1].text().contains(told), "{}", messages[1].text());
    let first = daemon.checks_of("Home").into_iter().find(|check| check.status == "degraded").unwrap();
    assert_eq!(first.summary, told);
    daemon.until("both to be noted", |daemon| daemon.alerts().iter().all(|it| it.state == "sent")).await;
    daemon.kill();
    daemon.restart().await;
    daemon.further_checks("Home", 1).await;
    let since = daemon.checks_of("Home").last().unwrap().summary.clone();
    assert!(since.starts_with(&format!("{told} (for ")), "{since}: it is known since when");

    dns.set(Says::Address(Ipv4Addr::new(203, 0, 113, 9)));
    let messages = discord.wait_for(3, PATIENCE).await;
    assert_eq!(messages[2].title(), "🟢 Home is up again");
    assert_eq!(kinds(&daemon), ["notice", "opened", "recovered"]);
}

/// The services with these settings, checked once: each status and summary by name.
async fn checked(services: &[(&str, String)], code: i32) -> Vec<Value> {
    let list: String = services.iter().map(|(name, settings)| service(name, settings)).collect();
    let home = Home::new(&format!(
        "defaults: {{ retries: 0, connect_timeout: 1s, read_timeout: 1s }}\n\
         zones: {{ external: {{}} }}\nservices:\n{list}"
    ))
    .await;
    let Value::Array(rows) = home.run(["check", "--json"]).await.ended(code).json() else {
        panic!("no list")
    };
    services
        .iter()
        .map(|(name, _)| rows.iter().find(|row| row["service"] == *name).unwrap().clone())
        .collect()
}

fn gist(row: &Value) -> (&str, &str) {
    (row["status"].as_str().unwrap(), row["summary"].as_str().unwrap())
}

fn metric(row: &Value, name: &str) -> Option<f64> {
    let metrics = row["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name)?["value"].as_f64()
}

#[tokio::test]
async fn the_majority_decides_whatever_a_few_say_or_do_not() {
    let [one, two, three] = [names(5), names(5), names(5)];
    let [one, two, three] =
        [WebServer::start(one).await, WebServer::start(two).await, WebServer::start(three).await];
    let liar = WebServer::start(names(66)).await;
    let json = WebServer::start(Behaviour::ok(r#"{"ip": "203.0.113.5", "country": "DE"}"#)).await;
    let silent = WebServer::start(Behaviour::Silent).await;
    let gone = WebServer::start(Behaviour::Refuse).await;
    let page = WebServer::start(Behaviour::ok("<html>Please log in</html>")).await;
    let inner = WebServer::start(Behaviour::ok("192.168.1.2")).await;
    let echoes = |list: &[&WebServer]| format!("echoes: {}", urls(list));
    let rows = checked(
        &[
            ("liar", echoes(&[&liar, &one, &json])),
            ("hanging", echoes(&[&silent, &one, &gone, &json])),
            ("lonely", echoes(&[&json])),
            ("portal", echoes(&[&page, &inner, &two, &three])),
            ("expected", format!("{}, expect: 203.0.113.5", echoes(&[&json]))),
        ],
        0,
    )
    .await;
    for row in &rows {
        assert_eq!(gist(row), ("up", "203.0.113.5"), "{row}");
    }
    let counted: Vec<_> =
        rows.iter().map(|row| (metric(row, "echoes_agreeing"), metric(row, "echoes_failed"))).collect();
    assert_eq!(counted[..2], [(Some(2.0), Some(0.0)), (Some(2.0), Some(2.0))]);

    let at = |server: &WebServer| server.address().to_string();
    let rows = checked(
        &[
            ("torn", echoes(&[&one, &liar])),
            ("alone", echoes(&[&page, &one])),
            ("out", echoes(&[&gone, &silent])),
            ("portal", echoes(&[&page, &inner])),
            ("other", format!("{}, expect: 203.0.113.9", echoes(&[&json]))),
        ],
        1,
    )
    .await;
    let torn = format!("the echoes disagree: 203.0.113.5 ({}), 203.0.113.66 ({})", at(&one), at(&liar));
    assert_eq!(gist(&rows[0]), ("degraded", &*torn));
    let alone = format!(
        "only {} names an address, 203.0.113.5; {} answers \"<html>Please log in</html>\" instead of an address",
        at(&one),
        at(&page)
    );
    assert_eq!(gist(&rows[1]), ("unknown", &*alone));
    let (status, out) = gist(&rows[2]);
    assert!(status == "down" && out.starts_with(&format!("no way out: {}: ", at(&gone))), "{out}");
    assert!(out.contains(&format!("; {}: ", at(&silent))), "{out}");
    let (status, portal) = gist(&rows[3]);
    assert!(status == "down" && portal.starts_with("no echo names the address: "), "{portal}");
    assert!(portal.ends_with("answers with 192.168.1.2, which is no public address"), "{portal}");
    assert_eq!(gist(&rows[4]), ("degraded", "the address is 203.0.113.5, expected 203.0.113.9"));
}

#[tokio::test]
async fn nobody_is_asked_without_need() {
    let echoes = Echoes::start(4, 5).await;
    let rows = checked(&[("Home", format!("echoes: {}", echoes.urls()))], 0).await;
    assert_eq!(metric(&rows[0], "echoes_agreeing"), Some(3.0));
    let asked: Vec<_> = echoes.0.iter().map(WebServer::requests).collect();
    assert_eq!(asked, [1, 1, 1, 0]);
}

#[tokio::test]
async fn what_dns_says_is_told() {
    let echoes = Echoes::start(1, 5).await;
    let servers = [
        DnsServer::start(Says::Address(Ipv4Addr::new(203, 0, 113, 5))).await,
        DnsServer::start(Says::Address(Ipv4Addr::new(203, 0, 113, 4))).await,
        DnsServer::start(Says::NoSuchName).await,
        DnsServer::start(Says::Failure).await,
    ];
    let settings: Vec<String> = servers
        .iter()
        .map(|server| {
            let (echoes, at) = (echoes.urls(), server.address());
            format!("echoes: {echoes}, expect_dns: home.duckdns.org, dns_server: \"{at}\"")
        })
        .collect();
    let names = ["well", "stale", "none", "failing"];
    let services: Vec<_> = names.into_iter().zip(settings).collect();
    let rows = checked(&services, 1).await;
    assert_eq!(gist(&rows[0]), ("up", "203.0.113.5"));
    let stale = "home.duckdns.org leads to 203.0.113.4, the address is 203.0.113.5";
    assert_eq!(gist(&rows[1]), ("degraded", stale));
    assert_eq!(metric(&rows[1], "dns_stale_seconds"), Some(0.0));
    let none = "home.duckdns.org does not exist, the address is 203.0.113.5";
    assert_eq!(gist(&rows[2]), ("degraded", none));
    let failing = format!(
        "the address is 203.0.113.5, but what home.duckdns.org leads to cannot be told: \
         the DNS server {} answers SERVFAIL",
        servers[3].address()
    );
    assert_eq!(gist(&rows[3]), ("unknown", &*failing));
}
