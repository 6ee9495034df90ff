//! Processes at the wall.

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::aside;
use crate::machine::Machine;
use crate::probes::processes as probe;

impl wit::processes::Host for RunState {
    async fn find(&mut self, query: wit::processes::Query) -> Result<Vec<wit::processes::Process>, String> {
        let outside = self.machine(Machine::Processes)?;
        let within = self.read_timeout;
        let query = probe::ProcessQuery { name: query.name, command_contains: query.command_contains };
        let found = aside(async move { outside.probes.processes.find(query, within).await }).await?;
        found.map(|found| found.into_iter().map(to_guest).collect()).map_err(|error| error.to_string())
    }
}

fn to_guest(process: probe::RunningProcess) -> wit::processes::Process {
    wit::processes::Process {
        pid: process.pid,
        state: process.state.to_string(),
        memory_bytes: process.memory,
        cpu_ms: u64::try_from(process.cpu.as_millis()).unwrap_or(u64::MAX),
        age_seconds: process.age.as_secs_f64(),
    }
}
