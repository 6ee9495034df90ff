//! Formatters that are chosen, swapped and broken while the daemon runs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

fn plugin(id: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/plugins/{id}.wasm"));
    path.canonicalize().expect("`./build.sh plugins` makes it")
}

/// With a formatter for the sink, and a plugin of this id from a file in the daemon's folder.
fn worded(config: &str, formatter: &str, id: &str) -> String {
    let named = config.replace("type: discord,", &format!("type: discord, formatter: {formatter},"));
    format!("plugins: {{ {id}: {{ file: ../{id}.wasm }} }}\n{named}")
}

fn reloads(daemon: &Daemon) -> usize {
    daemon.log().matches("configuration reloaded").count()
}

#[tokio::test]
async fn the_level_goes_before_the_service_and_the_service_before_the_sink() {
    let (discord, down) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let line = |name: &str, more: &str| service(name, &down.url("/")).replace(" }", &format!("{more} }}"));
    let services = [
        line("Sinks", ""),
        line("Own", ", formatter: plain"),
        line("Level", ", formatter: plain, escalation: [{ after: 3, formatter: compact }]"),
    ];
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &services)).await;
    let messages = discord.wait_for(3, PATIENCE).await;
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    let mut titles: Vec<_> = messages.iter().map(|message| message.title().to_owned()).collect();
    titles.sort();
    assert!(titles[0].starts_with("DOWN Level: "), "{titles:?}");
    assert_eq!(titles[1..], ["Own is down", "🔴 Sinks is down"]);
    assert!(messages.iter().any(|message| message.text().contains("▼▼")), "the history is told");
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_key_or_a_file_swaps_the_wording_and_a_broken_file_changes_nothing() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let plain = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::prepare(&worded(&plain, "mine", "mine"));
    let file = daemon.path("mine.wasm");
    fs::copy(plugin("compact"), &file).unwrap();
    daemon.restart().await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert!(messages[0].title().starts_with("DOWN NAS"), "{}", messages[0].title());

    fs::copy(plugin("plain"), &file).unwrap();
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    server.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "NAS is up again");

    fs::write(&file, "no plugin").unwrap();
    let messages = discord.wait_for(3, PATIENCE).await;
    assert!(messages[2].title().contains("PiHook's configuration is down"), "{}", messages[2].text());
    server.set(Behaviour::Refuse).await;
    let messages = discord.wait_for(4, PATIENCE).await;
    assert_eq!(messages[3].title(), "NAS is down", "the one before goes on");

    // A bundled one is replaced by its id.
    fs::copy(plugin("compact"), daemon.path("detailed.wasm")).unwrap();
    daemon.configure(&worded(&plain, "detailed", "detailed"));
    let messages = discord.wait_for(5, PATIENCE).await;
    assert!(messages[4].title().starts_with("UP PiHook's configuration"), "{}", messages[4].title());
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_faulty_formatter_loses_nothing_and_is_told_once_and_so_is_its_repair() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let plain = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::prepare(&worded(&plain, "mine", "mine"));
    let file = daemon.path("mine.wasm");
    // At the start a plugin that does not load is no reason not to start.
    fs::write(&file, "no plugin").unwrap();
    daemon.restart().await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[0].title(), "NAS is down");
    assert_eq!(messages[1].title(), "PiHook's formatter mine is down");
    server.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(3, PATIENCE).await;
    assert_eq!(messages[2].title(), "NAS is up again");
    daemon.further_checks("NAS", 3).await;
    assert_eq!(discord.requests(), 3, "the fault is told once");

    fs::copy(plugin("compact"), &file).unwrap();
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    server.set(Behaviour::Refuse).await;
    let messages = discord.wait_for(5, PATIENCE).await;
    assert!(messages[3].title().starts_with("DOWN NAS"), "{}", messages[3].title());
    assert_eq!(messages[4].title(), "PiHook's formatter mine is up again");
    assert_eq!(
        daemon.log().matches(" WARN alerts go out in the built-in wording").count(),
        1,
        "{}",
        daemon.log()
    );
}

#[tokio::test]
async fn a_file_that_is_replaced_while_a_hundred_alerts_are_in_flight_loses_and_doubles_none() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    // So slow that the file is replaced in the middle.
    discord.limit(2, Duration::from_millis(400));
    let name = |number: usize| format!("S{number:03}");
    let services: Vec<_> = (0..100).map(|number| service(&name(number), &server.url("/"))).collect();
    let plain = config(&discord.url(), LADDER, &services).replace("interval: 1s", "interval: 5s");
    let mut daemon = Daemon::prepare(&worded(&plain, "mine", "mine"));
    let (file, new) = (daemon.path("mine.wasm"), daemon.path("mine.wasm.new"));
    let replace = |id: &str| {
        fs::copy(plugin(id), &new).unwrap();
        fs::rename(&new, &file).unwrap();
    };
    replace("compact");
    daemon.restart().await;
    discord.wait_for(5, PATIENCE).await;
    replace("plain");
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    let at_reload = discord.received().len();
    daemon.until("all alerts", |daemon| daemon.alerts().len() == 100).await;
    discord.wait_for(at_reload + 10, PATIENCE).await;
    replace("compact");
    daemon.until("the second reload", |daemon| reloads(daemon) == 2).await;
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
    daemon.further_checks(&name(0), 1).await;

    let titles: Vec<String> = discord.received().iter().map(|message| message.title().to_owned()).collect();
    let decided: Vec<String> = daemon.alerts().into_iter().map(|alert| alert.service).collect();
    assert_eq!(titles.len(), 100, "{titles:?}");
    for (title, service) in titles.iter().zip(&decided) {
        assert!(title.contains(service.as_str()), "{title} and not {service}");
    }
    let compact = |title: &String| title.starts_with("DOWN ");
    assert!(titles[..5].iter().all(compact), "{titles:?}");
    assert!(titles.iter().any(|title| title.ends_with(" is down") && !compact(title)), "{titles:?}");
    assert!(compact(&titles[99]), "{titles:?}");
    assert_eq!(discord.violations(), [""; 0]);
}
