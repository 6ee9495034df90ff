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

fn starts(daemon: &Daemon) -> Vec<String> {
    let told = daemon.alerts().into_iter().filter(|alert| alert.service == "PiHook");
    told.map(|alert| alert.kind).collect()
}

/// Whether nothing is left to tell of the newest start.
fn start_is_settled(daemon: &Daemon) -> bool {
    daemon.kept_keys("pihook:daemon").is_empty()
}

#[tokio::test]
async fn a_start_after_a_crash_is_told_once_with_what_has_changed() {
    let discord = FakeDiscord::start().await;
    let (nas, gitea) = (WebServer::start(Behaviour::ok("")).await, WebServer::start(Behaviour::Refuse).await);
    // Nobody is told of the services themselves here.
    let ladder = LADDER.replace("after: 3", "after: 1000");
    let with = |services: &[String]| config(&discord.url(), &ladder, services).replace("never", "problems");
    let [one, two] = [service("NAS", &nas.url("/")), service("Gitea", &gitea.url("/"))];
    let mut daemon = Daemon::start(&with(&[one.clone(), two.clone()])).await;
    daemon.until("checks", |daemon| daemon.count("NAS", "up") > 1 && daemon.count("Gitea", "down") > 1).await;
    assert_eq!(starts(&daemon), [""; 0], "the first start is no absence");

    daemon.kill();
    nas.set(Behaviour::status(500)).await;
    gitea.set(Behaviour::ok("")).await;
    daemon.configure(&with(&[one.clone(), two.clone(), service("New", &gitea.url("/"))]));
    daemon.restart().await;
    let messages = discord.wait_for(1, PATIENCE).await;
    let text = messages[0].text();
    for part in
        ["PiHook was away for up to ", "orderly way", "Not well now: NAS.", "Well again: Gitea.", "New: New."]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    daemon.further_checks("NAS", 2).await;
    assert!(start_is_settled(&daemon), "it went with the notice");

    daemon.stop().await;
    daemon.restart().await;
    daemon.until("the start to be settled", start_is_settled).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!(starts(&daemon), ["notice"], "a short pause in an orderly way is worth no word");
    assert_eq!(discord.requests(), 1);
}

#[tokio::test]
async fn a_long_absence_is_told_and_a_clock_that_is_behind_is_said_to_be() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text =
        config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]).replace("never", "problems");
    let mut daemon = Daemon::start(&text).await;
    for (count, hours, expected) in [
        (1, -2, "PiHook was away for 2 h. All services are as they were."),
        (2, 3, "cannot be told for how long: the clock is "),
    ] {
        daemon.further_checks("NAS", 1).await;
        daemon.until("the start to be settled", start_is_settled).await;
        daemon.stop().await;
        daemon.shift_history(hours * 3_600_000);
        daemon.restart().await;
        let messages = discord.wait_for(count, PATIENCE).await;
        let told = messages[count - 1].text();
        assert!(told.contains(expected), "{told}");
    }
    daemon.until("the start to be settled", start_is_settled).await;
    assert_eq!(starts(&daemon), ["notice", "notice"]);
}
