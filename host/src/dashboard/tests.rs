//! Real connections on paused time: it passes only where both sides wait.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::clock::SystemClock;
use crate::shutdown::{self, ShutdownSender};

struct Stage {
    address: SocketAddr,
    trouble: watch::Sender<Option<String>>,
    stop: ShutdownSender,
    task: JoinHandle<()>,
}

impl Stage {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let trouble = watch::Sender::new(None);
        let dashboard = Dashboard {
            database: PathBuf::from("/nowhere"),
            credentials: None,
            clock: Arc::new(SystemClock::start()),
            trouble: trouble.subscribe(),
        };
        let (stop, stopped) = shutdown::channel();
        let task = tokio::spawn(run(listener, dashboard, stopped));
        Self { address, trouble, stop, task }
    }

    /// A connection that has sent this.
    async fn guest(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn health(&self) -> String {
        rest(self.guest("GET /healthz HTTP/1.0\r\n\r\n").await).await
    }
}

/// All that comes until the connection ends, in whatever way.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_unhealthy() {
    let stage = Stage::new().await;
    assert!(stage.health().await.starts_with("HTTP/1.0 200 OK"));
    stage.trouble.send_replace(Some("disk full".to_owned()));
    let sick = stage.health().await;
    assert!(sick.starts_with("HTTP/1.0 503") && sick.ends_with("disk full\n"), "{sick}");
    stage.trouble.send_replace(None);
    assert!(stage.health().await.ends_with("ok\n"));
}

#[tokio::test(start_paused = true)]
async fn half_a_request_is_cut_and_holds_nobody_up() {
    let stage = Stage::new().await;
    let asked = Instant::now();
    assert_eq!(rest(stage.guest("GET / HTTP/1.1\r\nHost:").await).await, "");
    assert_eq!(asked.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_trickle_is_cut_like_silence() {
    let stage = Stage::new().await;
    let mut guest = stage.guest("GET / HTTP/1.1\r\n").await;
    let asked = Instant::now();
    while guest.write_all(b"a: b\r\n").await.is_ok() {
        sleep(Duration::from_millis(700)).await;
        assert!(asked.elapsed() < Duration::from_secs(15));
    }
}

#[tokio::test]
async fn a_crowd_waits_and_is_served() {
    let stage = Stage::new().await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(stage.guest("GET /healthz HTTP/1.1\r\n").await);
    }
    let mut served = 0;
    for mut guest in crowd {
        guest.write_all(b"Host: a\r\nConnection: close\r\n\r\n").await.unwrap();
        served += usize::from(rest(guest).await.ends_with("ok\n"));
    }
    assert_eq!(served, 100);
}

#[tokio::test(start_paused = true)]
async fn half_a_request_does_not_hold_the_end_up() {
    let stage = Stage::new().await;
    let _guest = stage.guest("GET / HTTP/1.1\r\nHost:").await;
    // Let it be accepted.
    assert!(stage.health().await.ends_with("ok\n"));
    let asked = Instant::now();
    stage.stop.shut_down();
    stage.task.await.unwrap();
    assert_eq!(asked.elapsed(), GRACE);
}
