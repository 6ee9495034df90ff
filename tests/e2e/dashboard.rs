//! What a browser and Prometheus see of a running daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::daemon::{Daemon, LADDER, config, service};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

const PATIENCE: Duration = Duration::from_secs(60);

/// The dashboard's address, as the log has it.
pub(super) async fn address(daemon: &mut Daemon) -> String {
    let told = |log: &str| {
        let rest = log.rsplit_once("dashboard: http")?.1.split_once("://")?.1;
        Some(rest.split('/').next()?.to_owned())
    };
    daemon.until("the dashboard", |daemon| told(&daemon.log()).is_some()).await;
    told(&daemon.log()).unwrap()
}

/// The status page.
pub(super) async fn page(daemon: &mut Daemon) -> String {
    let address = address(daemon).await;
    get(&address, "/").await
}

pub(super) async fn request(address: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The answer, of which the head is left out.
pub(super) async fn get(address: &str, path: &str) -> String {
    let mut answer = String::new();
    timeout(PATIENCE, request(address, path).await.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    body.to_owned()
}

/// Reads on until all of these have come.
async fn until(stream: &mut TcpStream, wanted: &[&str]) -> String {
    let mut seen = Vec::new();
    let reading = async {
        let mut piece = [0; 4096];
        loop {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "the connection has ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&seen);
            if wanted.iter().all(|wanted| text.contains(wanted)) {
                return text.into_owned();
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("it does not come")
}

/// All that the pages say, and the first of the events.
pub(super) async fn every_page(daemon: &mut Daemon) -> String {
    let address = address(daemon).await;
    let mut all = String::new();
    for path in ["/", "/metrics", "/healthz"] {
        let mut answer = String::new();
        timeout(PATIENCE, request(&address, path).await.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        all.push_str(&answer);
    }
    all + &until(&mut request(&address, "/events").await, &["data:"]).await
}

/// What Prometheus' own tool finds wrong with these metrics.
async fn promtool(metrics: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool comes with Debian's package prometheus");
    tool.stdin.take().unwrap().write_all(metrics.as_bytes()).await.unwrap();
    let output = tool.wait_with_output().await.unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test]
async fn an_outage_is_seen_live_on_the_page_and_in_the_metrics() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text = config(&discord.url(), LADDER, &[service("NAS", &server.url("/"))]);
    let text = text.replace("dashboard: off", "dashboard: { listen: \"127.0.0.1:0\" }");
    let mut daemon = Daemon::start(&text).await;
    let address = address(&mut daemon).await;
    daemon.further_checks("NAS", 1).await;
    let page = get(&address, "/").await;
    assert!(page.contains("All is well: 1 service watched"), "{page}");

    let mut listener = request(&address, "/events").await;
    until(&mut listener, &["text/event-stream"]).await;
    server.set(Behaviour::Refuse).await;
    until(&mut listener, &["event: news", "id=\\\"s-nas\\\"", "data-status=\\\"down\\\"", "What is wrong"])
        .await;

    let page = get(&address, "/").await;
    assert!(page.contains("1 down of 1 service") && page.contains("connection refused"), "{page}");
    let metrics = get(&address, "/metrics").await;
    assert!(
        metrics.contains("pihook_service_up{service=\"nas\",name=\"NAS\",zone=\"local\"} 0"),
        "{metrics}"
    );
    assert!(metrics.contains("pihook_service_incident_open{service=\"nas\",name=\"NAS\",zone=\"local\"} 1"));
    assert_eq!(promtool(&metrics).await, "");
    assert!(!promtool("nonsense{").await.is_empty(), "the tool does look");
    daemon.stop().await;
}
