//! The machine across the wall.

use super::check_bindings::pihook::plugin::system as wit;
use crate::system::{Machine, Sensor};

pub(crate) fn snapshot() -> Result<Machine, String> {
    let seen = wit::snapshot()?;
    let sensor = |wit::Sensor { name, celsius }| Sensor { name, celsius };
    Ok(Machine {
        cores: seen.cores,
        cpu_busy_ms: seen.cpu_busy_ms,
        cpu_total_ms: seen.cpu_total_ms,
        memory_total_bytes: seen.memory_total_bytes,
        memory_available_bytes: seen.memory_available_bytes,
        swap_total_bytes: seen.swap_total_bytes,
        swap_used_bytes: seen.swap_used_bytes,
        load1: seen.load1,
        load5: seen.load5,
        load15: seen.load15,
        uptime_seconds: seen.uptime_seconds,
        boot_id: seen.boot_id,
        temperatures: seen.temperatures.into_iter().map(sensor).collect(),
    })
}
