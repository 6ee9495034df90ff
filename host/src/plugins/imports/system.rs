//! The machine at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::machine::Machine;
use crate::probes::system as probe;

impl wit::system::Host for RunState {
    async fn snapshot(&mut self) -> Result<wit::system::Machine, String> {
        let outside = self.machine(Machine::System)?;
        let within = self.read_timeout;
        let seen = aside(async move { outside.probes.system.snapshot(within).await }).await?;
        seen.map(to_guest).map_err(|error| error.to_string())
    }
}

fn to_guest(seen: probe::MachineFigures) -> wit::system::Machine {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let [load1, load5, load15] = seen.load;
    wit::system::Machine {
        cores: seen.cores,
        cpu_busy_ms: millis(seen.cpu_busy),
        cpu_total_ms: millis(seen.cpu_total),
        memory_total_bytes: seen.memory_total,
        memory_available_bytes: seen.memory_available,
        swap_total_bytes: seen.swap_total,
        swap_used_bytes: seen.swap_used,
        load1,
        load5,
        load15,
        uptime_seconds: seen.uptime.as_secs_f64(),
        boot_id: seen.boot_id,
        temperatures: seen
            .temperatures
            .into_iter()
            .map(|probe::Temperature { name, celsius }| wit::system::Sensor { name, celsius })
            .collect(),
    }
}
