//! A program that takes alerts, from a failing service on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::daemon::PATIENCE;
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
    nothing_leaked(&daemon).await;
}
