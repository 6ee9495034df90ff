//! The host's clocks.

/// The wall clock, in milliseconds since 1970 UTC. It may jump: a Pi has no battery-backed clock. 0 in a native build.
#[must_use]
pub fn now_ms() -> i64 {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::host::now_ms();
    #[cfg(not(target_arch = "wasm32"))]
    0
}

/// Nanoseconds since an arbitrary start, monotonic within one run of the process. 0 in a native build.
#[must_use]
pub fn monotonic_ns() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::host::monotonic_ns();
    #[cfg(not(target_arch = "wasm32"))]
    0
}
