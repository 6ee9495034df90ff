use std::fs;
use std::path::PathBuf;

use pihook_core::AlertKind;
use serde_json::{Value, json};

use super::*;
use crate::sinks::samples::{alert, huge, message};

fn sink(script: &str, seconds: f64) -> ExecSink {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    ExecSink::new(ExecSettings { command, timeout: Duration::from_secs_f64(seconds) })
}

async fn send(sink: &ExecSink, message: &Message) -> Verdict {
    sink.send(message, &SendContext::of(&alert(AlertKind::Opened))).await
}

async fn verdict(script: &str) -> Verdict {
    send(&sink(script, 10.0), &message()).await
}

#[tokio::test]
async fn the_program_gets_the_alert_and_nothing_of_pihook_s_own_environment() {
    let folder = tempfile::tempdir().unwrap();
    let (input, seen) = (folder.path().join("input"), folder.path().join("seen"));
    let script = format!("cat > '{}'; env > '{}'", input.display(), seen.display());
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "something that must not be passed on");
    assert_eq!(verdict(&script).await, Verdict::Sent);
    let body: Value = serde_json::from_slice(&fs::read(input).unwrap()).unwrap();
    assert_eq!((&body["version"], &body["event"]), (&json!(1), &json!("opened")));
    assert_eq!(body["message"]["title"], message().title);
    let seen = fs::read_to_string(seen).unwrap();
    let title = message().title;
    let expect = [
        ("TITLE", title.as_str()),
        ("KIND", "opened"),
        ("STATUS", "down"),
        ("SERVICE", "nas"),
        ("ZONE", "local"),
        ("SEVERITY", "critical"),
    ];
    for (name, value) in expect {
        assert!(seen.lines().any(|line| line == format!("PIHOOK_{name}={value}")), "{name} in {seen}");
    }
    assert!(seen.contains("PIHOOK_BODY="), "{seen}");
    assert!(!seen.contains("CARGO"), "{seen}");
}

#[tokio::test]
async fn the_exit_status_is_the_answer() {
    assert_eq!(verdict("exit 0").await, Verdict::Sent);
    let again = Verdict::Retry("the program ended with exit status 75: no modem".to_owned());
    assert_eq!(verdict("echo chatter; echo no modem >&2; exit 75").await, again);
    let refused = Verdict::Refused("the program ended with exit status 1: bad words".to_owned());
    assert_eq!(verdict("echo bad words; exit 1").await, refused);
    let killed = verdict("kill -9 $$").await;
    assert!(matches!(&killed, Verdict::Retry(why) if why.contains("signal: 9")), "{killed:?}");
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_disabled_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let program: PathBuf = folder.path().join("notify");
    let settings =
        ExecSettings { command: vec![program.display().to_string()], timeout: Duration::from_secs(10) };
    let sink = ExecSink::new(settings);
    for _ in 0..2 {
        let verdict = send(&sink, &message()).await;
        assert!(matches!(&verdict, Verdict::Disabled(why) if why.contains("cannot be run")), "{verdict:?}");
        assert!(sink.ask().await.is_err());
        // There, and still not executable.
        fs::write(&program, "").unwrap();
    }
    fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("/bin/true", &program).unwrap();
    assert_eq!((sink.ask().await, send(&sink, &message()).await), (Ok(()), Verdict::Sent));
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let number = folder.path().join("number");
    let script = format!("sleep 600 & echo $! > '{}'; wait", number.display());
    let verdict = send(&sink(&script, 1.0), &message()).await;
    assert_eq!(verdict, Verdict::Retry("the program was still running after 1s".to_owned()));
    let number = fs::read_to_string(number).unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", number.trim()));
    let began = tokio::time::Instant::now();
    // Gone, or dead and not yet buried by whoever inherited it.
    while fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
        assert!(began.elapsed() < Duration::from_secs(10), "the child lives on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn input_that_is_not_read_and_output_without_end_do_no_harm() {
    assert_eq!(send(&sink("exit 0", 10.0), &huge()).await, Verdict::Sent);
    let Verdict::Refused(why) = verdict("head -c 3000000 /dev/zero | tr '\\0' x; exit 2").await else {
        panic!("not refused")
    };
    assert!(why.len() < 500, "{}", why.len());
    // A child that stays behind holds the outputs open.
    assert_eq!(send(&sink("sleep 600 & exit 0", 10.0), &message()).await, Verdict::Sent);
    let mut odd = message();
    odd.title = "a\0b\nc".to_owned();
    assert_eq!(send(&sink("test \"$PIHOOK_TITLE\" = 'ab c'", 10.0), &odd).await, Verdict::Sent);
}
