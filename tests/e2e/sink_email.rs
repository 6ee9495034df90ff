//! E-mail, from a failing service to a real mail server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::PathBuf;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::daemon::{Daemon, PATIENCE};
use super::sinks::{SECRET, nothing_leaked, with_sink};
use crate::discord::FakeDiscord;
use crate::mail::{Encrypted, MailServer};
use crate::web::{Behaviour, WebServer};

/// A mail server that wants STARTTLS and a login, with the certificate that is to be trusted.
struct Post {
    server: MailServer,
    certificate: PathBuf,
    _folder: TempDir,
}

impl Post {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let server = MailServer::start(Encrypted::StartTls(&certificate, &key), Some(("pi", SECRET))).await;
        Self { server, certificate, _folder: folder }
    }

    /// A daemon that sends through it.
    async fn daemon(&self, discord: Option<&FakeDiscord>, url: &str) -> Daemon {
        let sink = format!(
            "type: email, server: localhost, port: {}, user: pi, password: \"${{SECRET}}\", \
             from: pi@example.org, to: [me@example.org], ca_file: {}",
            self.server.port,
            self.certificate.display()
        );
        with_sink(&sink, discord, url).await
    }
}

#[tokio::test]
async fn mail_heals_and_both_ends_of_an_outage_are_one_thread() {
    let mut post = Post::start().await;
    let replies = json!([
        ["mail", "421 4.3.0 try again"],
        ["data", "451 4.3.0 try again"],
        ["data", "close"],
        ["auth", "454 4.7.0 try again"],
        ["data", "550 5.7.1 not in these words"],
    ]);
    post.server.script(replies).await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = post.daemon(None, &server.url("/")).await;
    let first = post.server.wait_for(1, PATIENCE).await.remove(0);
    // A restart in between, so that the thread is known from the database.
    daemon.until("it to be sent", |daemon| daemon.alerts().iter().any(|alert| alert.state == "sent")).await;
    daemon.stop().await;
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    let mails = post.server.wait_for(2, PATIENCE).await;
    daemon.until("both to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!((post.server.taken().len(), post.server.tried()), (2, 5), "{mails:?}");
    assert!(first["headers"]["subject"].as_str().unwrap().contains("NAS is down"), "{first}");
    assert!(mails[1]["headers"]["subject"].as_str().unwrap().contains("NAS is up again"), "{mails:?}");
    assert_eq!(mails[1]["headers"]["in-reply-to"], first["headers"]["message-id"]);
    nothing_leaked(&mut daemon).await;
}

#[tokio::test]
async fn a_login_that_is_refused_disables_and_loses_nothing() {
    let (mut post, discord) = (Post::start().await, FakeDiscord::start().await);
    post.server.script(json!([["auth", "535 5.7.8 no such user", "always"]])).await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = post.daemon(Some(&discord), &server.url("/")).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["it"]).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert!(messages.iter().any(|message| message.text().contains("535")), "{messages:?}");
    nothing_leaked(&mut daemon).await;
    daemon.stop().await;
    post.server.script(json!([])).await;
    daemon.restart().await;
    let mails = post.server.wait_for(1, PATIENCE).await;
    assert!(mails[0]["headers"]["subject"].as_str().unwrap().contains("NAS is down"), "{mails:?}");
    daemon.until("the sink to work", |daemon| daemon.disabled_sinks().is_empty()).await;
}

/// The mail server gives these replies, and then takes everything: both ends of an outage arrive, once and in order.
async fn heals(replies: Value) {
    let mut post = Post::start().await;
    post.server.script(replies).await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = post.daemon(None, &server.url("/")).await;
    daemon.until("the alert", |daemon| daemon.alerts().len() == 1).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("the end", |daemon| daemon.alerts().len() == 2).await;
    all_arrived(&post, &mut daemon).await;
    nothing_leaked(&mut daemon).await;
}

async fn all_arrived(post: &Post, daemon: &mut Daemon) {
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks("NAS", 2).await;
    let subjects: Vec<_> =
        post.server.taken().iter().map(|mail| mail["headers"]["subject"].to_string()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects[0].contains("NAS is down") && subjects[1].contains("NAS is up again"), "{subjects:?}");
}

/// The mail server refuses everything in this way for a while.
async fn is_disabled(stage: &str, reply: &str) {
    let (mut post, discord) = (Post::start().await, FakeDiscord::start().await);
    post.server.script(json!([[stage, reply, "always"]])).await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = post.daemon(Some(&discord), &server.url("/")).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["it"]).await;
    nothing_leaked(&mut daemon).await;
    daemon.stop().await;
    post.server.script(json!([])).await;
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    daemon
        .until("the end", |daemon| daemon.alerts().iter().filter(|it| it.service == "NAS").count() == 4)
        .await;
    all_arrived(&post, &mut daemon).await;
}

#[tokio::test]
async fn what_other_failures_mail_servers_have_heal_too() {
    join_all([
        heals(json!([["data", "hang"]])),
        heals(json!([["rcpt", "451 4.7.1 greylisted"], ["mail", "452 4.3.1 no room"], ["mail", "close"]])),
        heals(json!([["data", "554 5.6.0 not this mail"]])),
    ])
    .await;
}

#[tokio::test]
async fn mail_is_disabled_by_each_of_its_dead_ends() {
    join_all([
        is_disabled("auth", "535 5.7.8 no such user"),
        is_disabled("mail", "550 5.1.0 not this sender"),
        is_disabled("rcpt", "550 5.1.1 no such user here"),
    ])
    .await;
}
