//! From an alert to the provider, whatever the provider does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use futures_util::future::join_all;
use serde_json::Value;

use super::daemon::{Alert, Daemon, LADDER, PATIENCE, config, service};
use crate::discord::{Answer, FakeDiscord, TOKEN};
use crate::web::{Behaviour, WebServer};

/// Two services that fail one after the other and recover in reverse order while Discord gives these answers, the last
/// of which should take a message. Gives back the alerts in their order.
async fn all_arrive_in_order(answers: &[Answer]) -> Vec<Alert> {
    let discord = FakeDiscord::start().await;
    discord.script(answers.iter().copied());
    let (first, second) =
        (WebServer::start(Behaviour::Refuse).await, WebServer::start(Behaviour::ok("")).await);
    let services = [service("First", &first.url("/")), service("Second", &second.url("/"))];
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &services)).await;
    daemon.until("the first alert", |daemon| daemon.alerts().len() == 1).await;
    second.set(Behaviour::Refuse).await;
    daemon.until("the second alert", |daemon| daemon.alerts().len() == 2).await;
    second.set(Behaviour::ok("")).await;
    daemon.until("the third alert", |daemon| daemon.alerts().len() == 3).await;
    first.set(Behaviour::ok("")).await;

    let messages = discord.wait_for(4, PATIENCE).await;
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks("First", 2).await;
    let titles: Vec<_> = discord.received().iter().map(|message| message.title().to_owned()).collect();
    assert_eq!(titles.len(), 4, "{titles:?}");
    for (title, wording) in
        titles.iter().zip(["First is down", "Second is down", "Second is up again", "First is up again"])
    {
        assert!(title.contains(wording), "{titles:?}");
    }
    assert!(messages.iter().all(|message| message.query.contains("wait=true")));
    assert_eq!(discord.violations(), [""; 0]);
    let alerts = daemon.alerts();
    let secret = format!("{}{}", daemon.log(), String::from_utf8_lossy(&daemon.database_bytes()));
    assert!(!secret.contains(TOKEN), "the webhook's token is in the log or the database");
    alerts
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let alerts =
        all_arrive_in_order(&[Answer::RateLimited(1.5), Answer::RateLimitedByProxy(1), Answer::Ok]).await;
    assert!(alerts.iter().all(|alert| alert.attempts == 1), "waiting as told is no failure: {alerts:?}");
}

#[tokio::test]
async fn server_errors_and_cut_connections_are_tried_again() {
    let alerts =
        all_arrive_in_order(&[Answer::ServerError, Answer::Close, Answer::Status(502), Answer::Ok]).await;
    assert_eq!(alerts[0].attempts, 4, "{alerts:?}");
}

#[tokio::test]
async fn silence_is_given_up_and_tried_again() {
    let alerts = all_arrive_in_order(&[Answer::Hang, Answer::Ok]).await;
    assert_eq!(alerts[0].attempts, 2, "{alerts:?}");
}

#[tokio::test]
async fn what_only_looks_dead_is_tried_again() {
    let alerts =
        all_arrive_in_order(&[Answer::Foreign(404), Answer::Blocked, Answer::Foreign(403), Answer::Ok]).await;
    assert_eq!(alerts[0].attempts, 4, "{alerts:?}");
}

#[tokio::test]
async fn what_is_too_large_goes_out_in_plain_words() {
    all_arrive_in_order(&[Answer::Status(413), Answer::Ok]).await;
    all_arrive_in_order(&[Answer::Status(422), Answer::Ok]).await;
}

/// Discord refuses everything for a while, and then gets all of it once and in order.
async fn is_disabled(answer: Answer) {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    discord.script([answer]);
    let text = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&text).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["discord"]).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!(discord.requests(), 1, "{answer:?}: it is left alone");
    server.set(Behaviour::ok("")).await;
    daemon.until("the end", |daemon| daemon.alerts().len() == 2).await;
    daemon.stop().await;
    discord.script([Answer::Ok]);
    daemon.restart().await;
    daemon.until("both to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks("NAS", 2).await;
    let titles: Vec<_> = discord.received().iter().map(|message| message.title().to_owned()).collect();
    assert_eq!(titles, ["🔴 NAS is down", "🟢 NAS is up again"], "{answer:?}");
    assert!(daemon.disabled_sinks().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn discord_is_disabled_by_each_of_its_dead_ends() {
    let answers = [
        Answer::Unauthorized,
        Answer::Forbidden,
        Answer::NotFound,
        Answer::NoThread,
        Answer::Status(302),
        Answer::Status(405),
    ];
    join_all(answers.map(is_disabled)).await;
}

#[tokio::test]
async fn an_answer_without_content_is_taken_for_yes() {
    let alerts = all_arrive_in_order(&[Answer::NoContent]).await;
    assert!(alerts.iter().all(|alert| alert.attempts == 1), "{alerts:?}");
}

#[tokio::test]
async fn a_refused_message_goes_out_in_plain_words() {
    all_arrive_in_order(&[Answer::BadRequest, Answer::Ok]).await;
    all_arrive_in_order(&[Answer::NoEmbeds]).await;
}

#[tokio::test]
async fn a_discord_that_is_not_there_is_waited_for() {
    let discord = FakeDiscord::start().await;
    let address = discord.url();
    drop(discord);
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = Daemon::start(&config(&address, LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.until("a failed attempt", |daemon| daemon.alerts().iter().any(|alert| alert.attempts > 0)).await;
    let status = status(&daemon).await;
    assert_eq!(status["undelivered"][0]["service"], "NAS");
    assert_eq!(status["undelivered"][0]["state"], "pending");
    assert!(status["undelivered"][0]["attempts"].as_u64() >= Some(1), "{status:#}");
    assert_eq!(status["disabled_sinks"].as_array().map(Vec::len), Some(0), "{status:#}");
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_given_up_and_shown() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::BadRequest, Answer::BadRequest, Answer::Ok]);
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon
        .until("the end of the first alert", |daemon| daemon.alerts().iter().any(|it| it.state == "dead"))
        .await;
    server.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(messages[0].title(), "🟢 NAS is up again", "what follows is not held up");
    assert_eq!(discord.requests(), 3, "the plain words are tried just once");
    let status = status(&daemon).await;
    assert_eq!(status["undelivered"][0]["state"], "dead");
    assert!(
        status["undelivered"][0]["last_error"].as_str().is_some_and(|why| why.contains("400")),
        "{status:#}"
    );
}

#[tokio::test]
async fn a_deleted_webhook_disables_the_sink_until_its_address_changes() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let services = [service("NAS", &server.url("/"))];
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &services));
    discord.revoke(TOKEN);
    daemon.restart().await;
    discord.wait_for_requests(1, PATIENCE).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["discord"]).await;
    let known = status(&daemon).await;
    assert_eq!(known["disabled_sinks"][0]["sink"], "discord");
    assert!(
        known["disabled_sinks"][0]["reason"].as_str().is_some_and(|why| why.contains("404")),
        "{known:#}"
    );
    assert_eq!(known["undelivered"][0]["state"], "pending", "its alerts are kept");

    daemon.stop().await;
    daemon.restart().await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(discord.requests(), 1, "the dead webhook is left alone, after a restart too");
    assert!(status(&daemon).await["disabled_sinks"][0]["sink"] == "discord");

    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery", |daemon| daemon.alerts().len() == 2).await;
    daemon.configure(&config(&discord.url_with("another-token"), LADDER, &services));
    let messages = discord.wait_for(2, PATIENCE).await;
    assert!(messages.iter().all(|message| message.token == "another-token"));
    assert_eq!(messages[0].title(), "🔴 NAS is down");
    assert_eq!(messages[1].title(), "🟢 NAS is up again");
    daemon.until("both to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    assert_eq!(status(&daemon).await["disabled_sinks"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_removed_sink_holds_nothing_up() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::ServerError]);
    let server = WebServer::start(Behaviour::Refuse).await;
    let with_sink = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&with_sink).await;
    daemon.until("a failed attempt", |daemon| daemon.log().contains("not delivered yet")).await;
    let line = with_sink.lines().find(|line| line.starts_with("sinks:")).unwrap();
    daemon.configure(&with_sink.replace(line, "sinks: {}"));
    daemon.until("the alert to be given up", |daemon| daemon.alerts()[0].state == "dead").await;
}

async fn status(daemon: &Daemon) -> Value {
    let output = daemon.pihook(&["status", "--json"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
