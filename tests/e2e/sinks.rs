//! Telegram, ntfy and webhooks, from a failing service to the provider.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use super::dashboard;
use crate::discord::{FakeDiscord, TOKEN};
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
    let page = "dashboard: { listen: \"127.0.0.1:0\" }";
    let mut daemon = Daemon::prepare(&text.replace(&line, &sinks).replace("dashboard: off", page));
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
    nothing_leaked(&mut daemon).await;
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
    nothing_leaked(&mut daemon).await;
    daemon.stop().await;
    receiver.dead(None);
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    daemon.until("the sink to work", |daemon| daemon.disabled_sinks().is_empty()).await;
    let all_told = |daemon: &Daemon| {
        let alerts = daemon.alerts();
        alerts.iter().filter(|alert| alert.service == "NAS").count() == 4
            && alerts.iter().all(|alert| alert.state == "sent")
    };
    daemon.until("all to be sent", all_told).await;
    daemon.further_checks("NAS", 2).await;
    let titles: Vec<_> = receiver.taken().iter().map(|taken| title(provider, &taken.body)).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles[0].contains("NAS is down") && titles[1].contains("NAS is up again"), "{titles:?}");
}

/// Looks for the secrets of sinks wherever they must not be: in all that was logged and stored, on every page, and in what
/// commands print. The last of these sends a test alert.
pub(super) async fn nothing_leaked(daemon: &mut Daemon) {
    let pages = dashboard::every_page(daemon).await;
    let mut seen = vec![("the pages", pages.into_bytes())];
    for command in [&["status"][..], &["status", "--json"], &["validate"], &["alert", "test"]] {
        let output = daemon.pihook(command).await;
        seen.push(("what commands print", [output.stdout, output.stderr].concat()));
    }
    seen.push(("the log", daemon.log().into_bytes()));
    seen.push(("the database", daemon.database_bytes()));
    // As it stands, as it is in addresses, and as logins carry it.
    let logins = ["", "me:", "\0pi\0"].map(|before| STANDARD.encode(format!("{before}{SECRET}")));
    let mut secrets = vec![SECRET.to_owned(), SECRET.replace(':', "%3A"), TOKEN.to_owned()];
    secrets.extend(logins);
    for (place, bytes) in seen {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.is_empty(), "{place}: nothing is there");
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
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
async fn what_other_failures_telegram_has_heal_too() {
    let proxy = || Reply::Refuse(404, Vec::new(), "<html>no such host</html>".to_owned());
    let busy = Reply::Refuse(429, vec![("retry-after", "1".to_owned())], "slow down".to_owned());
    join_all([
        heals(Provider::Telegram, vec![Reply::Hang]),
        heals(
            Provider::Telegram,
            vec![proxy(), busy, Reply::telegram(500, "Internal Server Error", json!({}))],
        ),
        heals(Provider::Telegram, vec![Reply::telegram(413, "Request Entity Too Large", json!({}))]),
    ])
    .await;
}

#[tokio::test]
async fn what_other_failures_ntfy_has_heal_too() {
    let quota = json!({ "code": 42_908, "http": 429, "error": "limit reached: daily message quota reached" });
    let quota = Reply::Refuse(429, vec![("retry-after", "1".to_owned())], quota.to_string());
    join_all([
        heals(Provider::Ntfy, vec![quota, Reply::Refuse(403, Vec::new(), "<html>log in</html>".to_owned())]),
        heals(Provider::Ntfy, vec![Reply::ntfy(40_001, "invalid request")]),
        heals(Provider::Ntfy, vec![Reply::ntfy(41_301, "entity too large"), Reply::status(502)]),
        // A page of somebody else, which is no message's answer.
        heals(Provider::Ntfy, vec![Reply::Refuse(200, Vec::new(), "<html>log in</html>".to_owned())]),
    ])
    .await;
}

#[tokio::test]
async fn what_other_failures_webhooks_have_heal_too() {
    let limited = Reply::Refuse(429, vec![("retry-after", "1".to_owned())], String::new());
    join_all([
        heals(Provider::Webhook, vec![Reply::Hang]),
        heals(Provider::Webhook, vec![limited, Reply::status(503), Reply::status(400)]),
        heals(Provider::Webhook, vec![Reply::status(413)]),
        heals(Provider::Webhook, vec![Reply::status(415)]),
        heals(Provider::Webhook, vec![Reply::status(422)]),
    ])
    .await;
}

#[tokio::test]
async fn telegram_is_disabled_by_each_of_its_dead_ends() {
    let dead =
        |code, description| is_disabled(Provider::Telegram, Reply::telegram(code, description, json!({})));
    join_all([
        dead(401, "Unauthorized"),
        dead(404, "Not Found"),
        dead(403, "Forbidden: bot was blocked by the user"),
        dead(400, "Bad Request: chat not found"),
        dead(400, "Bad Request: message thread not found"),
        dead(400, "Bad Request: not enough rights to send text messages to the chat"),
    ])
    .await;
}

#[tokio::test]
async fn ntfy_is_disabled_by_each_of_its_dead_ends() {
    let dead = |code, error| is_disabled(Provider::Ntfy, Reply::ntfy(code, error));
    join_all([
        dead(40_101, "unauthorized"),
        dead(40_301, "forbidden"),
        dead(40_401, "page not found"),
        dead(40_009, "invalid request: topic invalid"),
        dead(40_010, "invalid request: topic name is not allowed"),
    ])
    .await;
    join_all([302, 405].map(|status| is_disabled(Provider::Ntfy, Reply::status(status)))).await;
}

#[tokio::test]
async fn a_webhook_is_disabled_by_each_of_its_dead_ends() {
    join_all([302, 401, 403, 405, 410].map(|status| is_disabled(Provider::Webhook, Reply::status(status))))
        .await;
}
