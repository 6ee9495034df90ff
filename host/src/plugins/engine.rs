//! The one wasmtime engine: its settings, and the clock that interrupts guests.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel};

/// How often a running guest is interrupted. Each interruption costs it one unit of its CPU budget and lets other tasks run.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Largest stack that a guest may use.
const WASM_STACK: usize = 512 << 10;

/// The settings shared by the process that compiles and the one that runs: a compiled plugin loads only under the
/// very settings that it was compiled with.
pub(super) fn engine_config() -> Config {
    let mut config = Config::new();
    // Interruption by counting ticks. See `Ticker`.
    config.epoch_interruption(true);
    config.max_wasm_stack(WASM_STACK);
    // Host futures are polled on the guest's own stack; the difference to the above is what they have.
    config.async_stack_size(2 * WASM_STACK);
    // Address space is scarce on a 64-bit Pi with 39 bits of it, and the default reserves 4 GiB a memory.
    config.memory_reservation(64 << 20);
    config.memory_reservation_for_growth(16 << 20);
    config.memory_guard_size(64 << 10);
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    config.cranelift_opt_level(OptLevel::SpeedAndSize);
    config.generate_address_map(false);
    config.debug_symbols(false);
    config.native_unwind_info(false);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(16));
    // Proposals that no plugin needs are attack surface; said outright, since defaults change between releases.
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_relaxed_simd(false);
    config.wasm_tail_call(false);
    config
}

/// How often a computing guest is looked for while there are runs. A guest that is found is ticked until it waits.
const PATROL: Duration = Duration::from_millis(100);

/// Patrols without a run after which the ticker sleeps until the next one.
const QUIET_PATROLS: u32 = 2;

/// The engine with the thread that ticks it.
pub(super) struct PluginEngine {
    engine: Engine,
    ticker: Arc<Ticker>,
    thread: Thread,
}

/// Interrupts computing guests by raising the engine's epoch every [`TICK`].
///
/// It is a thread of its own because a guest in a tight loop holds the runtime's thread. Most runs compute for a
/// fraction of a millisecond and then wait, and waking a thread costs about as much: so it only looks now and then
/// whether a guest happens to compute, and sleeps without a timeout when there are no runs.
#[derive(Default)]
struct Ticker {
    /// Guests that compute at this moment.
    computing: AtomicUsize,
    /// How many times a guest has begun to compute, or to compute again.
    entries: AtomicUsize,
    parked: AtomicBool,
    stop: AtomicBool,
    ticks: AtomicUsize,
}

impl PluginEngine {
    /// Starts the engine and its thread.
    pub(super) fn new() -> wasmtime::Result<Self> {
        let mut config = engine_config();
        // The compiler runs in a process of its own; here it would only take memory.
        config.enable_compiler(false);
        let engine = Engine::new(&config)?;
        let ticker = Arc::new(Ticker::default());
        let (ticking, ticked) = (ticker.clone(), engine.clone());
        let join = std::thread::Builder::new()
            .name("plugin-ticker".into())
            .stack_size(64 << 10)
            .spawn(move || ticking.run(&ticked))
            .map_err(wasmtime::Error::new)?;
        Ok(Self { engine, ticker, thread: join.thread().clone() })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Has a guest watched while it computes, until the guard is dropped.
    pub(super) fn computing(&self) -> Computing<'_> {
        self.ticker.computing.fetch_add(1, Ordering::SeqCst);
        self.ticker.entries.fetch_add(1, Ordering::SeqCst);
        if self.ticker.parked.load(Ordering::SeqCst) && self.ticker.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Computing(&self.ticker)
    }

    /// How many times the epoch was raised.
    #[cfg(test)]
    pub(super) fn ticks(&self) -> usize {
        self.ticker.ticks.load(Ordering::SeqCst)
    }
}

impl Drop for PluginEngine {
    fn drop(&mut self) {
        self.ticker.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// See [`PluginEngine::computing`].
pub(super) struct Computing<'e>(&'e Ticker);

impl Drop for Computing<'_> {
    fn drop(&mut self) {
        self.0.computing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticker {
    fn run(&self, engine: &Engine) {
        let mut seen = 0;
        let mut quiet = 0;
        while !self.stop.load(Ordering::SeqCst) {
            if quiet >= QUIET_PATROLS {
                self.sleep(seen);
                quiet = 0;
            }
            seen = self.entries.load(Ordering::SeqCst);
            // Woken early, it looks early: that is harmless here and everywhere below.
            std::thread::park_timeout(PATROL);
            self.tick(engine);
            quiet = if self.entries.load(Ordering::SeqCst) == seen { quiet + 1 } else { 0 };
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the ticker is a thread of its own, and sleeping is its job"
    )]
    fn tick(&self, engine: &Engine) {
        while self.computing.load(Ordering::SeqCst) > 0 && !self.stop.load(Ordering::SeqCst) {
            engine.increment_epoch();
            self.ticks.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(TICK);
        }
    }

    /// Sleeps until a guest is entered. Either its entry is seen here, or it sees that this thread is parked.
    fn sleep(&self, seen: usize) {
        self.parked.store(true, Ordering::SeqCst);
        if self.entries.load(Ordering::SeqCst) == seen && !self.stop.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }
}
