//! What one run of a plugin may use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Bounds of one run. Those with a key in services.yaml can be raised there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes over all its linear memories.
    pub memory: usize,
    /// CPU time, counted in ticks of 10 ms; time spent waiting for the host is not counted.
    pub cpu: Duration,
    /// Wall-clock time, waiting included.
    pub deadline: Duration,
}

impl Limits {
    /// What a check gets.
    pub const CHECK: Limits =
        Limits { memory: 16 << 20, cpu: Duration::from_millis(500), deadline: Duration::from_secs(120) };

    /// What a formatter gets.
    pub const FORMATTER: Limits =
        Limits { memory: 16 << 20, cpu: Duration::from_millis(200), deadline: Duration::from_secs(5) };
}

/// Bytes that one crossing of the wall may carry, either way.
pub(super) const HOSTCALL_BYTES: usize = 1 << 20;

/// Sums up what a store's memories and tables take. wasmtime's own `StoreLimits` counts each of them apart.
pub(super) struct Meter {
    limit: usize,
    memory: usize,
    table_elements: usize,
    /// Whether a growth was denied, so that the trap that follows can be explained.
    pub(super) denied: bool,
}

const TABLE_ELEMENTS: usize = 20_000;

impl Meter {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, memory: 0, table_elements: 0, denied: false }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.denied = true;
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        16
    }

    fn tables(&self) -> usize {
        16
    }

    fn memories(&self) -> usize {
        4
    }
}
