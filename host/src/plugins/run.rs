//! One run of a plugin: a fresh store with its bounds, and what its end means.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::briefing::Briefing;
use super::engine::{PluginEngine, TICK};
use super::fault::Fault;
use super::kept::Kept;
use super::limits::{HOSTCALL_BYTES, Limits, Meter};
use super::log_lines::LogLines;
use super::stderr::Stderr;
use crate::clock::Clock;
use crate::machine::Machine;
use crate::probes::http::HOPS_IN_TIME;
use crate::probes::{Grants, Probes};

/// What a run may reach beyond its own memory.
pub struct Reach {
    /// The host's clocks.
    pub clock: Arc<dyn Clock>,
    /// The world outside, for a check; a formatter has none.
    pub outside: Option<Outside>,
    /// What the service's check has kept from earlier runs.
    pub kept: Kept,
}

/// The world outside of the sandbox, as far as a service's check may reach it.
#[derive(Clone, Default)]
pub struct Outside {
    /// What looks.
    pub probes: Arc<Probes>,
    /// Where to it may be sent.
    pub grants: Arc<Grants>,
}

/// What the host knows during one run.
pub(super) struct RunState {
    pub(super) reach: Reach,
    /// Why there is no world outside, if there is none.
    pub(super) secluded: &'static str,
    /// The service's read timeout, which bounds what a guest cannot bound itself.
    pub(super) read_timeout: Duration,
    /// What a formatter may ask for.
    pub(super) briefing: Briefing,
    pub(super) log: LogLines,
    meter: Meter,
    pub(super) table: ResourceTable,
    /// Held by each file that the guest has open.
    pub(super) open_files: Arc<()>,
    /// Made when the guest first asks for any of it: most plugins do not import WASI at all.
    wasi: Option<(WasiCtx, Stderr)>,
}

/// Handles that a guest may hold at once.
const HANDLES: usize = 256;

impl RunState {
    /// The world outside.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn outside(&self) -> Result<Outside, String> {
        self.reach.outside.clone().ok_or_else(|| self.secluded.to_owned())
    }

    /// The world outside, if this is granted.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn machine(&self, wanted: Machine) -> Result<Outside, String> {
        let outside = self.outside()?;
        outside.grants.machine.allows(wanted)?;
        Ok(outside)
    }
}

impl WasiView for RunState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (ctx, _) = self.wasi.get_or_insert_with(empty_wasi);
        WasiCtxView { ctx, table: &mut self.table }
    }
}

/// A world with clocks and nothing else: no file, no variable, no argument, no network.
fn empty_wasi() -> (WasiCtx, Stderr) {
    let stderr = Stderr::default();
    let ctx = WasiCtx::builder().max_random_size(4 << 10).stderr(stderr.clone()).build();
    (ctx, stderr)
}

/// The guest computed for too long.
#[derive(Debug, thiserror::Error)]
#[error("out of CPU time")]
struct OutOfCpu;

/// A store for one run, with all bounds set.
pub(super) fn store(engine: &PluginEngine, plugin: &str, limits: &Limits, reach: Reach) -> Store<RunState> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let state = RunState {
        reach,
        secluded: "this kind of plugin sees nothing of the world outside",
        read_timeout: Duration::ZERO,
        briefing: Briefing::default(),
        log: LogLines::new(plugin),
        meter: Meter::new(limits.memory),
        table,
        open_files: Arc::default(),
        wasi: None,
    };
    let mut store = Store::new(engine.engine(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_epoch_deadline(1);
    // Ticks are counted only when the guest meets one, so that waiting for the host costs it one at the most.
    let budget = limits.cpu.as_millis().div_ceil(TICK.as_millis()).max(1);
    let mut ticks = 0;
    store.epoch_deadline_callback(move |_| {
        ticks += 1;
        if ticks > budget { Err(wasmtime::Error::new(OutOfCpu)) } else { Ok(UpdateDeadline::Yield(1)) }
    });
    store
}

/// Awaits a call into the guest and says what its failure means. The guest's last words are logged either way.
pub(super) async fn finish<T>(
    engine: &PluginEngine,
    limits: &Limits,
    store: &mut Store<RunState>,
    call: impl AsyncCall<T>,
) -> Result<T, Fault> {
    let result = {
        let mut call = pin!(call.call(store));
        // The guest computes while it is polled. Whatever it waits for, the host or a clock, happens between two polls.
        let watched = poll_fn(|context| {
            let _computing = engine.computing();
            call.as_mut().poll(context)
        });
        tokio::time::timeout(limits.deadline, watched).await
    };
    let state = store.data_mut();
    if let Some((_, stderr)) = &state.wasi {
        state.log.stderr(&stderr.contents());
    }
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(explain(&error, limits, &state.meter)),
        Err(_) => Err(Fault::Deadline(limits.deadline)),
    }
}

/// A call into a guest. A trait instead of an async closure, since the future has to be `Send`.
pub(super) trait AsyncCall<T> {
    fn call(self, store: &mut Store<RunState>) -> impl Future<Output = wasmtime::Result<T>> + Send;
}

fn explain(error: &wasmtime::Error, limits: &Limits, meter: &Meter) -> Fault {
    if error.is::<OutOfCpu>() {
        return Fault::Cpu(limits.cpu);
    }
    if meter.denied {
        return Fault::Memory(limits.memory);
    }
    let reason = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => format!("{error:#}"),
    };
    // The first line is the reason, the rest a backtrace; the innermost guest functions are worth keeping.
    let frames: Vec<String> = error
        .downcast_ref::<wasmtime::WasmBacktrace>()
        .map(|backtrace| {
            backtrace.frames().iter().filter_map(|f| f.func_name().map(str::to_owned)).take(4).collect()
        })
        .unwrap_or_default();
    let reason: String = reason.lines().next().unwrap_or_default().chars().take(300).collect();
    if frames.is_empty() {
        Fault::Trap(reason)
    } else {
        Fault::Trap(format!("{reason} (in {})", frames.join(" < ")))
    }
}

/// The limits with a deadline that lets a check use the timeouts that its service allows it, redirects included, and
/// then still answer.
pub(super) fn deadline_for(limits: &Limits, timeouts: Duration) -> Limits {
    const TO_ANSWER: Duration = Duration::from_secs(1);
    let needed = timeouts.saturating_mul(HOPS_IN_TIME).saturating_add(TO_ANSWER);
    Limits { deadline: limits.deadline.max(needed), ..*limits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_redirects_ends_before_its_run() {
        let deadline =
            |seconds| deadline_for(&Limits::CHECK, Duration::from_secs(seconds)).deadline.as_secs();
        assert_eq!((deadline(13), deadline(100), deadline(600)), (120, 301, 1801));
    }
}
