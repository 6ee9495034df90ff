//! The machine that PiHook runs on.

use std::fmt;

/// A temperature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensor {
    /// Its name, such as `cpu_thermal temp1`.
    pub name: String,
    /// In degrees Celsius.
    pub celsius: f64,
}

/// The machine at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Processors that are online.
    pub cores: u32,
    /// Time that all processors together spent working since the boot, in milliseconds.
    pub cpu_busy_ms: u64,
    /// Time that all processors together spent in any way since the boot, in milliseconds.
    pub cpu_total_ms: u64,
    /// All memory, in bytes.
    pub memory_total_bytes: u64,
    /// Memory that programs could still have without swapping, in bytes.
    pub memory_available_bytes: u64,
    /// All swap, in bytes; 0 without any.
    pub swap_total_bytes: u64,
    /// Swap in use, in bytes.
    pub swap_used_bytes: u64,
    /// The load average of one minute.
    pub load1: f64,
    /// The load average of five minutes.
    pub load5: f64,
    /// The load average of fifteen minutes.
    pub load15: f64,
    /// How long the machine has been up, in seconds.
    pub uptime_seconds: f64,
    /// What names this boot, a new one each time; empty if the machine does not say.
    pub boot_id: String,
    /// All temperatures, the processor's first where it is known; at most 64.
    pub temperatures: Vec<Sensor>,
}

/// Why the machine cannot be looked at, a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// The machine now.
///
/// # Errors
/// An [`Error`] if it is not granted, or if the machine does not tell.
pub fn snapshot() -> Result<Machine, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::system::snapshot().map_err(Error);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error(String::from("no host to look at the machine: this is a native build")))
}
