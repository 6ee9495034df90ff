//! What the plugin wall costs: a store, an instance, a call with its conversions, and back. No network is involved: the
//! guest's request is denied at once.
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
use pihook::plugins::{BUNDLED, CheckRequest, Compiler, Kept, Library, Outside, PluginHost, Reach};

const ROUNDS: u32 = 20_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cache = tempfile::tempdir().unwrap();
        let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
        let library = Library::load(&host, BUNDLED.iter().map(|(id, _)| *id), &Default::default()).await;
        let plugin = library.get("http").unwrap().as_ref().unwrap().clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let outside = Outside { probes: Arc::default(), grants: Arc::default() };
        let request = CheckRequest {
            service: "Bench".into(),
            zone: "local".into(),
            settings: r#"{"url": "http://127.0.0.1:9/", "expect": {"status": "200-299"}}"#.into(),
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(10),
            attempt: 1,
        };
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let reach = Reach { clock: clock.clone(), outside: Some(outside.clone()), kept: Kept::default() };
            let begun = Instant::now();
            assert!(plugin.check(request.clone(), reach).await.is_err(), "the request is denied");
            times.push(begun.elapsed());
        }
        times.sort();
        let total: Duration = times.iter().sum();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "wall: mean {:?}, p50 {:?}, p99 {:?} over {ROUNDS} calls",
            total / ROUNDS,
            at(0.5),
            at(0.99)
        );
    });
}
