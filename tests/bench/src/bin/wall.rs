//! What the plugin wall costs: a store, an instance, a call with its conversions, and back.
//!
//! Once with a request that is denied at once, and once with one that a server on this machine answers. Of the latter the
//! probe's own time is taken off, so that what is left is the wall with an answer and an outcome to convert.
//!
//! `cargo run --release -p pihook-bench --bin wall`
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pihook::clock::{Clock, SystemClock};
use pihook::plugins::{BUNDLED, CheckRequest, Compiler, Kept, Library, Outside, Plugin, PluginHost, Reach};
use pihook::probes::Grants;
use pihook::probes::http::{Access, HttpGrant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ROUNDS: u32 = 20_000;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nok\n";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cache = tempfile::tempdir().unwrap();
        let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
        let library = Library::load(&host, BUNDLED.iter().map(|(id, _)| *id), &Default::default()).await;
        let plugin = library.get("http").unwrap().as_ref().unwrap().clone();
        measure("denied", &plugin, 9, Grants::default()).await;
        let web = Access { grant: HttpGrant::Any, ..Access::default() };
        measure("answered", &plugin, serve().await, Grants { web, ..Grants::default() }).await;
    });
}

/// Answers on a thread of its own, and says on which port.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = listener.into_std().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(ANSWER).await;
            }
        });
    });
    port
}

async fn measure(name: &str, plugin: &Plugin, port: u16, grants: Grants) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let outside = Outside { probes: Arc::default(), grants: Arc::new(grants) };
    let request = CheckRequest {
        service: "Bench".into(),
        zone: "local".into(),
        settings: format!(r#"{{"url": "http://127.0.0.1:{port}/", "expect": {{"status": "200-299"}}}}"#),
        connect_timeout: Duration::from_secs(3),
        read_timeout: Duration::from_secs(10),
        attempt: 1,
    };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let reach = Reach { clock: clock.clone(), outside: Some(outside.clone()), kept: Kept::default() };
        let begun = Instant::now();
        let checked = plugin.check(request.clone(), reach).await;
        let took = begun.elapsed();
        let probe = checked.ok().and_then(|(attempt, _)| attempt.response_time).unwrap_or_default();
        times.push(took.saturating_sub(probe));
    }
    times.sort();
    let total: Duration = times.iter().sum();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "wall, {name}: mean {:?}, p50 {:?}, p99 {:?} over {ROUNDS} calls",
        total / ROUNDS,
        at(0.5),
        at(0.99)
    );
}
