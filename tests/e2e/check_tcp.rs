//! `check: tcp` as people use it: the real binary against real ports.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::oneshot::Home;
use crate::web::{Behaviour, WebServer};

/// What is seen of one service.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: String,
    pub(crate) summary: String,
    /// Names, in their order.
    pub(crate) metrics: Vec<String>,
}

impl Seen {
    #[track_caller]
    pub(crate) fn is(&self, status: &str, summary: &str) {
        assert_eq!((self.status.as_str(), self.summary.as_str()), (status, summary));
    }

    #[track_caller]
    pub(crate) fn begins(&self, status: &str, summary: &str) {
        assert!(
            self.status == status && self.summary.starts_with(summary),
            "{self:?} is not {status}: {summary}"
        );
    }
}

/// Checks services of this kind with these settings once, in one run.
pub(crate) async fn check(kind: &str, settings: Vec<Value>) -> Vec<Seen> {
    let service = |(index, settings): (usize, &Value)| json!({ "name": format!("service {index}"), "check": kind, "settings": settings });
    let services: Vec<Value> = settings.iter().enumerate().map(service).collect();
    let defaults = json!({ "retries": 0, "connect_timeout": "10s", "read_timeout": "10s" });
    let home = Home::new(&json!({ "defaults": defaults, "services": services }).to_string()).await;
    let ran = home.run(["check", "--json"]).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let seen = |row: &Value| Seen {
        status: text(&row["status"]),
        summary: text(&row["summary"]),
        metrics: row["metrics"].as_array().unwrap().iter().map(|metric| text(&metric["name"])).collect(),
    };
    let rows = ran.json();
    let rows: Vec<Seen> = rows.as_array().unwrap().iter().map(seen).collect();
    assert_eq!(rows.len(), settings.len(), "{}", ran.stderr);
    rows
}

/// A server that greets everybody, and echoes what it hears.
async fn greeter(address: &str, greeting: &'static str) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(greeting.as_bytes()).await?;
                let mut heard = [0; 512];
                loop {
                    let length = stream.read(&mut heard).await?;
                    if length == 0 {
                        return Ok::<_, std::io::Error>(());
                    }
                    stream.write_all(&heard[..length]).await?;
                }
            });
        }
    });
    (port, task)
}

#[tokio::test]
async fn ports_are_open_closed_or_say_the_wrong_thing() {
    let (open, _open) = greeter("127.0.0.1:0", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n").await;
    let (six, _six) = greeter("[::1]:0", "").await;
    let shut = WebServer::start(Behaviour::Refuse).await.address().port();
    let resets = WebServer::start(Behaviour::Reset).await;
    let seen = check(
        "tcp",
        vec![
            json!({ "host": "localhost", "port": open }),
            json!({ "host": "127.0.0.1", "port": open, "expect": { "matches": "^SSH-2\\.0-" } }),
            json!({ "host": "::1", "port": six, "send": "PING\r\n", "expect": { "contains": "PING" } }),
            json!({ "host": "127.0.0.1", "port": shut }),
            json!({ "host": "127.0.0.1", "port": resets.address().port(), "expect": { "contains": "x" } }),
            json!({ "host": "nowhere.invalid", "port": 1 }),
        ],
    )
    .await;
    seen[0].is("up", &format!("port {open} is open"));
    assert_eq!(seen[0].metrics, ["dns_ms", "connect_ms"]);
    seen[1].is("up", &format!("port {open} answers as expected"));
    assert_eq!(seen[1].metrics, ["connect_ms", "answer_ms"]);
    seen[2].is("up", &format!("port {six} answers as expected"));
    seen[3].is("down", &format!("connection refused by 127.0.0.1:{shut}"));
    assert_eq!(seen[4].status, "down");
    seen[5].begins("down", "the name nowhere.invalid does not resolve");
}

#[tokio::test]
async fn a_wrong_or_missing_answer_is_down_once_its_time_is_over() {
    let (open, _open) = greeter("127.0.0.1:0", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n").await;
    let hangs = WebServer::start(Behaviour::Hang).await;
    let settings = |port: u16| json!({ "host": "127.0.0.1", "port": port, "expect": { "contains": "220 " } });
    let services = json!([
        { "name": "wrong", "check": "tcp", "read_timeout": "300ms", "settings": settings(open) },
        { "name": "silent", "check": "tcp", "read_timeout": "300ms", "settings": settings(hangs.address().port()) },
    ]);
    let home = Home::new(&json!({ "defaults": { "retries": 0 }, "services": services }).to_string()).await;
    let rows = home.run(["check", "--json"]).await.json();
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!("down"), &json!("down")));
    assert_eq!(rows[0]["summary"], "the answer \"SSH-2.0-OpenSSH_9.2p1 Debian\" lacks \"220 \"");
    let text =
        format!("{} took the connection but did not answer within 300 ms (read timeout)", hangs.address());
    assert_eq!(rows[1]["summary"], text);
}

#[tokio::test]
async fn mistakes_are_found_before_anything_is_asked() {
    let home = Home::new(
        "services:\n- name: A\n  check: tcp\n  settings: { host: 'a:22', port: 0, send: '${SECRET}', expect: { contain: x } }\n",
    )
    .await;
    let ran = crate::oneshot::run(home.command(["validate"]).env("SECRET", "hunter2")).await;
    assert_eq!(ran.code, 78);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    for place in ["settings.host", "settings.port", "settings.send", "settings.expect.contain"] {
        assert!(told.contains(place), "{place} is not in {told}");
    }
    assert!(!told.contains("hunter2"));
}
