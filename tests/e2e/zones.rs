//! Failures that something else explains: zones that are cut off, and services that depend on others.

use super::daemon::{Daemon, LADDER, PATIENCE, config, in_zone, service};
use crate::discord::{FakeDiscord, Received};
use crate::web::{Behaviour, WebServer};

async fn ok() -> WebServer {
    WebServer::start(Behaviour::ok("")).await
}

/// The file of these services with canaries in the zone `external`.
fn with_canaries(
    discord: &FakeDiscord,
    ladder: &str,
    canaries: &[&WebServer],
    services: &[String],
) -> String {
    let urls: Vec<_> = canaries.iter().map(|canary| format!("\"{}\"", canary.url("/"))).collect();
    let zone = format!("external: {{ canaries: [{}] }}", urls.join(", "));
    config(&discord.url(), ladder, services).replace("external: {}", &zone)
}

fn titles(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::title).collect()
}

async fn each(servers: &[&WebServer], behaviour: Behaviour) {
    for server in servers {
        server.set(behaviour.clone()).await;
    }
}

async fn until_up(daemon: &mut Daemon, names: &[&str]) {
    daemon.until("all to be up", |daemon| names.iter().all(|name| daemon.count(name, "up") > 0)).await;
}

#[tokio::test]
async fn a_zone_that_is_cut_off_is_one_alert_and_real_outages_are_told_when_it_is_back() {
    let discord = FakeDiscord::start().await;
    let (one, other, blog, shop, nas) = (ok().await, ok().await, ok().await, ok().await, ok().await);
    let services = [
        in_zone("external", "Blog", &blog.url("/")),
        in_zone("external", "Shop", &shop.url("/")),
        service("NAS", &nas.url("/")),
    ];
    let mut daemon = Daemon::start(&with_canaries(&discord, LADDER, &[&one, &other], &services)).await;
    until_up(&mut daemon, &["Blog", "Shop", "NAS", "Zone external"]).await;

    each(&[&one, &other, &blog, &shop], Behaviour::Refuse).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(messages[0].title(), "🔴 Zone external is cut off");
    let text = messages[0].text();
    assert!(text.contains("cut off: no canary answers ("), "{text}");
    daemon
        .until("services that cannot be told", |daemon| {
            daemon.count("Blog", "unknown") >= 8 && daemon.count("Shop", "unknown") >= 8
        })
        .await;
    let last = daemon.checks_of("Blog").pop().unwrap();
    assert!(last.summary.starts_with("zone external is cut off; the check said: "), "{}", last.summary);

    nas.set(Behaviour::Refuse).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "🔴 NAS is down", "another zone goes on");
    nas.set(Behaviour::ok("")).await;
    discord.wait_for(3, PATIENCE).await;

    each(&[&other, &shop], Behaviour::ok("")).await;
    let messages = discord.wait_for(5, PATIENCE).await;
    assert_eq!(
        titles(&messages)[2..],
        ["🟢 NAS is up again", "🟢 Zone external is reachable again", "🔴 Blog is down"]
    );
    assert!(messages[3].text().contains("Downtime"), "{}", messages[3].text());
    daemon.further_checks("Shop", 4).await;
    assert_eq!(discord.requests(), 5);
    let cut_off = daemon.checks_of("Zone external").into_iter().filter(|check| check.status == "down");
    assert!(cut_off.count() >= 3, "history has the zone too");
    let incidents: Vec<_> = daemon.incidents().into_iter().map(|incident| incident.service).collect();
    assert_eq!(incidents, ["Zone external", "NAS", "Blog"]);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn with_the_shortest_ladder_too_the_canaries_are_asked_before_anything_is_told() {
    let discord = FakeDiscord::start().await;
    let (canary, blog) = (ok().await, ok().await);
    let services = [in_zone("external", "Blog", &blog.url("/"))];
    let ladder = "[{ after: 1 }]";
    // The zone by itself is looked at once a minute alone.
    let file = with_canaries(&discord, ladder, &[&canary], &services)
        .replace("interval: 1s", "interval: 60s")
        .replace("name: Blog,", "name: Blog, interval: 1s,");
    let mut daemon = Daemon::start(&file).await;
    until_up(&mut daemon, &["Blog"]).await;
    each(&[&canary, &blog], Behaviour::Refuse).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 Zone external is cut off"]);
    daemon.further_checks("Blog", 4).await;
    assert_eq!((daemon.count("Blog", "down"), discord.requests()), (0, 1));

    // The service's own return is no proof of the zone's; nor does it need one.
    each(&[&blog, &canary], Behaviour::ok("")).await;
    daemon.until("it to be up again", |daemon| daemon.checks_of("Blog").last().unwrap().status == "up").await;
    blog.set(Behaviour::Refuse).await;
    let messages = discord.wait_for(3, PATIENCE).await;
    assert_eq!(titles(&messages)[1..], ["🟢 Zone external is reachable again", "🔴 Blog is down"]);
}

#[tokio::test]
async fn a_crash_while_a_zone_is_cut_off_repeats_nothing() {
    let discord = FakeDiscord::start().await;
    let (canary, blog) = (ok().await, ok().await);
    let services = [in_zone("external", "Blog", &blog.url("/"))];
    let mut daemon = Daemon::start(&with_canaries(&discord, LADDER, &[&canary], &services)).await;
    until_up(&mut daemon, &["Blog", "Zone external"]).await;
    each(&[&canary, &blog], Behaviour::Refuse).await;
    discord.wait_for(1, PATIENCE).await;
    daemon.until("the delivery to be noted", |daemon| daemon.alerts()[0].state == "sent").await;
    for _ in 0..2 {
        daemon.kill();
        daemon.restart().await;
        daemon.further_checks("Blog", 4).await;
    }
    daemon.stop().await;
    daemon.restart().await;
    each(&[&canary, &blog], Behaviour::ok("")).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    let told = ["🔴 Zone external is cut off", "🟢 Zone external is reachable again"];
    assert_eq!(titles(&messages), told);
    daemon.until("it to be up", |daemon| daemon.checks_of("Blog").last().unwrap().status == "up").await;
    daemon.further_checks("Blog", 3).await;
    assert_eq!(discord.requests(), 2);
}

#[tokio::test]
async fn what_needs_no_network_is_told_whatever_the_network_does() {
    let discord = FakeDiscord::start().await;
    let canary = WebServer::start(Behaviour::Refuse).await;
    let full = "  - { name: Disk, zone: external, check: disk, settings: { mount: /, critical: 1B } }\n";
    let full = full.replace("critical: 1B", "warn: 0.001%, critical: 0.01%");
    let mut daemon = Daemon::start(&with_canaries(&discord, LADDER, &[&canary], &[full])).await;
    let mut messages = discord.wait_for(2, PATIENCE).await;
    messages.sort_by_key(|message| message.title().to_owned());
    assert_eq!(titles(&messages), ["🔴 Disk is down", "🔴 Zone external is cut off"]);
    daemon.further_checks("Disk", 2).await;
    assert_eq!(daemon.count("Disk", "unknown"), 0);
}

#[tokio::test]
async fn canaries_that_a_reload_brings_count_from_then_on_and_so_do_those_that_it_takes_away() {
    let discord = FakeDiscord::start().await;
    let (canary, blog) = (WebServer::start(Behaviour::Refuse).await, ok().await);
    let services = [in_zone("external", "Blog", &blog.url("/"))];
    let without = config(&discord.url(), LADDER, &services);
    let mut daemon = Daemon::start(&without).await;
    until_up(&mut daemon, &["Blog"]).await;
    daemon.configure(&with_canaries(&discord, LADDER, &[&canary], &services));
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 Zone external is cut off"]);
    blog.set(Behaviour::Refuse).await;
    daemon.until("it cannot be told", |daemon| daemon.count("Blog", "unknown") >= 4).await;
    daemon.configure(&without);
    let messages = discord.wait_for(2, PATIENCE).await;
    assert_eq!(messages[1].title(), "🔴 Blog is down", "nothing explains it any more");
    assert!(daemon.incidents()[0].closed_ms.is_some(), "the zone's incident has ended in silence");
}

#[tokio::test]
async fn a_service_that_depends_on_another_is_told_when_the_other_is_back_and_it_is_not() {
    let discord = FakeDiscord::start().await;
    let (router, films) = (ok().await, ok().await);
    let depends =
        format!("  - {{ name: Films, zone: external, url: \"{}\", depends_on: [Router] }}\n", films.url("/"));
    let services = [depends, service("Router", &router.url("/"))];
    let mut daemon = Daemon::start(&config(&discord.url(), LADDER, &services)).await;
    until_up(&mut daemon, &["Films", "Router"]).await;
    each(&[&router, &films], Behaviour::Refuse).await;
    let messages = discord.wait_for(1, PATIENCE).await;
    assert_eq!(titles(&messages), ["🔴 Router is down"]);
    daemon.until("it cannot be told", |daemon| daemon.count("Films", "unknown") >= 8).await;
    let last = daemon.checks_of("Films").pop().unwrap();
    assert!(last.summary.starts_with("Router is down; the check said: "), "{}", last.summary);
    assert_eq!(discord.requests(), 1);
    router.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(3, PATIENCE).await;
    assert_eq!(titles(&messages)[1..], ["🟢 Router is up again", "🔴 Films is down"]);
    films.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(4, PATIENCE).await;
    assert_eq!(messages[3].title(), "🟢 Films is up again");
}
