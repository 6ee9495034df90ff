//! What PiHook watches of itself.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use super::daemon::{Daemon, LADDER, PATIENCE, config, rogue, rogue_plugin, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

#[tokio::test]
async fn a_plugin_that_breaks_again_and_again_is_left_alone_and_told_of_once() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    // Nobody is told of the services themselves here.
    let ladder = LADDER.replace("after: 3", "after: 1000");
    let with = |act| {
        let services = [rogue("Rogue", act), service("NAS", &server.url("/"))];
        rogue_plugin() + &config(&discord.url(), &ladder, &services)
    };
    let mut daemon = Daemon::start(&with("trap")).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(messages[0].title(), "🔴 PiHook's plugin rogue-check is down");
    assert!(messages[0].text().contains("quarantined until"), "{}", messages[0].text());
    let left_alone = |daemon: &Daemon| {
        daemon.checks_of("Rogue").last().is_some_and(|check| check.summary.contains(" is quarantined until "))
    };
    daemon.until("it to be left alone", left_alone).await;

    daemon.kill();
    daemon.restart().await;
    daemon.until("a check after the restart", |daemon| !left_alone(daemon)).await;
    daemon.until("it to be left alone again", left_alone).await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(discord.requests(), 1, "it is the same incident");

    daemon.configure(&with("count"));
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "🟢 PiHook's plugin rogue-check is up again");
    daemon.until("it to be run again", |daemon| daemon.count("Rogue", "up") >= 2).await;
    assert_eq!(discord.requests(), 2);
}
