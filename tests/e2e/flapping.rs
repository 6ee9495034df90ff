//! Services that go up and down all the time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use crate::discord::{FakeDiscord, Received};

/// A server that fails every other time until it was asked so often, and answers well from then on.
async fn blinking(times: usize) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(move || {
        let turn = asked.fetch_add(1, Ordering::SeqCst);
        let fails = turn < times && turn % 2 == 1;
        std::future::ready(if fails { StatusCode::BAD_GATEWAY } else { StatusCode::OK })
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn blinker(url: &str, flap: &str) -> String {
    format!("  - {{ name: Blinker, url: \"{url}\", flap: {flap} }}\n")
}

fn titles(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::title).collect()
}

#[tokio::test]
async fn flapping_is_told_once_and_once_more_when_it_has_settled() {
    let discord = FakeDiscord::start().await;
    let services = [blinker(&blinking(14).await, "{ window: 6 }")];
    // Each failure would be told at once, and each recovery.
    let file = config(&discord.url(), "[{ after: 2 }]", &services);
    let mut daemon = Daemon::start(&file).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 Blinker is flapping"]);
    daemon.until("the delivery to be noted", |daemon| daemon.alerts()[0].state == "sent").await;
    daemon.kill();
    daemon.restart().await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(titles(&messages)[1..], ["🟢 Blinker has settled"]);
    // The crash may have cost a check or two.
    assert!(daemon.count("Blinker", "down") >= 5, "it has blinked on");
    daemon.further_checks("Blinker", 4).await;
    assert_eq!(discord.requests(), 2);
    let kinds: Vec<_> = daemon.alerts().into_iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, ["opened", "recovered"]);
    let incidents = daemon.incidents();
    assert!(incidents.len() == 1 && incidents[0].closed_ms.is_some(), "{incidents:?}");
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn without_the_watch_for_flapping_the_ladder_alone_decides() {
    let discord = FakeDiscord::start().await;
    let services = [blinker(&blinking(10).await, "off")];
    let file =
        config(&discord.url(), LADDER, &services).replace("retries: 0,", "retries: 0, flap: { window: 3 },");
    let mut daemon = Daemon::start(&file).await;
    daemon.until("all of its blinks", |daemon| daemon.checks_of("Blinker").len() >= 12).await;
    assert_eq!(daemon.count("Blinker", "down"), 5);
    assert_eq!((daemon.alerts().len(), discord.requests()), (0, 0));
}
