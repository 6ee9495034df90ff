//! The one wasmtime engine: its settings, and the clock that interrupts guests.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
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

/// The engine with the thread that ticks it.
pub(super) struct PluginEngine {
    engine: Engine,
    ticker: Arc<Ticker>,
}

/// Interrupts running guests by raising the engine's epoch every [`TICK`].
///
/// It is a thread of its own because a guest in a tight loop holds the runtime's thread, and it sleeps without a
/// timeout while no guest runs, so that an idle daemon does not wake up a hundred times a second.
struct Ticker {
    active: AtomicUsize,
    stop: AtomicBool,
    thread: Thread,
}

impl PluginEngine {
    /// Starts the engine. It cannot compile if `compiler` says so: the daemon only loads what its child compiled.
    pub(super) fn new() -> wasmtime::Result<Self> {
        let engine = Engine::new(&engine_config())?;
        let (hand_over, handed_over) = std::sync::mpsc::sync_channel::<Arc<Ticker>>(1);
        let ticked = engine.clone();
        let join = std::thread::Builder::new()
            .name("plugin-ticker".into())
            .stack_size(64 << 10)
            .spawn(move || {
                if let Ok(ticker) = handed_over.recv() {
                    let weak = Arc::downgrade(&ticker);
                    drop(ticker);
                    tick(&weak, &ticked);
                }
            })
            .map_err(wasmtime::Error::new)?;
        let ticker = Arc::new(Ticker {
            active: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            thread: join.thread().clone(),
        });
        // The receiver waits for exactly this.
        let _ = hand_over.send(ticker.clone());
        Ok(Self { engine, ticker })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Keeps the epoch ticking until the guard is dropped.
    pub(super) fn ticking(&self) -> Ticking {
        if self.ticker.active.fetch_add(1, Ordering::SeqCst) == 0 {
            self.ticker.thread.unpark();
        }
        Ticking(self.ticker.clone())
    }
}

impl Drop for PluginEngine {
    fn drop(&mut self) {
        self.ticker.stop.store(true, Ordering::SeqCst);
        self.ticker.thread.unpark();
    }
}

/// See [`PluginEngine::ticking`].
pub(super) struct Ticking(Arc<Ticker>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "the ticker is a thread of its own, and sleeping is its job")]
fn tick(ticker: &Weak<Ticker>, engine: &Engine) {
    while let Some(ticker) = ticker.upgrade() {
        if ticker.stop.load(Ordering::SeqCst) {
            return;
        }
        if ticker.active.load(Ordering::SeqCst) == 0 {
            // A spurious return is harmless: the loop looks again.
            std::thread::park();
            continue;
        }
        drop(ticker);
        std::thread::sleep(TICK);
        engine.increment_epoch();
    }
}
