//! What is derived from the machine's figures, alone and compared with the check before.

use pihook_plugin::system::Machine;
use pihook_plugin::text::span_of;
use serde::{Deserialize, Serialize};

/// What a check keeps for the next one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// As in [`Machine::cpu_busy_ms`].
    pub busy_ms: u64,
    /// As in [`Machine::cpu_total_ms`].
    pub total_ms: u64,
    /// As in [`Machine::uptime_seconds`].
    pub uptime_seconds: f64,
    /// As in [`Machine::boot_id`].
    pub boot_id: String,
}

impl Sample {
    /// What is kept of the machine.
    #[must_use]
    pub fn of(machine: &Machine) -> Sample {
        Sample {
            busy_ms: machine.cpu_busy_ms,
            total_ms: machine.cpu_total_ms,
            uptime_seconds: machine.uptime_seconds,
            boot_id: machine.boot_id.clone(),
        }
    }
}

/// What is derived from the machine's figures; none of what cannot be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How busy the processors were since the check before, in percent.
    pub cpu: Option<f64>,
    /// Memory in use, in percent.
    pub memory: Option<f64>,
    /// Swap in use, in percent.
    pub swap: Option<f64>,
    /// The load average of a minute for each core.
    pub load_per_core: Option<f64>,
}

impl Figures {
    /// The figures of this machine, given what the check before kept.
    #[must_use]
    pub fn of(machine: &Machine, before: Option<&Sample>) -> Figures {
        let used = machine.memory_total_bytes.saturating_sub(machine.memory_available_bytes);
        let load = machine.load1 / f64::from(machine.cores.max(1));
        Figures {
            cpu: before.and_then(|before| busy(before, machine)),
            memory: share(used, machine.memory_total_bytes),
            swap: share(machine.swap_used_bytes, machine.swap_total_bytes),
            load_per_core: load.is_finite().then_some(load),
        }
    }
}

/// How busy the processors were since then, in percent.
fn busy(before: &Sample, machine: &Machine) -> Option<f64> {
    if reboot(Some(before), machine).is_some() {
        return None;
    }
    // The kernel's own counters now and then go back a little.
    share(
        machine.cpu_busy_ms.saturating_sub(before.busy_ms),
        machine.cpu_total_ms.saturating_sub(before.total_ms),
    )
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 100.0).min(100.0))
}

/// What is to be told of a reboot since then; none if there was none.
#[must_use]
pub fn reboot(before: Option<&Sample>, machine: &Machine) -> Option<String> {
    let before = before?;
    let known = !before.boot_id.is_empty() && !machine.boot_id.is_empty();
    let rebooted = if known {
        before.boot_id != machine.boot_id
    } else {
        machine.uptime_seconds < before.uptime_seconds
    };
    let span = |seconds: f64| span_of(seconds.floor() * 1000.0);
    rebooted.then(|| {
        format!(
            "the machine was rebooted {} ago, after {} or more",
            span(machine.uptime_seconds),
            span(before.uptime_seconds)
        )
    })
}
