//! The whole way to a server that behaves like Discord.

use std::io;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use pihook_core::Secret;
use rustls::RootCertStore;
use tracing_subscriber::fmt::MakeWriter;

use super::stage::{Stage, set};
use crate::sinks::fake_discord::{Answer, FakeDiscord, TOKEN};
use crate::sinks::{DiscordSettings, DiscordSink, HttpClient, Sink};
use crate::store::DeliveryState;
use crate::tasks::deliver::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn sink_at(url: String) -> Arc<dyn Sink> {
    let client = HttpClient::new(Arc::new(RootCertStore::empty()), Duration::from_millis(300)).unwrap();
    let settings = DiscordSettings {
        url: Secret::new(url),
        username: None,
        thread_id: None,
        silent_recoveries: false,
        update: false,
    };
    Arc::new(DiscordSink::new(&settings, client).unwrap())
}

fn titles(discord: &FakeDiscord) -> Vec<String> {
    discord.received().iter().map(|received| received.title().to_owned()).collect()
}

#[tokio::test]
async fn order_and_count_hold_across_every_kind_of_trouble() {
    let discord = FakeDiscord::start().await;
    let first = [Answer::RateLimited(0.2), Answer::ServerError, Answer::Ok];
    let second = [Answer::Hang, Answer::RateLimitedByProxy(0), Answer::LastOfBucket(0.3)];
    let third = [Answer::Close, Answer::Foreign(403), Answer::Ok];
    discord.script([first, second, third].concat());
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    for service in ["one", "two", "three"] {
        stage.decide(service, &["discord"]).await;
    }
    discord.wait_for(3, PATIENCE).await;
    stage.until("nothing is left", <[_]>::is_empty).await;
    stage.stop().await;
    assert_eq!(titles(&discord), ["one opened #1", "two opened #2", "three opened #3"]);
    assert_eq!(discord.requests(), 9);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_bucket_is_emptied_without_ever_being_overdrawn() {
    let discord = FakeDiscord::start().await;
    discord.limit(2, Duration::from_millis(300));
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    for service in ["a", "b", "c", "d", "e"] {
        stage.decide(service, &["discord"]).await;
    }
    discord.wait_for(5, PATIENCE).await;
    let services: String = titles(&discord).iter().filter_map(|title| title.chars().next()).collect();
    assert_eq!(services, "abcde");
    assert_eq!(discord.requests(), 5, "no request ran into the limit");
}

#[tokio::test]
async fn a_message_taken_without_an_answer_is_doubled_and_never_lost() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::TakeAndHang, Answer::Ok]);
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    stage.decide("one", &["discord"]).await;
    stage.decide("two", &["discord"]).await;
    discord.wait_for(3, PATIENCE).await;
    stage.until("nothing is left", <[_]>::is_empty).await;
    assert_eq!(titles(&discord), ["one opened #1", "one opened #1", "two opened #2"]);
}

#[tokio::test]
async fn refused_embeds_go_out_as_bare_text() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::NoEmbeds]);
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    stage.decide("one", &["discord"]).await;
    let received = discord.wait_for(1, PATIENCE).await;
    assert!(received[0].embeds.is_empty());
    assert!(received[0].text().starts_with("one is down"), "{}", received[0].text());
    stage.until("nothing is left", <[_]>::is_empty).await;

    discord.script([Answer::BadRequestShort, Answer::BadRequest, Answer::Ok]);
    stage.decide("two", &["discord"]).await;
    stage.decide("three", &["discord"]).await;
    assert_eq!(discord.wait_for(2, PATIENCE).await[1].title(), "three opened #3");
    stage.until("the second is dead", |rows| rows.len() == 1 && rows[0].state == DeliveryState::Dead).await;
}

#[tokio::test]
async fn a_deleted_webhook_is_left_alone_until_its_address_changes() {
    let discord = FakeDiscord::start().await;
    discord.revoke(TOKEN);
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    stage.decide("one", &["discord"]).await;
    stage.until_disabled(1).await;
    stage.stop().await;
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    stage.decide("two", &["discord"]).await;
    stage.reload(set("counting", [("discord", sink_at(discord.url_with("another-token")))]));
    discord.wait_for(2, PATIENCE).await;
    assert_eq!(titles(&discord), ["one opened #1", "two opened #2"]);
    assert_eq!(discord.requests(), 3, "the deleted webhook was tried once");
    stage.until_disabled(0).await;
}

#[tokio::test]
async fn a_webhook_that_comes_back_gets_what_it_has_missed() {
    let discord = FakeDiscord::start().await;
    discord.revoke(TOKEN);
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    stage.decide("one", &["discord"]).await;
    stage.until_disabled(1).await;
    stage.until_standing("discord", |standing| matches!(standing, Standing::Disabled(_))).await;
    stage.stop().await;
    discord.restore(TOKEN);
    stage.run(set("counting", [("discord", sink_at(discord.url()))]));
    discord.wait_for(1, PATIENCE).await;
    stage.until_disabled(0).await;
    stage.until_standing("discord", |standing| *standing == Standing::Works).await;
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

struct LogWriter<'a>(MutexGuard<'a, Vec<u8>>);

impl io::Write for LogWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = LogWriter<'a>;

    fn make_writer(&'a self) -> LogWriter<'a> {
        LogWriter(self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn no_log_line_and_no_row_has_the_webhook_s_token() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    // With a single subscriber, tracing asks only the thread that meets a log line first whether anybody listens. Tests
    // on other threads would silence lines that way; a second subscriber makes it ask all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    // The test's runtime has one thread, so this covers all tasks.
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let discord = FakeDiscord::start().await;
    discord.script([
        Answer::ServerError,
        Answer::Hang,
        Answer::Echo,
        Answer::Ok,
        Answer::Echo,
        Answer::BadRequest,
        Answer::RateLimited(0.1),
        Answer::NotFound,
    ]);
    let sink = sink_at(discord.url());
    let mut stage = Stage::new();
    stage.run(set("counting", [("discord", Arc::clone(&sink))]));
    for service in ["one", "two", "three"] {
        stage.decide(service, &["discord"]).await;
    }
    stage.until_disabled(1).await;
    stage.stop().await;
    let url = discord.url();
    drop(discord);
    let refused = send_now(sink_at(url).as_ref(), &plain_message(&stage_alert()), &stage_alert()).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("next attempt in") && log.contains("is disabled until"),
        "the log has it all: {log}"
    );
    let rows = format!("{:?} {:?} {refused:?}", stage.undelivered(), stage.store.disabled_sinks().await);
    for text in [
        log,
        rows,
        format!(
            "{:?}",
            Outlet { sink, formatter: String::new(), digest_formatter: String::new(), policy: Policy::EACH }
        ),
    ] {
        assert!(!text.contains(TOKEN) && !text.contains("/api/webhooks/"), "{text}");
    }
}

fn stage_alert() -> Alert {
    super::stage::alert("nas", &[])
}
