//! Signs of life, sent by real clients to the real daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::net::TcpListener;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use crate::discord::FakeDiscord;
use crate::oneshot::Home;

const TOKEN: &str = "Backup-Token_that-must-not-be-seen";
const PLAIN: &str = "Plain-Token_that-must-not-be-seen";

/// A daemon whose services wait for signs of life, once its configuration is put right.
fn heartbeats(webhook: &str, services: &[String]) -> String {
    config(webhook, LADDER, services).replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }")
}

fn service(name: &str, token: &str, settings: &str) -> String {
    format!("  - {{ name: {name}, check: heartbeat, settings: {{ token: \"{token}\", {settings} }} }}\n")
}

/// Where the daemon listens, as its log says.
fn address(daemon: &Daemon) -> String {
    let log = daemon.log();
    let rest = log.rsplit("dashboard: http://").next().expect("the log has the page's address");
    rest.split('/').next().unwrap_or_default().to_owned()
}

/// What curl gets for a path, with these arguments: the status and the body.
async fn curl(daemon: &Daemon, arguments: &[&str], path: &str) -> (String, String) {
    let url = format!("http://{}{path}", address(daemon));
    let mut command = Command::new("curl");
    command.args(["-sS", "-w", "\n%{http_code}", "--max-time", "60"]).args(arguments).arg(url);
    let output = command.kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.expect("curl ends").expect("curl is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.trim_end().to_owned())
}

async fn push(daemon: &Daemon, token: &str, parameters: &str) {
    let answer = curl(daemon, &[], &format!("/push/{token}{parameters}")).await;
    assert_eq!(answer, ("200".to_owned(), "ok".to_owned()));
}

async fn until_newest(daemon: &mut Daemon, service: &str, status: &str, summary: &str) {
    let is_there = |daemon: &Daemon| {
        let newest = daemon.checks_of(service).pop();
        newest.is_some_and(|check| check.status == status && check.summary.contains(summary))
    };
    daemon.until(&format!("{service} to be {status}: {summary}"), is_there).await;
}

/// What `pihook check --json` says of the service.
async fn checked(daemon: &Daemon, service: &str) -> Value {
    let output = daemon.pihook(&["check", "--json", service]).await;
    let checks: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    checks[0].clone()
}

fn metric(check: &Value, name: &str) -> Option<f64> {
    let metrics = check["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).and_then(|metric| metric["value"].as_f64())
}

/// Changes what a daemon that does not run has written.
fn rewrite(daemon: &Daemon, sql: &str) {
    Connection::open(daemon.path("data/pihook.db")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn what_a_job_reports_and_what_it_fails_to_send_is_told() {
    let discord = FakeDiscord::start().await;
    let services =
        [service("Backup", TOKEN, "period: 1d, grace: 2h"), service("Sync", PLAIN, "period: 1s, grace: 0s")];
    let mut daemon = Daemon::start(&heartbeats(&discord.url(), &services)).await;
    until_newest(&mut daemon, "Backup", "up", "waiting for the first sign of life").await;
    push(&daemon, TOKEN, "?status=up&msg=3%20GiB&duration=90s").await;
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: 3 GiB").await;

    // Nothing was ever sent for this one.
    let missed = discord.wait_for(1, PATIENCE).await.pop().unwrap().text();
    assert!(missed.contains("Sync"), "{missed}");
    assert!(
        missed.contains("no sign of life yet, after ") && missed.contains("(expected every 1 s)"),
        "{missed}"
    );
    assert_eq!(daemon.count("Backup", "down"), 0);

    push(&daemon, TOKEN, "?status=fail&msg=disk%20full").await;
    let failed = discord.wait_for(2, PATIENCE).await.pop().unwrap().text();
    assert!(failed.contains("Backup") && failed.contains("reported a failure: disk full"), "{failed}");
    push(&daemon, TOKEN, "").await;
    let recovered = discord.wait_for(3, PATIENCE).await.pop().unwrap().text();
    assert!(recovered.contains("Backup"), "{recovered}");
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time").await;
    let kinds: Vec<_> = daemon
        .alerts()
        .into_iter()
        .filter(|alert| alert.service == "Backup")
        .map(|alert| alert.kind)
        .collect();
    assert_eq!(kinds, ["opened", "recovered"]);
    let response = "SELECT max(response_ms) FROM check_log WHERE service = 'Backup'";
    let db = Connection::open(daemon.path("data/pihook.db")).unwrap();
    assert_eq!(db.query_row(response, [], |row| row.get::<_, f64>(0)).unwrap(), 90_000.0);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_report_is_seen_before_the_next_check_is_due() {
    let services = [service("Backup", TOKEN, "period: 1d")];
    let text = heartbeats("http://127.0.0.1:9/hook", &services);
    let text = text.replace("interval: 1s", "interval: 1d").replace("after: 3", "after: 1");
    let mut daemon = Daemon::start(&text).await;
    until_newest(&mut daemon, "Backup", "up", "waiting for the first sign of life").await;
    push(&daemon, TOKEN, "?status=2").await;
    daemon.until("an incident", |daemon| daemon.incidents().len() == 1).await;
    push(&daemon, TOKEN, "?status=0").await;
    daemon.until("its end", |daemon| daemon.incidents()[0].closed_ms.is_some()).await;
}

#[tokio::test]
async fn every_way_to_send_one_works_and_what_is_wrong_is_refused() {
    let mut daemon =
        Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1d")]))
            .await;
    let path = format!("/push/{TOKEN}");
    let summary = |text: &str| format!("reported a failure: {text}");
    assert_eq!(curl(&daemon, &["-I", "-o", "/dev/null"], &path).await.0, "200");
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time").await;
    std::fs::write(daemon.path("report"), "first line\nsecond & last = line\n").unwrap();
    let file = format!("@{}", daemon.path("report").display());
    for (arguments, query, expected) in [
        (&["-X", "POST"][..], "?status=down&msg=posted", "posted"),
        (&["--data-binary", &file], "?status=fail", "first line second & last = line"),
        (&["-d", "status=fail&msg=by%20form"], "", "by form"),
        (
            &["-G", "--data-urlencode", "msg=it's \"full\" & 100 %", "-d", "status=1"],
            "",
            "it's \"full\" & 100 %",
        ),
    ] {
        assert_eq!(curl(&daemon, arguments, &format!("{path}{query}")).await, ("200".into(), "ok".into()));
        until_newest(&mut daemon, "Backup", "down", &summary(expected)).await;
    }
    for (path, status, text) in [
        ("/push/Backup-Token_that-must-not-be-seem", "404", "nothing is pushed here"),
        (&format!("{path}?status=broken"), "400", "`broken` is no status; ok or up, fail or down"),
        (&format!("{path}?stauts=ok"), "400", "`stauts` is no parameter"),
        (&format!("{path}?duration=5"), "400", "`5` is no duration"),
    ] {
        let (found, body) = curl(&daemon, &[], path).await;
        assert!(found == status && body.contains(text), "{path}: {found} {body}");
    }
    daemon.further_checks("Backup", 2).await;
    until_newest(&mut daemon, "Backup", "down", "100 %").await;
}

#[tokio::test]
async fn what_was_answered_with_ok_survives_a_crash() {
    let mut daemon =
        Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1d")]))
            .await;
    push(&daemon, TOKEN, "?status=fail&msg=one").await;
    push(&daemon, TOKEN, "?status=fail&msg=two&ping=250").await;
    daemon.kill();
    let check = checked(&daemon, "Backup").await;
    assert_eq!(check["summary"], "reported a failure: two", "another process sees it too");
    assert_eq!(metric(&check, "took_ms"), Some(250.0));
    assert!(metric(&check, "seconds_since_last").is_some_and(|seconds| seconds < 600.0), "{check}");
    let before = daemon.checks_of("Backup").len();
    daemon.restart().await;
    daemon.until("a check", |daemon| daemon.checks_of("Backup").len() > before).await;
    until_newest(&mut daemon, "Backup", "down", "reported a failure: two").await;
}

#[tokio::test]
async fn a_machine_that_was_off_or_has_a_wrong_clock_makes_no_false_alarm() {
    let services = [service("Backup", TOKEN, "period: 1d, grace: 2h"), service("Sync", PLAIN, "period: 1d")];
    let mut daemon = Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &services)).await;
    push(&daemon, TOKEN, "").await;
    push(&daemon, PLAIN, "").await;
    daemon.stop().await;
    // One is 30 hours old, and the other lies a year ahead.
    rewrite(
        &daemon,
        "UPDATE heartbeats SET at_ms = at_ms - 30 * 3600000 WHERE service = (SELECT id FROM services WHERE key = 'backup');
         UPDATE heartbeats SET at_ms = at_ms + 365 * 86400000 WHERE service = (SELECT id FROM services WHERE key = 'sync')",
    );
    let check = checked(&daemon, "Backup").await;
    let summary = check["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("no sign of life for 1 d 6 h (expected every 1 d, 2 h of grace)"),
        "{summary}"
    );
    daemon.restart().await;
    until_newest(&mut daemon, "Backup", "up", "one may have been sent while PiHook was off").await;
    until_newest(&mut daemon, "Sync", "up", "signs of life come in time").await;
    assert_eq!(daemon.count("Backup", "down"), 0);
}

#[tokio::test]
async fn a_restart_makes_nothing_well_that_was_missed() {
    let services =
        [service("Sync", PLAIN, "period: 1s, grace: 0s"), service("Slow", TOKEN, "period: 1s, grace: 1h")];
    let mut daemon = Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &services)).await;
    push(&daemon, TOKEN, "").await;
    daemon.until("an incident", |daemon| daemon.incidents().len() == 1).await;
    daemon.stop().await;
    // Missed, and said so, long before the restart.
    rewrite(
        &daemon,
        "UPDATE heartbeats SET at_ms = at_ms - 30 * 3600000 WHERE at_ms IS NOT NULL;
         INSERT INTO kept SELECT id, 'missed', x'31' FROM services WHERE key = 'slow'",
    );
    daemon.restart().await;
    until_newest(&mut daemon, "Slow", "down", "no sign of life for 1 d 6 h").await;
    push(&daemon, TOKEN, "").await;
    until_newest(&mut daemon, "Slow", "up", "signs of life come in time").await;
    assert_eq!(daemon.incidents().iter().filter(|incident| incident.service == "Sync").count(), 1);
}

#[tokio::test]
async fn a_changed_token_counts_at_once_and_a_removed_service_is_forgotten() {
    let mut daemon = Daemon::start(&heartbeats(
        "http://127.0.0.1:9/hook",
        &[service("Backup", TOKEN, "period: 1d"), service("Sync", PLAIN, "period: 1d")],
    ))
    .await;
    push(&daemon, TOKEN, "?msg=before").await;
    push(&daemon, PLAIN, "").await;
    daemon.configure(&heartbeats(
        "http://127.0.0.1:9/hook",
        &[service("Backup", "Another-Token_01", "period: 1d")],
    ));
    daemon.hang_up();
    daemon.until("a reload", |daemon| daemon.log().contains("configuration reloaded")).await;
    for gone in [TOKEN, PLAIN] {
        assert_eq!(curl(&daemon, &[], &format!("/push/{gone}")).await.0, "404");
    }
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: before").await;
    push(&daemon, "Another-Token_01", "?msg=after").await;
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: after").await;
    let db = Connection::open(daemon.path("data/pihook.db")).unwrap();
    let rows: i64 = db.query_row("SELECT count(*) FROM heartbeats", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_locked_database_is_said_and_the_sign_of_life_counts_all_the_same() {
    let mut daemon =
        Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1d")]))
            .await;
    until_newest(&mut daemon, "Backup", "up", "waiting for the first sign of life").await;
    let lock = Connection::open(daemon.path("data/pihook.db")).unwrap();
    lock.busy_timeout(PATIENCE).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (status, body) = curl(&daemon, &[], &format!("/push/{TOKEN}?msg=locked")).await;
    assert_eq!(status, "503", "{body}");
    assert!(body.starts_with("the database cannot be written: "), "{body}");
    lock.execute_batch("ROLLBACK").unwrap();
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: locked").await;
    daemon
        .until("it to be written", |daemon| {
            let db = Connection::open(daemon.path("data/pihook.db")).unwrap();
            db.query_row("SELECT message FROM heartbeats", [], |row| row.get::<_, Option<String>>(0))
                .unwrap()
                .is_some()
        })
        .await;
}

#[tokio::test]
async fn whoever_cannot_listen_cannot_tell() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let text = heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1s")]);
    let mut daemon = Daemon::start(&text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))).await;
    until_newest(&mut daemon, "Backup", "unknown", "PiHook cannot hear signs of life").await;
    daemon.further_checks("Backup", 2).await;
    assert_eq!(daemon.count("Backup", "down"), 0);
}

#[tokio::test]
async fn a_job_that_tries_again_is_heard_after_a_restart() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let text = heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1d")]);
    let mut daemon = Daemon::start(&text.replace("127.0.0.1:0", &free.to_string())).await;
    daemon.stop().await;
    let mut job = Command::new("curl");
    job.args(["-fsS", "-m", "10", "--retry", "8", "--retry-connrefused"]);
    let job = job.arg(format!("http://{free}/push/{TOKEN}?msg=again")).kill_on_drop(true).output();
    let (job, ()) = tokio::join!(job, daemon.restart());
    assert!(job.unwrap().status.success());
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: again").await;
}

#[tokio::test]
async fn a_job_gone_wild_is_heard_and_slowed_down() {
    let mut daemon =
        Daemon::start(&heartbeats("http://127.0.0.1:9/hook", &[service("Backup", TOKEN, "period: 1d")]))
            .await;
    let path = format!("/push/{TOKEN}?msg=[1-60]");
    let (_, answers) = curl(&daemon, &["-Z", "--parallel-max", "30"], &path).await;
    assert!(answers.contains("ok"), "{answers}");
    push(&daemon, TOKEN, "?msg=calm").await;
    until_newest(&mut daemon, "Backup", "up", "signs of life come in time: calm").await;
    assert_eq!(daemon.integrity(), "ok");
}

#[tokio::test]
async fn tokens_are_not_seen() {
    let discord = FakeDiscord::start().await;
    let services =
        [service("Backup", "${BACKUP_TOKEN}", "period: 1d"), service("Sync", PLAIN, "period: 1s, grace: 0s")];
    let mut daemon = Daemon::prepare(&heartbeats(&discord.url(), &services));
    daemon.environment("BACKUP_TOKEN", TOKEN).environment("PIHOOK_LOG", "trace");
    daemon.restart().await;
    for token in [TOKEN, PLAIN] {
        push(&daemon, token, &format!("?status=fail&msg=sent%20to%20/push/{token}")).await;
        let path = format!("/push/{token}");
        assert_eq!(curl(&daemon, &["-I", "-o", "/dev/null"], &path).await.0, "200");
        assert_eq!(curl(&daemon, &["-X", "DELETE"], &path).await.0, "405");
        assert_eq!(curl(&daemon, &[], &format!("{path}/")).await.0, "404");
        assert_eq!(curl(&daemon, &[], &format!("{path}?status=x")).await.0, "400");
        push(&daemon, token, &format!("?status=fail&msg=sent%20to%20/push/{token}")).await;
    }
    discord.wait_for(2, PATIENCE).await;
    let (_, page) = curl(&daemon, &[], "/").await;
    assert!(page.contains("Backup"), "{page}");
    let mut printed = Vec::new();
    for command in [&["status", "--json"][..], &["check", "--json"], &["check"], &["validate"]] {
        let output = daemon.pihook(command).await;
        printed.extend([output.stdout, output.stderr].concat());
    }
    daemon.stop().await;
    let messages: String = discord.received().iter().map(|message| message.body.to_string()).collect();
    assert!(messages.contains("sent to /push/\\\\*\\\\*\\\\*"), "{messages}");
    for (place, bytes) in [
        ("the log", daemon.log().into_bytes()),
        ("the database", daemon.database_bytes()),
        ("what commands print", printed),
        ("the page", page.into_bytes()),
        ("messages", messages.into_bytes()),
    ] {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.is_empty(), "{place} is empty");
        for token in [TOKEN, PLAIN] {
            assert!(!text.contains(token), "{token} is in {place}");
        }
    }
}

#[tokio::test]
async fn mistakes_are_told_with_their_places() {
    let home = Home::new(
        "dashboard: off\nservices:\n  \
         - { name: A, check: heartbeat, settings: { token: \"${BACKUP_TOKEN}\", period: 1d } }\n  \
         - { name: B, check: heartbeat, settings: { token: Backup-Token_that-must-not-be-seen, period: 500d } }\n  \
         - { name: C, check: heartbeat, settings: { token: short, perod: 1d } }\n",
    )
    .await;
    let ran = crate::oneshot::run(home.command(["validate"]).env("BACKUP_TOKEN", TOKEN)).await.ended(78);
    for expected in [
        "services.yaml:3: services[0].check: signs of life come in at the dashboard's address, and it is off; a `dashboard:` with `listen:`, or another check",
        "services.yaml:4: services[1].settings.token: `A` has the same token, in line 3; a token of its own for each service",
        "services.yaml:4: services[1].settings.period: a period of 500 d is out of bounds; from 1s to 400d",
        "services.yaml:5: services[2].settings.token: this cannot be a token; 16 to 128 letters",
        "services.yaml:5: services[2].settings.perod: unknown key `perod`; did you mean `period`?",
    ] {
        assert!(ran.stderr.contains(expected), "{expected}\n{ran:#?}");
    }
    assert!(!ran.stderr.contains("must-not-be-seen"), "{ran:#?}");
}

#[tokio::test]
async fn a_service_that_was_never_waited_for_waits_in_a_check_too() {
    let home = Home::new(&format!("services:\n{}", service("Backup", TOKEN, "period: 1d"))).await;
    let ran = timeout(Duration::from_secs(60), home.run(["check", "--json"])).await.unwrap().ended(0);
    assert_eq!(ran.json()[0]["summary"], "waiting for the first sign of life");
}
