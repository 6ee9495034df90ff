//! Telegram, ntfy and webhooks, from a failing service to the provider.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use serde_json::{Value, json};

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::FakeDiscord;
use crate::receiver::{Provider, Receiver, Reply};
use crate::web::{Behaviour, WebServer};

pub(super) const SECRET: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/// A daemon whose only sink, or second one beside Discord, is this.
async fn start(receiver: &Receiver, provider: Provider, discord: Option<&FakeDiscord>, url: &str) -> Daemon {
    let base = receiver.base();
    let sink = match provider {
        Provider::Telegram => format!(
            "type: telegram, token: \"${{SECRET}}\", api: \"{base}\", chat: -100123, silent_recoveries: true, formatter: detailed"
        ),
        Provider::Ntfy => {
            format!(
                "type: ntfy, server: \"{base}\", topic: alerts, user: me, password: \"${{SECRET}}\", formatter: detailed"
            )
        }
        Provider::Webhook => {
            format!("type: webhook, url: \"{base}/alert?key=${{SECRET}}\", secret: \"${{SECRET}}\"")
        }
    };
    with_sink(&sink, discord, url).await
}

/// The same for any sink, whose secret is `${SECRET}`.
pub(super) async fn with_sink(sink: &str, discord: Option<&FakeDiscord>, url: &str) -> Daemon {
    let other = discord
        .map(|discord| format!("discord: {{ type: discord, url: \"{}\", gather: 0s }}, ", discord.url()));
    let text = config("unused", LADDER, &[service("NAS", url)]);
    let line = text.lines().find(|line| line.starts_with("sinks:")).unwrap().to_owned();
    let sinks = format!(
        "sinks: {{ {}it: {{ {sink}, gather: 0s, max_per_minute: 600 }} }}",
        other.unwrap_or_default()
    );
    let mut daemon = Daemon::prepare(&text.replace(&line, &sinks));
    daemon.environment("SECRET", SECRET).environment("PIHOOK_LOG", "trace");
    daemon.restart().await;
    daemon
}

/// What a reader sees first.
fn title(provider: Provider, body: &Value) -> String {
    let title = match provider {
        Provider::Telegram => &body["text"],
        Provider::Ntfy => &body["title"],
        Provider::Webhook => &body["message"]["title"],
    };
    title.as_str().unwrap_or_default().to_owned()
}

/// An outage of a service while the provider gives these replies: both alerts arrive, once and in order.
async fn heals(provider: Provider, replies: Vec<Reply>) {
    let receiver = Receiver::start(provider).await;
    let tries = replies.len() + 2;
    receiver.script(replies);
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = start(&receiver, provider, None, &server.url("/")).await;
    daemon.until("the alert", |daemon| daemon.alerts().len() == 1).await;
    server.set(Behaviour::ok("")).await;
    let taken = receiver.wait_for(2, PATIENCE).await;
    daemon.until("both to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!((receiver.taken().len(), receiver.requests()), (2, tries));
    assert!(title(provider, &taken[0].body).contains("NAS is down"), "{taken:?}");
    assert!(title(provider, &taken[1].body).contains("NAS is up again"), "{taken:?}");
    assert_eq!(receiver.violations(), [""; 0]);
    nothing_leaked(&daemon).await;
}

/// The sink refuses everything: it is disabled and shown, Discord hears of it, and once it works nothing is lost.
async fn is_disabled(provider: Provider, reply: Reply) {
    let (receiver, discord) = (Receiver::start(provider).await, FakeDiscord::start().await);
    receiver.dead(Some(reply));
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = start(&receiver, provider, Some(&discord), &server.url("/")).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["it"]).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert!(messages.iter().any(|message| message.text().contains("it")), "{messages:?}");
    let status = daemon.pihook(&["status"]).await;
    assert!(String::from_utf8_lossy(&status.stdout).contains("it"), "{status:?}");
    nothing_leaked(&daemon).await;
    daemon.stop().await;
    receiver.dead(None);
    daemon.restart().await;
    assert!(title(provider, &receiver.wait_for(1, PATIENCE).await[0].body).contains("NAS is down"));
    daemon.until("the sink to work", |daemon| daemon.disabled_sinks().is_empty()).await;
}

pub(super) async fn nothing_leaked(daemon: &Daemon) {
    let mut seen = format!("{}{}", daemon.log(), String::from_utf8_lossy(&daemon.database_bytes()));
    for command in [&["status"][..], &["status", "--json"], &["validate"]] {
        let output = daemon.pihook(command).await;
        seen.push_str(&String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    assert!(!seen.contains(SECRET), "the secret is in the log, the database or what commands print");
}

#[tokio::test]
async fn telegram_heals() {
    let limited = Reply::telegram(429, "Too Many Requests: retry after 1", json!({ "retry_after": 1 }));
    let refused = Reply::telegram(400, "Bad Request: can't parse entities: …", json!({}));
    heals(Provider::Telegram, vec![limited, Reply::status(502), Reply::Close, refused]).await;
}

#[tokio::test]
async fn a_telegram_group_that_moved_is_followed_across_a_restart() {
    let receiver = Receiver::start(Provider::Telegram).await;
    let moved = "Bad Request: group chat was upgraded to a supergroup chat";
    receiver.script([Reply::telegram(400, moved, json!({ "migrate_to_chat_id": -1_009_876_543_210_i64 }))]);
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = start(&receiver, Provider::Telegram, None, &server.url("/")).await;
    receiver.wait_for(1, PATIENCE).await;
    daemon.until("it to be sent", |daemon| daemon.alerts().iter().any(|alert| alert.state == "sent")).await;
    daemon.stop().await;
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    let taken = receiver.wait_for(2, PATIENCE).await;
    assert!(taken.iter().all(|taken| taken.body["chat_id"] == "-1009876543210"), "{taken:?}");
    assert_eq!(taken[1].body["disable_notification"], true);
    assert_eq!(receiver.requests(), 3, "the old number was tried once");
    assert_eq!(daemon.log().matches("has become the supergroup").count(), 1);
}

#[tokio::test]
async fn ntfy_heals() {
    let limited = Reply::Refuse(429, vec![("retry-after", "1".to_owned())], String::new());
    let replies = vec![limited, Reply::ntfy(50_001, "internal server error"), Reply::Close, Reply::Hang];
    heals(Provider::Ntfy, replies).await;
}

#[tokio::test]
async fn a_webhook_heals() {
    let busy = Reply::Refuse(503, vec![("retry-after", "1".to_owned())], String::new());
    heals(Provider::Webhook, vec![busy, Reply::status(404), Reply::status(500), Reply::Close]).await;
}

#[tokio::test]
async fn what_refuses_everything_is_disabled_and_told() {
    is_disabled(Provider::Telegram, Reply::telegram(401, "Unauthorized", json!({}))).await;
    is_disabled(Provider::Ntfy, Reply::ntfy(40_301, "forbidden")).await;
    is_disabled(Provider::Webhook, Reply::status(410)).await;
}
