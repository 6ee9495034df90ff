//! A program that takes alerts, from a failing service on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::daemon::{Daemon, PATIENCE};
use super::sinks::{nothing_leaked, with_sink};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

#[tokio::test]
async fn a_program_that_is_missing_and_then_fails_gets_everything_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (program, taken, failed) =
        (folder.path().join("notify"), folder.path().join("taken"), folder.path().join("failed"));
    let (server, discord) = (WebServer::start(Behaviour::Refuse).await, FakeDiscord::start().await);
    let sink = format!("type: exec, command: [{}, --loud], allow: exec", program.display());
    let mut daemon = with_sink(&sink, Some(&discord), &server.url("/")).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["it"]).await;
    let messages = discord.wait_for(2, PATIENCE).await;
    assert!(messages.iter().any(|message| message.text().contains("cannot be run")), "{messages:?}");
    daemon.stop().await;
    // The first attempt asks for another one. The environment must not hold the daemon's secrets.
    let (taken_at, failed_at) = (taken.display(), failed.display());
    let script = format!(
        "#!/bin/sh\n\
         if [ ! -e '{failed_at}' ]; then env > '{failed_at}'; echo later >&2; exit 75; fi\n\
         printf '%s|%s|%s\\n' \"$1\" \"$PIHOOK_KIND\" \"$PIHOOK_TITLE\" >> '{taken_at}'\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    server.set(Behaviour::ok("")).await;
    daemon.restart().await;
    let told = |event: &str| fs::read_to_string(&taken).unwrap_or_default().contains(event);
    daemon.until("the end to be told", |_| told("|recovered|")).await;
    daemon.further_checks("NAS", 2).await;
    let lines = fs::read_to_string(&taken).unwrap();
    let of_nas: Vec<_> = lines.lines().filter(|line| line.contains("NAS")).collect();
    assert_eq!(of_nas.len(), 2, "{lines}");
    assert!(of_nas[0].starts_with("--loud|opened|") && of_nas[0].contains("NAS is down"), "{lines}");
    assert!(of_nas[1].starts_with("--loud|recovered|") && of_nas[1].contains("NAS is up again"), "{lines}");
    let environment = fs::read_to_string(&failed).unwrap();
    assert!(environment.lines().all(|line| !line.starts_with("SECRET=")), "{environment}");
    nothing_leaked(&mut daemon).await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_or_complains_gets_everything_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (program, runs, taken) =
        (folder.path().join("notify"), folder.path().join("runs"), folder.path().join("taken"));
    let server = WebServer::start(Behaviour::Refuse).await;
    let (runs_at, taken_at) = (runs.display(), taken.display());
    let script = format!(
        "#!/bin/sh\n\
         echo run >> '{runs_at}'\n\
         case $(wc -l < '{runs_at}') in\n\
         1) exec sleep 600 ;;\n\
         2) kill -9 $$ ;;\n\
         3) exit 3 ;;\n\
         esac\n\
         printf '%s|%s\\n' \"$PIHOOK_KIND\" \"$PIHOOK_TITLE\" >> '{taken_at}'\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let sink = format!("type: exec, command: [{}], allow: exec, timeout: 1s", program.display());
    let mut daemon = with_sink(&sink, None, &server.url("/")).await;
    daemon.until("the alert", |daemon| daemon.alerts().len() == 1).await;
    server.set(Behaviour::ok("")).await;
    let all_sent =
        |daemon: &Daemon| daemon.alerts().len() == 2 && daemon.alerts().iter().all(|it| it.state == "sent");
    daemon.until("both to be sent", all_sent).await;
    daemon.further_checks("NAS", 2).await;
    assert_eq!(fs::read_to_string(&runs).unwrap().lines().count(), 5);
    let lines = fs::read_to_string(&taken).unwrap();
    let told: Vec<_> = lines.lines().collect();
    assert_eq!(told.len(), 2, "{lines}");
    assert!(told[0].starts_with("opened|") && told[1].starts_with("recovered|"), "{lines}");

    // Without the right to run it, it is disabled, and loses nothing by that.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    server.set(Behaviour::Refuse).await;
    daemon.until("the sink to be disabled", |daemon| daemon.disabled_sinks() == ["it"]).await;
    daemon.stop().await;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    daemon.restart().await;
    let told = |count: usize| fs::read_to_string(&taken).unwrap().lines().count() == count;
    daemon.until("the third alert", |_| told(3)).await;
    daemon.until("the sink to work", |daemon| daemon.disabled_sinks().is_empty()).await;
    daemon.further_checks("NAS", 2).await;
    assert!(told(3));
}
