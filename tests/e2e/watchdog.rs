//! Signs of life to a dead man's switch elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use rusqlite::Connection;

use super::daemon::{Daemon, LADDER, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

#[tokio::test]
async fn signs_of_life_are_given_only_while_results_reach_the_disk() {
    let discord = FakeDiscord::start().await;
    let (switch, server) =
        (WebServer::start(Behaviour::ok("")).await, WebServer::start(Behaviour::ok("")).await);
    let watchdog = format!("watchdog: {{ url: \"{}\", interval: 10s }}\n", switch.url("/ping/geheim"));
    let services = [service("NAS", &server.url("/"))];
    let mut daemon = Daemon::start(&(watchdog + &config(&discord.url(), LADDER, &services))).await;
    daemon.until("a sign of life", |_| switch.requests() >= 1).await;

    let lock = Connection::open(daemon.path("data/pihook.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.until("silence", |daemon| daemon.log().contains("the watchdog gets no sign of life")).await;
    let before = switch.requests();
    lock.execute_batch("ROLLBACK").unwrap();
    daemon.until("signs of life again", |_| switch.requests() > before).await;
    daemon.until("the word of it", |daemon| daemon.log().contains("signs of life again")).await;

    switch.set(Behaviour::status(500)).await;
    daemon.until("the other side's trouble", |daemon| daemon.log().contains("HTTP 500")).await;
    assert_eq!(daemon.log().matches("HTTP 500").count(), 1);
    assert!(!daemon.log().contains("geheim"), "the address is a secret");
}
