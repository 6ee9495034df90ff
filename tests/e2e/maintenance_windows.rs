//! Windows of maintenance: they mute by themselves, and afterwards one alert says what there is to say.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::daemon::{Daemon, LADDER, PATIENCE, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

/// So many seconds from now.
fn at(seconds: i64) -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the daemon goes by the clock of the machine")]
    let now = Timestamp::now();
    now + SignedDuration::from_secs(seconds)
}

/// The file, with a window from a minute ago to this moment.
fn with_window(config: &str, until: Timestamp, more: &str) -> String {
    format!("{config}maintenance:\n  - {{ name: works, from: '{}', until: '{until}'{more} }}\n", at(-60))
}

fn is_muted(daemon: &Daemon, service: &str) -> bool {
    daemon.checks_of(service).last().is_some_and(|check| check.in_maintenance)
}

#[tokio::test]
async fn a_window_mutes_and_its_end_is_one_alert() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::Refuse).await;
    let config = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let until = at(10);
    let mut daemon = Daemon::start(&with_window(&config, until, "")).await;
    daemon.until("the incident", |daemon| daemon.incidents().len() == 1).await;
    assert!(is_muted(&daemon, "NAS") && at(0) < until);
    assert_eq!((discord.requests(), daemon.alerts().len()), (0, 0));

    let messages = discord.wait_for(1, PATIENCE + Duration::from_secs(10)).await;
    assert!(at(0) >= until);
    assert!(messages[0].title().contains("NAS is down"), "{}", messages[0].text());
    daemon.further_checks("NAS", 4).await;
    assert!(!is_muted(&daemon, "NAS"));
    assert_eq!((discord.requests(), daemon.alerts().len()), (1, 1), "exactly one alert");
}

#[tokio::test]
async fn a_reload_opens_and_closes_a_window_for_some() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let services = ["NAS", "Web"].map(|name| service(name, &server.url("/")));
    let config = config(&discord.url(), LADDER, &services)
        .replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }");
    let mut daemon = Daemon::start(&config).await;
    daemon.until("a check", |daemon| daemon.count("NAS", "up") > 0).await;
    assert!(!is_muted(&daemon, "NAS"));
    daemon.configure(&with_window(&config, at(3600), ", services: [NAS], reason: new disks"));
    daemon.until("the window", |daemon| is_muted(daemon, "NAS")).await;
    daemon.further_checks("Web", 1).await;
    assert!(!is_muted(&daemon, "Web"));

    let output = daemon.pihook(&["maintenance", "status"]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("maintenance is off: alerts are sent\nwindow works: open until "), "{said}");
    assert!(said.ends_with(", for NAS (new disks)\n"), "{said}");

    let status = daemon.pihook(&["status"]).await;
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("  NAS, by the window works: new disks; until "), "{status}");
    assert!(status.contains(" left)"), "{status}");
    let page = super::dashboard::page(&mut daemon).await;
    assert!(page.contains("Alerts are muted for NAS, by the window works: new disks; until "), "{page}");

    daemon.configure(&config);
    daemon.until("the end of it", |daemon| !is_muted(daemon, "NAS")).await;
    let over = |daemon: &Daemon| daemon.maintenance().first().is_some_and(|(_, ended)| ended.is_some());
    daemon.until("the end of it in history", over).await;
    assert_eq!(daemon.maintenance().len(), 1);
    assert_eq!(daemon.maintenance()[0].0, "window works: NAS (new disks)");
    let report = daemon.pihook(&["report"]).await;
    let report = String::from_utf8(report.stdout).unwrap();
    assert!(
        report.contains("\nMaintenance\n") && report.contains(": NAS, by the window works: new disks\n"),
        "{report}"
    );
    let status = daemon.pihook(&["status"]).await;
    assert!(!String::from_utf8(status.stdout).unwrap().contains("muted"));
}

#[tokio::test]
async fn a_flag_is_in_history_once_across_a_crash_and_its_end_too() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let config = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))])
        .replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }");
    let mut daemon = Daemon::start(&config).await;
    daemon.further_checks("NAS", 1).await;
    daemon.flag("services: [NAS]\nreason: dust\n");
    daemon.until("the flag in history", |daemon| daemon.maintenance().len() == 1).await;
    let flag = std::fs::File::options().write(true).open(daemon.path("data/maintenance.flag")).unwrap();
    flag.set_modified(std::time::SystemTime::from(at(-3 * 86_400 - 60))).unwrap();
    daemon.until("the flag to be mentioned", |daemon| daemon.log().contains("was set 3 days ago")).await;
    let page = super::dashboard::page(&mut daemon).await;
    assert!(page.contains("The maintenance flag was set 3 days ago, and alerts are muted since"), "{page}");
    let status = String::from_utf8(daemon.pihook(&["status"]).await.stdout).unwrap();
    assert!(status.contains("  nas, by the flag: dust; until `pihook maintenance off`\n"), "{status}");
    assert!(status.contains("was set 3 days ago"), "{status}");
    let status = daemon.pihook(&["status", "--json"]).await.stdout;
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["maintenance"][0]["days_old"], 3, "{status}");
    assert_eq!((&status["lost"], &status["log_bytes"]), (&serde_json::json!([]), &serde_json::Value::Null));
    daemon.kill();
    daemon.restart().await;
    daemon.further_checks("NAS", 1).await;
    assert_eq!(daemon.maintenance(), [("flag flag: nas (dust)".to_owned(), None)], "it goes on");

    // It is taken away while nobody looks.
    daemon.stop().await;
    daemon.unflag();
    daemon.restart().await;
    let over = |daemon: &Daemon| daemon.maintenance().first().is_some_and(|(_, ended)| ended.is_some());
    daemon.until("its end", over).await;
    assert_eq!(daemon.maintenance().len(), 1);
}
