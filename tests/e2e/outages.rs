//! From a service that dies to the message about it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::daemon::{Daemon, LADDER, PATIENCE, config, in_zone, rogue, rogue_plugin, service};
use crate::discord::{FakeDiscord, Received};
use crate::web::{Behaviour, WebServer};

/// A server that answers with these statuses, one a request; the last one stays.
struct Scripted {
    url: String,
    asked: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Scripted {
    async fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let router = Router::new().fallback(move || {
            let turn = counter.fetch_add(1, Ordering::SeqCst).min(statuses.len() - 1);
            std::future::ready(StatusCode::from_u16(statuses[turn]).unwrap())
        });
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, server }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn titles(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::title).collect()
}

/// The value of an embed's field.
fn field<'a>(message: &'a Received, name: &str) -> &'a str {
    let fields = message.embeds[0]["fields"].as_array().unwrap();
    let found = fields.iter().find(|field| field["name"] == name);
    found.and_then(|field| field["value"].as_str()).unwrap_or_else(|| panic!("no {name}: {}", message.text()))
}

fn kinds(daemon: &Daemon) -> Vec<String> {
    daemon.alerts().into_iter().map(|alert| alert.kind).collect()
}

#[tokio::test]
async fn a_death_is_announced_once_after_exactly_the_third_failed_check() {
    let discord = FakeDiscord::start().await;
    let server = Scripted::start(&[200, 200, 503]).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("Jellyfin", &server.url)])).await;

    let message = discord.wait_for(1, PATIENCE).await.remove(0);
    assert_eq!(message.title(), "🔴 Jellyfin is down");
    assert_eq!(field(&message, "Failed checks"), "3");
    assert_eq!(field(&message, "Zone"), "local");
    assert_eq!(field(&message, "Status"), "down (critical)");
    assert!(field(&message, "Reason").contains("503"), "{}", message.text());

    daemon.until("the delivery to be noted", |daemon| daemon.alerts()[0].state == "sent").await;
    let alert = daemon.alerts().remove(0);
    let before: Vec<_> =
        daemon.checks_of("Jellyfin").into_iter().filter(|check| check.at_ms <= alert.at_ms).collect();
    let statuses: Vec<_> = before.iter().map(|check| check.status.as_str()).collect();
    assert_eq!(statuses, ["up", "up", "down", "down", "down"]);

    daemon.further_checks("Jellyfin", 5).await;
    assert_eq!(discord.requests(), 1);
    assert_eq!(kinds(&daemon), ["opened"]);
    assert_eq!(discord.violations(), [""; 0]);
    assert!(daemon.log().contains("alert opened"), "the log tells it too");
}

#[tokio::test]
async fn a_recovery_is_announced_once_with_the_downtime() {
    let discord = FakeDiscord::start().await;
    let server = Scripted::start(&[200, 500, 500, 500, 500, 200]).await;
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url)])).await;

    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 NAS is down", "🟢 NAS is up again"]);
    daemon.further_checks("NAS", 5).await;
    assert_eq!(discord.requests(), 2);
    assert_eq!(kinds(&daemon), ["opened", "recovered"]);

    let incidents = daemon.incidents();
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert_eq!((incidents[0].checks_failed, incidents[0].severity.as_str()), (4, "critical"));
    let lasted = incidents[0].closed_ms.unwrap() - incidents[0].opened_ms;
    let downtime = field(&messages[1], "Downtime");
    let told: f64 = downtime.strip_suffix(" s").unwrap_or(downtime).parse().unwrap();
    assert!(
        (told * 1000.0 - lasted as f64).abs() <= 1000.0,
        "{downtime}, and the incident lasted {lasted} ms"
    );
    let first_bad = daemon.checks_of("NAS").into_iter().find(|check| check.status == "down").unwrap();
    assert_eq!(incidents[0].opened_ms, first_bad.at_ms);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_service_that_blinks_twice_is_not_announced() {
    let discord = FakeDiscord::start().await;
    let server = Scripted::start(&[200, 500, 500, 200, 500, 500, 200, 500, 200]).await;
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &[service("Blinker", &server.url)])).await;
    daemon.until("the blinking and more", |daemon| daemon.checks_of("Blinker").len() >= 11).await;
    assert_eq!(daemon.count("Blinker", "down"), 5);
    assert_eq!(discord.requests(), 0);
    assert_eq!(daemon.alerts(), []);
    assert_eq!(daemon.incidents(), []);
}

#[tokio::test]
async fn retries_belong_to_one_check() {
    let discord = FakeDiscord::start().await;
    // One check fails with all its attempts, the next one succeeds in its third.
    let server = Scripted::start(&[200, 500, 500, 500, 500, 500, 200]).await;
    let config = config(&discord.url(), LADDER, &[service("Blinker", &server.url)]);
    let mut daemon = Daemon::start(&config.replace("retries: 0", "retries: 2")).await;
    daemon.until("four checks", |daemon| daemon.checks_of("Blinker").len() >= 4).await;
    let statuses: Vec<_> = daemon.checks_of("Blinker").into_iter().map(|check| check.status).collect();
    assert_eq!(statuses[..4], ["up", "down", "up", "up"]);
    assert!(server.asked.load(Ordering::SeqCst) >= 8);
    assert_eq!(daemon.alerts(), []);
}

#[tokio::test]
async fn a_second_service_that_dies_meanwhile_is_announced_too() {
    let discord = FakeDiscord::start().await;
    let (first, second) =
        (WebServer::start(Behaviour::ok("")).await, WebServer::start(Behaviour::ok("")).await);
    let services = [service("First", &first.url("/")), service("Second", &second.url("/"))];
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &services)).await;
    daemon
        .until("both to be up", |daemon| daemon.count("First", "up") > 0 && daemon.count("Second", "up") > 0)
        .await;

    first.set(Behaviour::Refuse).await;
    discord.wait_for(1, PATIENCE).await;
    second.set(Behaviour::Hang).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 First is down", "🔴 Second is down"]);

    second.set(Behaviour::ok("")).await;
    discord.wait_for(3, PATIENCE).await;
    first.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(4, PATIENCE).await;
    assert_eq!(titles(&messages)[2..], ["🟢 Second is up again", "🟢 First is up again"]);
    daemon.further_checks("First", 3).await;
    assert_eq!(discord.requests(), 4);
}

#[tokio::test]
async fn an_outage_that_lasts_climbs_the_ladder_and_is_repeated() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let ladder =
        "[{ after: 3, severity: warning }, { after: 6s, severity: critical, mention: here, repeat: 3s }]";
    let mut daemon =
        Daemon::start(&config(&discord.url(), ladder, &[service("NAS", &server.url("/"))])).await;

    let messages = discord.wait_for(4, PATIENCE).await;
    assert_eq!(kinds(&daemon)[..4], ["opened", "escalated", "reminder", "reminder"]);
    assert_eq!(messages[0].title(), "🔴 NAS is down");
    assert_eq!(field(&messages[0], "Status"), "down");
    assert!(messages[1..4].iter().all(|message| message.title().starts_with("🔴 NAS is still down")));
    assert_eq!(field(&messages[1], "Status"), "down (critical)");
    assert_eq!(messages[0].pings(), [""; 0]);
    assert_eq!(messages[1].pings(), ["@here"]);

    let alerts = daemon.alerts();
    let opened = daemon.incidents()[0].opened_ms;
    // The ladder's times run by a clock that cannot jump, these stamps by one that can be slewed.
    assert!(alerts[1].at_ms - opened >= 5_900, "{alerts:?}");
    assert!(alerts[1..4].windows(2).all(|pair| pair[1].at_ms - pair[0].at_ms >= 2_900), "{alerts:?}");

    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery", |daemon| kinds(daemon).last().is_some_and(|kind| kind == "recovered")).await;
    let told = daemon.alerts().len();
    let messages = discord.wait_for(told, PATIENCE).await;
    assert_eq!(messages[told - 1].title(), "🟢 NAS is up again");
    daemon.further_checks("NAS", 4).await;
    assert_eq!(discord.requests(), told, "nothing is repeated after the recovery");
    assert_eq!(daemon.incidents()[0].severity, "critical");
}

#[tokio::test]
async fn what_cannot_be_told_is_never_announced_as_down() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let services = [rogue("Trapped", "trap"), rogue("Looping", "loop"), service("NAS", &server.url("/"))];
    let config = rogue_plugin() + &config(&discord.url(), LADDER, &services);
    let mut daemon = Daemon::start(&config).await;

    discord.wait_for(3, PATIENCE).await;
    daemon.further_checks("NAS", 4).await;
    let mut messages = discord.received();
    messages.sort_by_key(|message| message.title().to_owned());
    let seen = titles(&messages);
    let cannot_tell = ["⚪ cannot tell whether Looping is up", "⚪ cannot tell whether Trapped is up"];
    assert_eq!(seen[..2], cannot_tell);
    assert_eq!(seen[2..], ["🔴 PiHook's plugin rogue-check is down"], "it is to blame");
    assert!(messages[..2].iter().all(|message| !message.text().contains("down")), "{messages:?}");

    for (service, reason) in [("Trapped", "trapped"), ("Looping", "CPU time")] {
        let checks = daemon.checks_of(service);
        assert!(checks.len() >= 6, "it takes twice as long as being down does");
        assert!(checks[0].summary.contains(reason), "{}", checks[0].summary);
        for check in checks {
            assert_eq!(check.status, "unknown");
            assert!(check.summary.starts_with("plugin rogue-check"), "{}", check.summary);
        }
        let last = daemon.checks_of(service).pop().unwrap().summary;
        assert!(last.starts_with("plugin rogue-check is quarantined until "), "{last}");
    }
    assert_eq!(daemon.count("NAS", "up"), daemon.checks_of("NAS").len(), "the others are checked as ever");
}

#[tokio::test]
async fn maintenance_mutes_and_logs_and_then_tells_once() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.until("it to be up", |daemon| daemon.count("NAS", "up") > 0).await;
    daemon.flag("");
    daemon.until("maintenance", |daemon| daemon.log().contains("maintenance is on")).await;
    server.set(Behaviour::status(502)).await;
    daemon.until("a muted outage", |daemon| daemon.count("NAS", "down") >= 6).await;

    assert_eq!(discord.requests(), 0);
    assert_eq!(daemon.alerts(), []);
    assert_eq!(daemon.incidents().len(), 1, "history has it");
    let down: Vec<_> = daemon.checks_of("NAS").into_iter().filter(|check| check.status == "down").collect();
    assert!(down.iter().all(|check| check.in_maintenance), "{down:?}");

    daemon.unflag();
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(messages[0].title(), "🔴 NAS is down after maintenance");
    daemon.further_checks("NAS", 5).await;
    assert_eq!(discord.requests(), 1);
    assert_eq!(kinds(&daemon), ["opened"]);
    assert!(!daemon.checks_of("NAS").last().unwrap().in_maintenance);
}

#[tokio::test]
async fn a_flag_from_before_the_start_holds_and_survives_a_restart() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    daemon.flag("reason: moving house\n");
    daemon.restart().await;
    daemon.until("a muted outage", |daemon| daemon.count("NAS", "down") >= 4).await;
    daemon.stop().await;
    daemon.restart().await;
    daemon.further_checks("NAS", 4).await;
    assert!(daemon.checks_of("NAS").iter().all(|check| check.in_maintenance));
    assert!(daemon.log().contains("moving house"));
    assert_eq!(discord.requests(), 0);

    daemon.unflag();
    discord.wait_for(1, PATIENCE).await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(kinds(&daemon), ["opened"]);
}

#[tokio::test]
async fn an_outage_that_begins_and_ends_in_maintenance_is_never_told() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    daemon.flag("");
    daemon.restart().await;
    daemon.until("a muted outage", |daemon| daemon.count("NAS", "down") >= 4).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("its end", |daemon| daemon.count("NAS", "up") >= 2).await;
    daemon.unflag();
    daemon.until("the flag's end", |daemon| !daemon.checks_of("NAS").last().unwrap().in_maintenance).await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(daemon.alerts(), []);
    assert_eq!(discord.requests(), 0);
    assert!(daemon.incidents()[0].closed_ms.is_some());
}

#[tokio::test]
async fn a_recovery_in_maintenance_is_held_and_then_told_once() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    discord.wait_for(1, PATIENCE).await;
    daemon.flag("");
    daemon.until("maintenance", |daemon| daemon.checks_of("NAS").last().unwrap().in_maintenance).await;
    server.set(Behaviour::ok("")).await;
    daemon.until("the recovery", |daemon| daemon.count("NAS", "up") >= 4).await;
    assert_eq!(discord.requests(), 1);

    daemon.unflag();
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "🟢 NAS is up again");
    daemon.further_checks("NAS", 4).await;
    assert_eq!(kinds(&daemon), ["opened", "recovered"]);
}

#[tokio::test]
async fn an_outage_told_before_maintenance_is_recalled_after_it() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    discord.wait_for(1, PATIENCE).await;
    daemon.flag("");
    daemon.until("maintenance", |daemon| daemon.checks_of("NAS").last().unwrap().in_maintenance).await;
    daemon.further_checks("NAS", 4).await;
    assert_eq!(discord.requests(), 1);
    daemon.unflag();
    discord.wait_for(2, PATIENCE).await;
    daemon.further_checks("NAS", 4).await;
    assert_eq!(kinds(&daemon), ["opened", "reminder"]);
}

#[tokio::test]
async fn a_flag_ends_by_itself_at_its_time() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    let output = daemon.pihook(&["maintenance", "on", "--for", "8s", "--reason", "upgrade"]).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    daemon.restart().await;
    daemon.until("a muted outage", |daemon| daemon.count("NAS", "down") >= 4).await;
    assert_eq!(discord.requests(), 0);
    discord.wait_for(1, PATIENCE).await;
    daemon.further_checks("NAS", 2).await;
    assert!(daemon.path("data/maintenance.flag").exists());
    assert!(!daemon.checks_of("NAS").last().unwrap().in_maintenance);
    assert_eq!(kinds(&daemon), ["opened"]);
}

#[tokio::test]
async fn a_flag_may_cover_services_and_zones_alone() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let url = server.url("/");
    let services = [service("NAS", &url), in_zone("external", "Blog", &url), service("Jellyfin", &url)];
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &services));
    daemon.flag("services: [NAS]\nzones: [external]\n");
    daemon.restart().await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 Jellyfin is down"]);
    for service in ["NAS", "Blog", "Jellyfin"] {
        daemon.until("an outage", |daemon| daemon.count(service, "down") >= 5).await;
        let covered = service != "Jellyfin";
        assert!(daemon.checks_of(service).iter().all(|check| check.in_maintenance == covered), "{service}");
    }
    assert_eq!(discord.requests(), 1);
    daemon.unflag();
    let messages = discord.wait_for(3, PATIENCE).await;
    let mut late = titles(&messages[1..]);
    late.sort_unstable();
    assert_eq!(late, ["🔴 Blog is down after maintenance", "🔴 NAS is down after maintenance"]);
}

#[tokio::test]
async fn a_flag_that_cannot_be_understood_mutes_everything_and_is_reported() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let mut daemon = Daemon::prepare(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]));
    daemon.flag("until: half past nine\n");
    daemon.restart().await;
    daemon.until("a muted outage", |daemon| daemon.count("NAS", "down") >= 5).await;
    assert_eq!(discord.requests(), 0);
    assert!(daemon.log().contains("half past nine"), "the log says what is wrong with it");
}

#[tokio::test]
async fn the_flag_is_obeyed_within_two_seconds() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let mut daemon =
        Daemon::start(&config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])).await;
    daemon.flag("");
    let began = tokio::time::Instant::now();
    daemon.until("maintenance", |daemon| daemon.log().contains("maintenance is on")).await;
    assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
}
