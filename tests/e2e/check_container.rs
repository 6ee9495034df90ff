//! The check `container` over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use axum::Router;
use axum::extract::Path as Segment;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::oneshot::{Home, PIHOOK, run};

/// What a container engine says of its containers.
async fn inspect(Segment(name): Segment<String>) -> Response {
    let container = |state: Value| {
        let config = json!({ "Image": "x", "Env": ["PASSWORD=hunter2"] });
        axum::Json(json!({ "Id": "4fa6", "State": state, "RestartCount": 1, "Config": config }))
            .into_response()
    };
    match name.as_str() {
        "well" => {
            container(json!({ "Status": "running", "StartedAt": "2026-11-22T12:00:00.1Z", "ExitCode": 0 }))
        }
        "ill" => {
            let log = json!([{ "Output": "no answer\nfrom the database" }]);
            container(json!({ "Status": "running", "Health": { "Status": "unhealthy", "Log": log } }))
        }
        "killed" => container(json!({ "Status": "exited", "ExitCode": 137, "OOMKilled": true })),
        "hanging" => std::future::pending().await,
        "huge" => vec![b' '; 3 << 20].into_response(),
        "garbage" => "{\"State\":".into_response(),
        _ => {
            let message = json!({ "message": format!("No such container: {name}") });
            (StatusCode::NOT_FOUND, axum::Json(message)).into_response()
        }
    }
}

/// Serves that on a socket.
fn serve(socket: &Path) -> JoinSet<()> {
    let listener = UnixListener::bind(socket).unwrap();
    let router = Router::new().route("/containers/{name}/json", get(inspect));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    tasks
}

/// A configuration that asks for these containers over one socket.
fn services(socket: &Path, containers: &[&str], read_timeout: &str) -> String {
    let services: Vec<Value> = containers
        .iter()
        .map(|name| json!({ "name": name, "check": "container", "settings": { "container": name } }))
        .collect();
    let plugins = json!({ "container": { "allow": { "sockets": [socket] } } });
    let defaults = json!({ "retries": 0, "read_timeout": read_timeout });
    json!({ "defaults": defaults, "plugins": plugins, "services": services }).to_string()
}

#[track_caller]
fn assert_row(row: &Value, socket: &Path, status: &str, summary: &str) {
    let text = row["summary"].as_str().unwrap().replace(socket.to_str().unwrap(), "SOCKET");
    assert!(row["status"] == status && text.contains(summary), "{status} {summary}: {row}");
}

#[tokio::test]
async fn containers_are_as_their_engine_says() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let _engine = serve(&socket);
    let asked = ["well", "ill", "killed", "none", "huge", "garbage"];
    let home = Home::new(&services(&socket, &asked, "30s")).await;
    let ran = home.run(["check", "--json"]).await;
    assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"));
    let rows = ran.json();
    assert_row(&rows[0], &socket, "up", "well is running");
    assert_row(
        &rows[1],
        &socket,
        "down",
        "ill is running, but unhealthy by its own health check: no answer from the database",
    );
    assert_row(&rows[2], &socket, "down", "killed has ended with code 137, out of memory");
    assert_row(&rows[3], &socket, "down", "there is no container none");
    assert_row(&rows[4], &socket, "unknown", "what answers on SOCKET is neither Docker nor Podman");
    assert_row(&rows[5], &socket, "unknown", "what answers on SOCKET is neither Docker nor Podman");
    assert_eq!(rows[0]["metrics"][0], json!({ "name": "restarts", "value": 1.0, "unit": "" }));
    assert_eq!(rows[0]["metrics"][1]["name"], "uptime_seconds");

    let home = Home::new(&services(&socket, &["hanging"], "300ms")).await;
    let rows = home.run(["check", "--json"]).await.json();
    assert_row(&rows[0], &socket, "unknown", "no whole answer over SOCKET within 300 ms");
}

#[tokio::test]
async fn what_keeps_the_engine_from_being_asked_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let home = Home::new(&services(&socket, &["well"], "30s")).await;
    let rows = home.run(["check", "--json"]).await.json();
    assert_row(&rows[0], &socket, "unknown", "there is no socket SOCKET: is Docker or Podman running?");

    let engine = serve(&socket);
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let rows = run(&mut unprivileged(&home)).await.json();
    assert_row(&rows[0], &socket, "unknown", "this user may not use SOCKET: for Docker");

    drop(engine);
    fs::set_permissions(&socket, Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&socket).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    let rows = home.run(["check", "--json"]).await.json();
    assert_row(&rows[0], &socket, "unknown", "nobody listens on SOCKET: is Docker or Podman running?");
}

/// `pihook check --json` without root's power over all files, if the tests run as root.
fn unprivileged(home: &Home) -> Command {
    let mut command = home.command(["check", "--json"]);
    if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", PIHOOK, "check", "--json"]);
        command.current_dir(home.path()).env_clear().env("TZ", "Etc/UTC").env("PATH", "/usr/bin:/bin");
    }
    command
}

#[tokio::test]
async fn a_socket_has_to_be_granted() {
    let socket = Path::new("/run/docker.sock");
    let service = |settings: Value| json!({ "name": "A", "check": "container", "settings": settings });
    let asked = json!({ "services": [service(json!({ "container": "a" }))] });
    let rows = Home::new(&asked.to_string()).await.run(["check", "--json"]).await.json();
    let line = "`plugins: { container: { allow: { sockets: [SOCKET] } } }`";
    assert_row(&rows[0], socket, "unknown", line);

    let plugins = json!({ "container": { "allow": { "sockets": ["/run/a.sock", "/run/b.sock"] } } });
    let asked = json!({ "plugins": plugins, "services": [service(json!({ "container": "a" }))] });
    let rows = Home::new(&asked.to_string()).await.run(["check", "--json"]).await.json();
    assert_row(&rows[0], socket, "unknown", "which: /run/a.sock, /run/b.sock");

    let settings = json!({ "container": "a", "socket": "/run/docker.sock" });
    let asked = json!({ "plugins": plugins, "services": [service(settings)] });
    let rows = Home::new(&asked.to_string()).await.run(["check", "--json"]).await.json();
    assert_row(&rows[0], socket, "unknown", "does not allow this plugin the socket SOCKET");
}
