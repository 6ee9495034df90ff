//! Processes across the wall.

use super::check_bindings::pihook::plugin::processes as wit;
use crate::processes::{Process, Query};

pub(crate) fn find(query: &Query) -> Result<Vec<Process>, String> {
    let query = wit::Query { name: query.name.clone(), command_contains: query.command_contains.clone() };
    let process = |wit::Process { pid, state, memory_bytes, cpu_ms, age_seconds }| Process {
        pid,
        state,
        memory_bytes,
        cpu_ms,
        age_seconds,
    };
    Ok(wit::find(&query)?.into_iter().map(process).collect())
}
