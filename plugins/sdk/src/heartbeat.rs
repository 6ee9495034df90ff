//! Signs of life that a job sends to PiHook by itself, at `/push/{token}`.

/// A sign of life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beat {
    /// When it came, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// How long ago that was, in milliseconds, by a clock that does not jump where one can be had.
    pub ago_ms: u64,
    /// Whether it reported a success.
    pub ok: bool,
    /// What it said; empty if nothing. Untrusted text.
    pub message: String,
    /// How long the job took, in milliseconds, if it said so.
    pub took_ms: Option<f64>,
}

/// The service's newest sign of life; none if there was none yet, and in a native build.
#[must_use]
pub fn last() -> Option<Beat> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::heartbeat::last();
    #[cfg(not(target_arch = "wasm32"))]
    None
}

/// How long the service has been waited for, in milliseconds: since it is in services.yaml, over restarts. 0 in a native
/// build.
#[must_use]
pub fn waited_ms() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::heartbeat::waited_ms();
    #[cfg(not(target_arch = "wasm32"))]
    0
}

/// How long PiHook has been able to hear signs of life without a break, in milliseconds. None while it cannot, and in a
/// native build.
#[must_use]
pub fn listening_ms() -> Option<u64> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::heartbeat::listening_ms();
    #[cfg(not(target_arch = "wasm32"))]
    None
}
