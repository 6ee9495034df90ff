//! All checks at once, run by a user who may do nothing special: each gives a verdict, or says precisely what it lacks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a helper that fails fails its test, and says what it skips"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use tokio::process::Command;

use crate::oneshot::{Home, PIHOOK, run};
use crate::web::{Behaviour, WebServer};

/// `pihook` as the user nobody, if these tests run as root, and as they are run otherwise. None, and it says so, where
/// nobody cannot reach the program.
async fn as_nobody(home: &Home) -> Option<Command> {
    if !rustix::process::geteuid().is_root() {
        return Some(home.command(["check", "--json"]));
    }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let reachable = Command::new("setpriv").args(nobody).args([PIHOOK, "--help"]).output().await;
    if !reachable.is_ok_and(|output| output.status.success()) {
        println!("not tested: the user nobody cannot run {PIHOOK}");
        return None;
    }
    let own = home.join("home");
    fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(nobody).args([PIHOOK, "check", "--json"]).current_dir(home.path());
    command.env_clear().env("HOME", &own).env("PATH", "/usr/bin:/bin").kill_on_drop(true);
    Some(command)
}

#[tokio::test]
async fn each_check_gives_a_verdict_or_says_what_it_lacks() {
    let web = WebServer::start(Behaviour::ok("fine")).await;
    let port = web.url("/").trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let home = Home::bare();
    home.write("closed", "secret");
    fs::set_permissions(home.join("closed"), Permissions::from_mode(0o600)).unwrap();
    let services = format!(
        "dashboard: {{ listen: \"127.0.0.1:0\" }}
plugins:
  disk-health: {{ allow: {{ commands: {{ smart: [no-such-smartctl, --json] }} }} }}
defaults: {{ retries: 0 }}
services:
  - {{ name: http, url: \"{url}\" }}
  - {{ name: tcp, check: tcp, settings: {{ host: 127.0.0.1, port: {port} }} }}
  - {{ name: tls, check: tls, settings: {{ host: 127.0.0.1, port: {port} }} }}
  - {{ name: dns, check: dns, settings: {{ name: nas.lan, server: \"127.0.0.1:9\" }} }}
  - {{ name: ping, check: ping, settings: {{ host: 127.0.0.1 }} }}
  - {{ name: wan-ip, check: wan-ip, settings: {{ echoes: [\"{url}\"] }} }}
  - {{ name: system, check: system }}
  - {{ name: disk, check: disk, settings: {{ mount: /, warn: 100%, critical: 100% }} }}
  - {{ name: disk-health, check: disk-health }}
  - {{ name: apt-updates, check: apt-updates, interval: 1h }}
  - {{ name: process, check: process, settings: {{ name: pihook }} }}
  - {{ name: systemd-unit, check: systemd-unit, settings: {{ unit: nginx }} }}
  - {{ name: container, check: container, settings: {{ container: jellyfin }} }}
  - {{ name: heartbeat, check: heartbeat, settings: {{ token: 0123456789abcdef, period: 1d }} }}
",
        url = web.url("/"),
    );
    home.write("services.yaml", &services);
    let Some(mut command) = as_nobody(&home).await else { return };
    command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let ran = run(&mut command).await;
    assert!(ran.code <= 2, "{ran:#?}");
    let rows = ran.json();
    let row = |name: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["service"] == name);
        let row = row.unwrap_or_else(|| panic!("no {name}: {rows:#}"));
        (row["status"].as_str().unwrap().to_owned(), row["summary"].as_str().unwrap().to_owned())
    };
    assert_eq!(rows.as_array().unwrap().len(), 14);
    for name in ["http", "tcp", "system", "disk", "process"] {
        assert_eq!(row(name).0, "up", "{name}: {}", row(name).1);
    }
    // No TLS, no DNS server, no address in the answer: these are verdicts.
    for name in ["tls", "dns", "wan-ip"] {
        assert_eq!(row(name).0, "down", "{name}: {}", row(name).1);
    }
    for (name, remedy) in [
        ("container", "container: { allow: { sockets: ["),
        ("disk-health", "no-such-smartctl"),
        ("systemd-unit", "there is no system bus"),
    ] {
        let (status, summary) = row(name);
        assert!(status == "unknown" && summary.contains(remedy), "{name}: {status}: {summary}");
    }
    // These depend on the machine; what they say of a lack has a remedy in it.
    let (status, summary) = row("ping");
    assert!(status == "up" || summary.contains("sysctl -w net.ipv4.ping_group_range"), "{status}: {summary}");
    let (status, summary) = row("apt-updates");
    assert!(
        status != "unknown" || summary.contains("apt-get update") || summary.contains("there is no"),
        "{summary}"
    );
}
