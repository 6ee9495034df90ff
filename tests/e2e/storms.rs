//! Many alerts at once, alerts at night, and alerts for a sink that is out of order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a helper that fails fails its test"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::crashes::Random;
use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use super::maintenance_windows::at;
use crate::discord::{Answer, FakeDiscord, Received, TOKEN};
use crate::web::{Behaviour, WebServer};

/// What [`config`] says of its sink.
const EACH: &str = "gather: 0s, max_per_minute: 600";

/// So many services of one server, with names of the same length.
fn services(count: usize, server: &WebServer) -> Vec<String> {
    (0..count).map(|number| service(&name(number), &server.url("/"))).collect()
}

fn name(number: usize) -> String {
    format!("S{number:03}")
}

/// The same configuration, told in another way.
fn told(config: &str, how: &str) -> String {
    let told = config.replace(EACH, how);
    assert_ne!(told, config);
    told
}

/// The numbers of the services that a message names.
fn named(message: &Received) -> Vec<usize> {
    let text = message.text();
    (0..200).filter(|number| text.contains(&name(*number))).collect()
}

/// What a reader sees, without the note that it comes late.
fn wording(message: &Received) -> String {
    let embed = message.embeds.first().unwrap_or(&Value::Null);
    format!("{} {} {}", message.content.as_deref().unwrap_or_default(), embed["title"], embed["description"])
}

async fn all_sent(daemon: &mut Daemon) {
    daemon.until("all to be sent", |daemon| daemon.alerts().iter().all(|alert| alert.state == "sent")).await;
}

#[tokio::test]
async fn a_hundred_services_that_die_at_once_are_one_alert_and_digests() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::ok("")).await);
    let plain =
        config(&discord.url(), LADDER, &services(100, &server)).replace("interval: 1s", "interval: 3s");
    let mut daemon = Daemon::start(&told(&plain, "")).await;
    daemon.until("all to be up", |daemon| (0..100).all(|it| daemon.count(&name(it), "up") > 0)).await;
    server.set(Behaviour::Refuse).await;
    let first = discord.wait_for(1, PATIENCE).await.remove(0);
    assert!(first.title().contains(" is down"), "{}", first.title());
    daemon.until("all alerts", |daemon| daemon.alerts().len() == 100).await;
    all_sent(&mut daemon).await;

    let messages = discord.received();
    let mut seen: Vec<usize> = messages.iter().flat_map(named).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<_>>(), "each is named once");
    assert!(messages.len() <= 4, "{} messages", messages.len());
    assert!(messages[1].title().contains(" alerts"), "{}", messages[1].title());
    for pair in messages.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(9_900), "not gathered");
    }
    assert_eq!(discord.violations(), [""; 0]);

    server.set(Behaviour::ok("")).await;
    daemon.until("the ends", |daemon| daemon.alerts().len() == 200).await;
    all_sent(&mut daemon).await;
    let messages = discord.received();
    let ends: Vec<&Received> =
        messages.iter().filter(|message| message.text().contains("up again")).collect();
    let mut seen: Vec<usize> = ends.iter().flat_map(|message| named(message)).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..100).collect::<Vec<_>>(), "each end is told once");
    println!("200 alerts, {} messages", messages.len());
    assert!(messages.len() <= 8, "{} messages", messages.len());
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn kills_in_a_storm_lose_nothing_and_repeat_only_what_was_in_flight() {
    let mut random = Random::new();
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let plain = config(&discord.url(), LADDER, &services(30, &server));
    let mut daemon = Daemon::prepare(&told(&plain, "gather: 300ms, max_per_minute: 600"));
    for _ in 0..12 {
        discord.script([Answer::Ok, Answer::TakeAndHang, Answer::ServerError, Answer::Ok, Answer::Hang]);
        daemon.spawn();
        // Not a state to wait for: a crash comes when it comes.
        tokio::time::sleep(random.micros(300_000, 2_500_000)).await;
        daemon.kill();
    }
    discord.script([Answer::Ok]);
    daemon.restart().await;
    daemon.until("all alerts", |daemon| daemon.alerts().len() == 30).await;
    all_sent(&mut daemon).await;
    daemon.further_checks(&name(0), 2).await;

    // By service, what was said of it: always in the same message, so no batch was split or worded anew.
    let messages = discord.received();
    let mut said: BTreeMap<usize, String> = BTreeMap::new();
    let mut order: Vec<usize> = Vec::new();
    for message in &messages {
        let names = named(message);
        assert!(!names.is_empty(), "{}", message.text());
        if !said.contains_key(&names[0]) {
            order.push(names[0]);
        }
        for name in names {
            let before = said.entry(name).or_insert_with(|| wording(message));
            assert_eq!(*before, wording(message), "a batch was changed after a crash");
        }
    }
    assert_eq!(said.len(), 30, "not all is told");
    // Messages begin with alerts in the order in which they were decided.
    let decided: Vec<String> = daemon.alerts().into_iter().map(|alert| alert.service).collect();
    let place = |number: &usize| decided.iter().position(|service| *service == name(*number)).unwrap();
    assert!(order.iter().map(place).is_sorted(), "{order:?} of {decided:?}");
    println!("30 alerts, {} messages", messages.len());
    assert_eq!(discord.violations(), [""; 0]);
    assert_eq!(daemon.integrity(), "ok");
}

/// A daemon with a sink `discord` of these settings and another, `phone`, which only gets what the first does not take.
async fn with_fallback(
    discord: &FakeDiscord,
    phone: &FakeDiscord,
    after: &str,
    server: &WebServer,
) -> Daemon {
    let ladder = "[{ after: 3, severity: critical, sinks: [discord] }]";
    let plain = config(&discord.url(), ladder, &[service("NAS", &server.url("/"))]);
    let how = format!("{EACH}, fallback: phone, fallback_after: {after}");
    let other = format!("}}, phone: {{ type: discord, url: \"{}\", {EACH} }} }}", phone.url());
    Daemon::start(&told(&plain, &how).replacen("} }\nescalation", &format!("{other}\nescalation"), 1)).await
}

#[tokio::test]
async fn a_fallback_is_told_what_a_deleted_webhook_does_not_take() {
    let (discord, phone) = (FakeDiscord::start().await, FakeDiscord::start().await);
    let server = WebServer::start(Behaviour::Refuse).await;
    discord.revoke(TOKEN);
    let mut daemon = with_fallback(&discord, &phone, "1h", &server).await;
    let of_nas = |messages: &[Received]| {
        let mut of_nas = messages.to_vec();
        of_nas.retain(|message| message.title().contains("NAS"));
        of_nas
    };
    daemon.until("the alert at the fallback", |_| of_nas(&phone.received()).len() == 1).await;
    let told = of_nas(&phone.received()).remove(0);
    assert!(told.title().contains("NAS is down"), "{}", told.text());
    assert!(told.text().contains("This was meant for the sink discord."), "{}", told.text());
    server.set(Behaviour::ok("")).await;
    daemon.until("the end at the fallback", |_| of_nas(&phone.received()).len() == 2).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!((of_nas(&phone.received()).len(), discord.requests()), (2, 1), "told once, and tried once");
    let status = daemon.pihook(&["status"]).await;
    assert!(!String::from_utf8_lossy(&status.stdout).contains("Undelivered"), "{status:?}");
    assert_eq!([discord.violations(), phone.violations()].concat(), [""; 0]);
}

#[tokio::test]
async fn a_fallback_is_told_what_a_hanging_sink_does_not_take_and_the_sink_is_used_again() {
    let (discord, phone) = (FakeDiscord::start().await, FakeDiscord::start().await);
    let server = WebServer::start(Behaviour::Refuse).await;
    discord.script([Answer::Hang]);
    let mut daemon = with_fallback(&discord, &phone, "11s", &server).await;
    let message = phone.wait_for(1, PATIENCE).await.remove(0);
    assert!(message.text().contains("This was meant for the sink discord."), "{}", message.text());
    discord.script([Answer::Ok]);
    server.set(Behaviour::ok("")).await;
    let end = discord.wait_for(1, PATIENCE).await.remove(0);
    assert!(end.title().contains("NAS is up again"), "{}", end.text());
    assert!(!end.text().contains("meant for"), "{}", end.text());
    let messages = phone.wait_for(2, PATIENCE).await;
    assert!(
        messages[1].title().contains("NAS is up again"),
        "who was told of the beginning hears of the end"
    );
    all_sent(&mut daemon).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!((discord.received().len(), phone.received().len()), (1, 2));
}

#[tokio::test]
async fn quiet_hours_hold_what_is_not_critical_until_they_end() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let passing = WebServer::start(Behaviour::Refuse).await;
    let own = |line: String, severity: &str| {
        line.replace(" }", &format!(", escalation: [{{ after: 2, severity: {severity} }}] }}"))
    };
    let services = [
        own(service("Page", &server.url("/")), "warning"),
        own(service("Disk", &server.url("/")), "info"),
        own(service("Passing", &passing.url("/")), "warning"),
        own(service("NAS", &server.url("/")), "critical").replace("after: 2", "after: 4"),
    ];
    let plain = config(&discord.url(), LADDER, &services);
    // From an hour ago to an hour from now; and then from an hour from now on.
    let hour = |hours: i64| at(hours * 3600).strftime("%H:%M").to_string();
    let quiet = |from, until| {
        format!("gather: 1s, quiet_hours: {{ daily: \"{}-{}\", timezone: UTC }}", hour(from), hour(until))
    };
    let mut daemon = Daemon::start(&told(&plain, &quiet(-1, 1))).await;
    daemon
        .until("the first of what passes", |daemon| daemon.alerts().iter().any(|it| it.service == "Passing"))
        .await;
    passing.set(Behaviour::ok("")).await;
    let message = discord.wait_for(1, PATIENCE).await.remove(0);
    assert!(message.title().contains("NAS is down"), "{}", message.text());
    let ended = |daemon: &Daemon| {
        daemon.alerts().iter().filter(|it| it.service == "Passing" && it.state == "dead").count()
    };
    daemon.until("what has passed to be spared", |daemon| ended(daemon) == 2).await;
    daemon.further_checks("NAS", 3).await;
    assert_eq!(discord.requests(), 1, "something was told at night");
    let status = daemon.pihook(&["status"]).await;
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("Page opened to discord") && !status.contains("Passing opened"), "{status}");

    daemon.stop().await;
    daemon.configure(&told(&plain, &quiet(1, 3)));
    daemon.restart().await;
    let messages = discord.wait_for(2, PATIENCE).await;
    all_at_rest(&mut daemon).await;
    let told: Vec<String> = discord.received()[1..].iter().map(Received::text).collect();
    assert_eq!(told.iter().filter(|text| text.contains("Page")).count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|text| text.contains("Disk")).count(), 1, "{told:?}");
    assert!(messages.iter().all(|message| !message.text().contains("Passing")), "{told:?}");
    assert_eq!(discord.violations(), [""; 0]);
}

async fn all_at_rest(daemon: &mut Daemon) {
    daemon
        .until("nothing to be pending", |daemon| daemon.alerts().iter().all(|it| it.state != "pending"))
        .await;
}

#[tokio::test]
async fn the_message_of_an_incident_is_changed_when_it_ends() {
    let (discord, server) = (FakeDiscord::start().await, WebServer::start(Behaviour::Refuse).await);
    let plain = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&told(&plain, &format!("{EACH}, update: true"))).await;
    discord.wait_for(1, PATIENCE).await;
    all_sent(&mut daemon).await;
    // The message is known after a restart too, and a change that fails is tried again.
    daemon.stop().await;
    discord.script([Answer::ServerError, Answer::Close, Answer::Ok]);
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    daemon.until("the change", |_| discord.edits().len() == 1).await;
    all_sent(&mut daemon).await;
    let edit = discord.edits().remove(0);
    assert_eq!((edit.id.as_str(), edit.title()), (discord.received()[0].id.as_str(), "🟢 NAS is up again"));
    assert_eq!(discord.received().len(), 1);

    server.set(Behaviour::Refuse).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    discord.delete(&messages[1].id);
    server.set(Behaviour::ok("")).await;
    let messages = discord.wait_for(3, PATIENCE).await;
    assert_eq!(messages[2].title(), "🟢 NAS is up again", "a message that was deleted is told anew");
    all_sent(&mut daemon).await;
    assert_eq!(discord.edits().len(), 1);
    assert_eq!(discord.violations(), [""; 0]);
}
