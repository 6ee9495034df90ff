//! A configuration that changes while the daemon runs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use tokio::time::{Instant, interval};

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

/// How soon a change is to take effect.
const SOON: Duration = Duration::from_secs(5);

/// A Discord, two services that are up, and their lines in services.yaml.
struct Scene {
    discord: FakeDiscord,
    first: WebServer,
    second: WebServer,
}

impl Scene {
    async fn start() -> Self {
        Self {
            discord: FakeDiscord::start().await,
            first: WebServer::start(Behaviour::ok("")).await,
            second: WebServer::start(Behaviour::ok("")).await,
        }
    }

    fn config(&self, names: &[&str]) -> String {
        let line = |name: &&str| match *name {
            "First" => service("First", &self.first.url("/")),
            other => service(other, &self.second.url("/")),
        };
        config(&self.discord.url(), LADDER, &names.iter().map(line).collect::<Vec<_>>())
    }
}

fn reloads(daemon: &Daemon) -> usize {
    daemon.log().matches("configuration reloaded").count()
}

#[tokio::test]
async fn an_added_service_is_checked_within_five_seconds() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    daemon.until("a check", |daemon| daemon.count("First", "up") > 0).await;
    daemon.configure(&scene.config(&["First", "Second"]));
    let began = Instant::now();
    daemon.until("the new service's check", |_| scene.second.requests() > 0).await;
    assert!(began.elapsed() <= SOON, "{:?}", began.elapsed());
    daemon.until("it to be logged", |daemon| daemon.count("Second", "up") > 0).await;
    daemon.further_checks("First", 2).await;
    assert_eq!(reloads(&daemon), 1);
}

#[tokio::test]
async fn a_removed_service_is_left_alone_and_keeps_its_history() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First", "Second"])).await;
    daemon.until("a check of it", |daemon| daemon.count("Second", "up") > 0).await;
    daemon.configure(&scene.config(&["First"]));
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    // One that was running may still end.
    daemon.further_checks("First", 1).await;
    let asked = scene.second.requests();
    daemon.further_checks("First", 4).await;
    assert_eq!(scene.second.requests(), asked);
    assert!(daemon.count("Second", "up") > 0);
    let output = daemon.pihook(&["status", "--json"]).await;
    let known = String::from_utf8(output.stdout).unwrap();
    assert!(known.contains("\"First\"") && !known.contains("\"Second\""), "{known}");
}

#[tokio::test]
async fn an_outage_outlasts_a_reload() {
    let scene = Scene::start().await;
    scene.first.set(Behaviour::Refuse).await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    scene.discord.wait_for(1, PATIENCE).await;
    daemon.configure(&scene.config(&["First", "Second"]));
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    daemon.further_checks("First", 4).await;
    assert_eq!(daemon.alerts().len(), 1, "it is not told again");
    scene.first.set(Behaviour::ok("")).await;
    let messages = scene.discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "🟢 First is up again");
}

#[tokio::test]
async fn an_invalid_file_changes_nothing_and_is_told_once_and_so_is_its_repair() {
    let scene = Scene::start().await;
    let good = scene.config(&["First"]);
    let mut daemon = Daemon::start(&good).await;
    daemon.until("a check", |daemon| daemon.count("First", "up") > 0).await;

    let bad =
        good.replace("defaults: {", "defaults: { intervall: 9s,") + "  - { name: Second, zone: extern }\n";
    daemon.configure(&bad);
    let messages = scene.discord.wait_for(1, PATIENCE).await;
    assert!(messages[0].title().contains("PiHook's configuration is down"), "{}", messages[0].text());
    assert!(messages[0].text().contains("intervall"), "{}", messages[0].text());
    let log = daemon.log();
    let line = 1 + bad.lines().position(|line| line.contains("intervall")).unwrap();
    assert!(log.contains(&format!("services.yaml:{line}: defaults.intervall")), "{log}");
    let last = bad.lines().count();
    assert!(log.contains(&format!("services.yaml:{last}: services[1]")), "all problems are told: {log}");

    daemon.further_checks("First", 4).await;
    assert_eq!(scene.discord.requests(), 1, "it is told once");
    assert_eq!(reloads(&daemon), 0);

    daemon.configure(&scene.config(&["First", "Second"]));
    let messages = scene.discord.wait_for(2, PATIENCE).await;
    assert!(messages[1].title().contains("PiHook's configuration is up again"), "{}", messages[1].text());
    daemon.until("a check of the new one", |daemon| daemon.count("Second", "up") > 0).await;
    assert_eq!(scene.discord.requests(), 2);
    assert_eq!(scene.discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_file_that_is_gone_is_a_problem_like_any_other() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    fs::remove_file(daemon.config()).unwrap();
    let messages = scene.discord.wait_for(1, PATIENCE).await;
    assert!(messages[0].text().contains("services.yaml"), "{}", messages[0].text());
    daemon.further_checks("First", 3).await;
    daemon.configure(&scene.config(&["First"]));
    scene.discord.wait_for(2, PATIENCE).await;
}

#[tokio::test]
async fn an_invalid_file_at_the_start_is_refused() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::prepare(&scene.config(&["First"]).replace("interval: 1s", "interval: 1"));
    daemon.spawn();
    assert_eq!(daemon.ended(PATIENCE).await.code(), Some(78));
    assert!(daemon.log().contains("services.yaml:4: defaults.interval"), "{}", daemon.log());
    assert_eq!(scene.first.requests(), 0);
}

#[tokio::test]
async fn a_hang_up_reloads() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    daemon.hang_up();
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    daemon.further_checks("First", 3).await;
    assert_eq!(reloads(&daemon), 1);
    assert_eq!(daemon.alerts(), []);
}

#[tokio::test]
async fn a_changed_secret_takes_a_hang_up() {
    let scene = Scene::start().await;
    let config = config("${file:webhook}", LADDER, &[service("First", &scene.first.url("/"))]);
    let mut daemon = Daemon::prepare(&config);
    fs::write(daemon.path("webhook"), scene.discord.url_with("the-old-token")).unwrap();
    daemon.restart().await;
    daemon.until("a check", |daemon| daemon.count("First", "up") > 0).await;
    fs::write(daemon.path("webhook"), scene.discord.url_with("the-new-token")).unwrap();
    daemon.hang_up();
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    scene.first.set(Behaviour::Refuse).await;
    let messages = scene.discord.wait_for(1, PATIENCE).await;
    assert_eq!(messages[0].token, "the-new-token");
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_not_taken() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    daemon.until("a check", |daemon| daemon.count("First", "up") > 0).await;

    let whole = scene.config(&["First", "Second"]);
    let (head, tail) = whole.split_at(whole.len() - 30);
    let mut file = File::create(daemon.config()).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    // A slow writer: it goes on for several of the daemon's looks, each of which comes with about one check.
    let until = daemon.checks_of("First").len() + 4;
    let mut pen = interval(Duration::from_millis(100));
    while daemon.checks_of("First").len() < until {
        pen.tick().await;
        file.write_all(b"#").unwrap();
    }
    file.set_len(head.len() as u64).unwrap();
    drop(file);
    File::options().append(true).open(daemon.config()).unwrap().write_all(tail.as_bytes()).unwrap();

    daemon.until("a check of the new one", |daemon| daemon.count("Second", "up") > 0).await;
    assert!(!daemon.log().contains("invalid"), "{}", daemon.log());
    assert_eq!(reloads(&daemon), 1);
    assert_eq!(scene.discord.requests(), 0);
}

#[tokio::test]
async fn a_file_saved_in_place_or_under_another_name_is_seen() {
    let scene = Scene::start().await;
    let mut daemon = Daemon::start(&scene.config(&["First"])).await;
    fs::write(daemon.config(), scene.config(&["First", "Second"])).unwrap();
    daemon.until("the reload", |daemon| reloads(daemon) == 1).await;
    daemon.configure(&scene.config(&["First"]));
    daemon.until("the second reload", |daemon| reloads(daemon) == 2).await;
}
