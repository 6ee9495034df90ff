//! Real connections on paused time: it passes only where both sides wait.

use pihook_core::{Moment, Secret, ServiceId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::clock::SystemClock;
use crate::heartbeats::{Arrival, Heartbeats, Refused, Sign, inlet};
use crate::shutdown::{self, ShutdownSender};

const PUSH_TOKEN: &str = "Push-Token_0123456789";

/// Of a daemon that has run for a while.
struct Aged(SystemClock);

impl Clock for Aged {
    fn now(&self) -> Moment {
        let now = self.0.now();
        Moment { uptime: now.uptime + Duration::from_secs(100), ..now }
    }
}

pub(super) struct Stage {
    address: SocketAddr,
    trouble: watch::Sender<Option<String>>,
    progress: watch::Sender<Progress>,
    arrivals: mpsc::Receiver<Arrival>,
    pub(super) board: Board,
    stop: ShutdownSender,
    task: JoinHandle<()>,
}

impl Stage {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let trouble = watch::Sender::new(None);
        let progress = watch::Sender::new(Progress::default());
        let heartbeats = Arc::new(Heartbeats::default());
        let clock = Arc::new(Aged(SystemClock::start()));
        heartbeats.follow(
            vec![(ServiceId::new("backup"), Secret::new(PUSH_TOKEN.to_owned()))],
            Vec::new(),
            clock.now(),
        );
        let board = Board::new();
        let (inlet, arrivals) = inlet(heartbeats);
        let dashboard = Dashboard {
            database: PathBuf::from("/nowhere"),
            keeper: None,
            badges: Badges::Guarded,
            reach: Reach::default(),
            is_private: true,
            configured: watch::Sender::new(Arc::default()).subscribe(),
            desk: Desk::new(Arc::default()).unwrap(),
            acknowledgements: mpsc::channel(1).0,
            progress: progress.subscribe(),
            clock,
            trouble: trouble.subscribe(),
            inlet,
            board: board.clone(),
            channel: Channel::new(),
            rendered: Rendered::default(),
        };
        let (stop, stopped) = shutdown::channel();
        let task = tokio::spawn(run(listener, None, dashboard, stopped));
        Self { address, trouble, progress, arrivals, board, stop, task }
    }

    /// A connection that has sent this.
    async fn guest(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Somebody who listens to events, from behind the head of the answer on.
    pub(super) async fn listen(&self) -> Listener {
        let mut listener = Listener(self.guest("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await);
        let head = listener.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/event-stream"), "{head}");
        listener
    }

    /// What a request is answered with.
    async fn ask(&self, request: &str) -> String {
        rest(self.guest(request).await).await
    }

    /// The answer to a push that is taken in with this result, and what was taken in.
    async fn push(&mut self, request: &str, result: Result<(), Refused>) -> (String, Sign) {
        let guest = self.guest(request).await;
        let arrival = self.arrivals.recv().await.unwrap();
        assert_eq!(arrival.service, ServiceId::new("backup"));
        arrival.answer.send(result).unwrap();
        (rest(guest).await, arrival.sign)
    }

    async fn health(&self) -> String {
        rest(self.guest("GET /healthz HTTP/1.0\r\n\r\n").await).await
    }
}

/// Somebody who reads an answer piece by piece.
pub(super) struct Listener(TcpStream);

impl Listener {
    /// What comes, up to and with this.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            text.push(self.0.read_u8().await.unwrap());
        }
        String::from_utf8(text).unwrap()
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

#[tokio::test]
async fn checks_that_are_late_are_unhealthy() {
    let stage = Stage::new().await;
    let next = |second| Progress { checked: 1, next_start: Some(Duration::from_secs(second)) };
    stage.progress.send_replace(next(90));
    assert!(stage.health().await.ends_with("ok\n"));
    stage.progress.send_replace(next(50));
    let sick = stage.health().await;
    assert!(sick.starts_with("HTTP/1.0 503") && sick.contains("a check should have started 5"), "{sick}");
    stage.trouble.send_replace(Some("disk full".to_owned()));
    let sick = stage.health().await;
    assert!(sick.contains("disk full\na check should have started"), "{sick}");
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

fn sign(ok: bool, message: &str, took: Option<u64>) -> Sign {
    Sign { ok, message: message.to_owned(), took: took.map(Duration::from_millis) }
}

#[tokio::test]
async fn signs_of_life_come_by_get_post_and_head() {
    let mut stage = Stage::new().await;
    let get = format!("GET /push/{PUSH_TOKEN}?status=up&msg=OK&ping=12 HTTP/1.0\r\n\r\n");
    let (answer, said) = stage.push(&get, Ok(())).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK") && answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
    assert_eq!(said, sign(true, "OK", Some(12)));
    let head = format!("HEAD /push/{PUSH_TOKEN} HTTP/1.0\r\n\r\n");
    let (answer, said) = stage.push(&head, Ok(())).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert_eq!(said, sign(true, "", None));
    let post = format!("POST /push/{PUSH_TOKEN}?status=fail HTTP/1.0\r\ncontent-length: 9\r\n\r\ndisk full");
    let (_, said) = stage.push(&post, Ok(())).await;
    assert_eq!(said, sign(false, "disk full", None));
}

#[tokio::test]
async fn whoever_has_no_token_learns_nothing() {
    let stage = Stage::new().await;
    let mut answers = Vec::new();
    for path in
        ["x", "Push-Token_012345678", "Push-Token_01234567890?status=nonsense", "push-token_0123456789"]
    {
        let answer = stage.ask(&format!("GET /push/{path} HTTP/1.0\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.0 404"), "{answer}");
        let body = answer.split("\r\n\r\n").nth(1).unwrap().to_owned();
        assert!(body.starts_with("nothing is pushed here"), "{body}");
        answers.push(body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    for path in ["", "/", &format!("/{PUSH_TOKEN}/x")] {
        let answer = stage.ask(&format!("GET /push{path} HTTP/1.0\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.0 404"), "{answer}");
    }
    let answer = stage.ask(&format!("PUT /push/{PUSH_TOKEN} HTTP/1.0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.0 405"), "{answer}");
}

#[tokio::test]
async fn what_is_wrong_or_not_written_is_said() {
    let mut stage = Stage::new().await;
    let answer = stage.ask(&format!("GET /push/{PUSH_TOKEN}?status=maybe HTTP/1.0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
    assert!(answer.contains("nothing was noted: `maybe` is no status; ok or up, fail or down,"), "{answer}");
    let long = "x".repeat((64 << 10) + 1);
    let post = format!("POST /push/{PUSH_TOKEN} HTTP/1.0\r\ncontent-length: {}\r\n\r\n{long}", long.len());
    let answer = stage.ask(&post).await;
    assert!(answer.starts_with("HTTP/1.0 413"), "{answer}");
    let get = format!("GET /push/{PUSH_TOKEN} HTTP/1.0\r\n\r\n");
    for (refused, expected) in [
        (Refused::Unwritten("disk full".to_owned()), ("503", "the database cannot be written: disk full\n")),
        (Refused::Stopping, ("503", "PiHook is stopping\n")),
        (Refused::TooMany, ("429", "too many came at once: only the newest are kept\n")),
        (Refused::Gone, ("404", "it is not waited for any more\n")),
    ] {
        let (answer, _) = stage.push(&get, Err(refused)).await;
        let (code, text) = expected;
        assert!(answer.starts_with(&format!("HTTP/1.0 {code}")) && answer.ends_with(text), "{answer}");
    }
}

#[tokio::test]
async fn every_answer_is_fenced_in() {
    let stage = Stage::new().await;
    for path in ["/", "/healthz", "/assets/pihook.js", "/nothing"] {
        let answer = stage.ask(&format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert!(
            answer.contains("content-security-policy: default-src 'none'; script-src 'self'"),
            "{answer}"
        );
        assert!(!answer.contains("unsafe-inline"), "{answer}");
    }
    let page = stage.ask("GET / HTTP/1.0\r\n\r\n").await;
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick"), "{page}");
}

#[tokio::test]
async fn a_page_is_packed_for_whoever_takes_it() {
    let stage = Stage::new().await;
    let plain = stage.ask("GET / HTTP/1.0\r\n\r\n").await;
    assert!(plain.contains("<!doctype html>") && plain.contains("vary: accept-encoding"), "{plain}");
    let mut guest = stage.guest("GET / HTTP/1.0\r\naccept-encoding: br, gzip\r\n\r\n").await;
    let mut answer = Vec::new();
    guest.read_to_end(&mut answer).await.unwrap();
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    assert!(String::from_utf8_lossy(&answer[..split]).contains("content-encoding: gzip"));
    let mut page = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(&answer[split + 4..]);
    std::io::Read::read_to_string(&mut unpacked, &mut page).unwrap();
    assert!(page.contains("<!doctype html>"), "{page}");
}
