//! What the plugin wall costs: a store, an instance, a call with its conversions, and back.
//!
//! Once with a request that is denied at once, and once with one that a server on this machine answers. The latter is
//! measured through the wall and, in turn with it, by the probe alone: the difference is the wall with an answer and an
//! outcome to convert.
//!
//! `cargo run --release -p pihook-bench --bin wall`
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock and prints"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pihook::clock::{Clock, SystemClock};
use pihook::plugins::{BUNDLED, CheckRequest, Compiler, Kept, Library, Outside, Plugin, PluginHost, Reach};
use pihook::probes::Grants;
use pihook::probes::http::{Access, HttpGrant, HttpRequest};

const SERVE: &str = "serve";
const ROUNDS: u32 = 20_000;
const CONNECT: Duration = Duration::from_secs(3);
const READ: Duration = Duration::from_secs(10);
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nok\n";

fn main() {
    if std::env::args().nth(1).as_deref() == Some(SERVE) {
        return serve();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cache = tempfile::tempdir().unwrap();
        let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
        let library = Library::load(&host, BUNDLED.iter().map(|(id, _)| *id), &Default::default()).await;
        let plugin = library.get("http").unwrap().as_ref().unwrap().clone();
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            times.push(through_the_wall(&plugin, 9, &Outside::default()).await);
        }
        show("wall, request denied", times);
        let web = Access { grant: HttpGrant::Any, ..Access::default() };
        let outside = Outside { grants: Arc::new(Grants { web, ..Grants::default() }), ..Outside::default() };
        let server = Server::start();
        let (mut whole, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            whole.push(through_the_wall(&plugin, server.port, &outside).await);
            alone.push(by_the_probe(server.port, &outside).await);
        }
        show("check, answered", whole);
        show("probe alone, answered", alone);
    });
}

/// Answers in a process of its own: a thread of this one would make each change of its memory dearer.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program).arg(SERVE).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(ANSWER);
    }
}

async fn through_the_wall(plugin: &Plugin, port: u16, outside: &Outside) -> Duration {
    let request = CheckRequest {
        service: "Bench".into(),
        zone: "local".into(),
        settings: format!(r#"{{"url": "{}", "expect": {{"status": "200-299"}}}}"#, url(port)),
        connect_timeout: CONNECT,
        read_timeout: READ,
        attempt: 1,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let reach = Reach { clock, outside: Some(outside.clone()), kept: Kept::default() };
    let begun = Instant::now();
    let _ = plugin.check(request, reach).await;
    begun.elapsed()
}

async fn by_the_probe(port: u16, outside: &Outside) -> Duration {
    let request = HttpRequest {
        method: "GET".into(),
        url: url(port),
        headers: Vec::new(),
        body: None,
        credentials: None,
        connect_timeout: CONNECT,
        read_timeout: READ,
        verify: true,
        ca_file: None,
        max_redirects: 10,
        max_body_bytes: 256 << 10,
    };
    let Outside { probes, grants } = outside.clone();
    let begun = Instant::now();
    // In a task of its own, as behind the wall.
    let sent = tokio::spawn(async move { probes.http.send(request, &grants.web).await.is_ok() });
    assert!(sent.await.unwrap());
    begun.elapsed()
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let total: Duration = times.iter().sum();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:24} mean {:?}, median {:?}, p99 {:?} of {ROUNDS}", total / ROUNDS, at(0.5), at(0.99));
}
