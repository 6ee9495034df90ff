//! The judgement of processes. No IO, no clock.

use pihook_plugin::Outcome;
use pihook_plugin::processes::{Process, Query};
use pihook_plugin::text::{count, one_line, size};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// Of more processes the CPU time is not kept.
const KEPT: usize = 100;
/// Over less time, in seconds, a share of CPU time says nothing.
const TOO_SHORT: f64 = 0.5;

/// The CPU time of a process, as it is kept from one check to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Which process.
    pub pid: u32,
    /// CPU time that it had used, in milliseconds.
    pub cpu_ms: u64,
    /// How long it had been running, in seconds.
    pub age_seconds: f64,
}

/// What the settings look for.
#[must_use]
pub fn query(settings: &Settings) -> Query {
    Query { name: settings.name.clone(), command_contains: settings.command_contains.clone() }
}

/// What is kept for the next check.
#[must_use]
pub fn kept(found: &[Process]) -> Vec<Used> {
    let used = |process: &Process| Used {
        pid: process.pid,
        cpu_ms: process.cpu_ms,
        age_seconds: process.age_seconds,
    };
    living(found).take(KEPT).map(used).collect()
}

/// Judges the processes that were found, given what the check before kept.
#[must_use]
pub fn judge(settings: &Settings, found: &[Process], before: Option<&[Used]>) -> Outcome {
    let running = living(found).count();
    let memory = living(found).fold(0, |sum: u64, process| sum.saturating_add(process.memory_bytes));
    let cpu = before.and_then(|before| cpu_percent(found, before));
    let outcome = match missed(settings, found, running) {
        Some(text) => Outcome::down(text),
        None => match excess(settings, memory, cpu) {
            Some(text) => Outcome::degraded(text),
            None if running == 0 => Outcome::up(format!("{} is not running", wanted(settings))),
            None => Outcome::up(format!("{} is running", wanted(settings))),
        },
    };
    let age = living(found)
        .map(|process| process.age_seconds)
        .fold(None, |oldest: Option<f64>, age| Some(oldest.map_or(age, |oldest| oldest.max(age))));
    measured(outcome, running, memory, cpu, age)
}

/// Processes that still do something: a zombie only waits for its parent to hear of its end.
fn living(found: &[Process]) -> impl Iterator<Item = &Process> {
    found.iter().filter(|process| !matches!(process.state.as_str(), "Z" | "X" | "x"))
}

/// The program in words.
fn wanted(settings: &Settings) -> String {
    let name = one_line(&settings.name, 60);
    match &settings.command_contains {
        Some(text) => format!("{name} with `{}` in its command line", one_line(text, 60)),
        None => name,
    }
}

/// What is wrong with the number of processes.
fn missed(settings: &Settings, found: &[Process], running: usize) -> Option<String> {
    let right = match &settings.count {
        Some(ranges) => ranges.contains(u64::try_from(running).unwrap_or(u64::MAX)),
        None => running > 0,
    };
    if right {
        return None;
    }
    let zombies = found.len().saturating_sub(running);
    let zombies =
        if zombies > 0 { format!("; {} left of it", count_zombies(zombies)) } else { String::new() };
    let wanted = wanted(settings);
    Some(match (&settings.count, running) {
        (None, _) => format!("{wanted} is not running{zombies}"),
        (Some(ranges), 0) => format!("{wanted} is not running, expected {ranges} processes{zombies}"),
        (Some(ranges), _) => {
            let processes = processes(running);
            format!("{processes} of {wanted}, expected {ranges}{zombies}")
        }
    })
}

fn processes(number: usize) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{number} processes") }
}

fn count_zombies(number: usize) -> String {
    let verb = if number == 1 { "is" } else { "are" };
    format!("{} {verb}", count(u64::try_from(number).unwrap_or(u64::MAX), "zombie"))
}

/// What they use too much of.
fn excess(settings: &Settings, memory: u64, cpu: Option<f64>) -> Option<String> {
    let memory = settings
        .max_memory
        .filter(|limit| memory > limit.0)
        .map(|limit| format!("{} of memory, more than {limit}", size(memory)));
    let cpu = settings
        .max_cpu
        .zip(cpu)
        .filter(|(limit, cpu)| *cpu > limit.0)
        .map(|(limit, cpu)| format!("{cpu:.1} % of a core, more than {} %", limit.0));
    let texts: Vec<String> = [memory, cpu].into_iter().flatten().collect();
    (!texts.is_empty()).then(|| format!("{} uses {}", wanted(settings), texts.join(", and ")))
}

/// The share of one core that they used since then, all together, in percent. None if none of them was there then.
fn cpu_percent(found: &[Process], before: &[Used]) -> Option<f64> {
    living(found)
        .filter_map(|process| {
            let then = before.iter().find(|then| then.pid == process.pid)?;
            let span = process.age_seconds - then.age_seconds;
            // A number that is used again is another process: it has not used as much, or is younger.
            let used = process.cpu_ms.checked_sub(then.cpu_ms)?;
            (span >= TOO_SHORT).then(|| used as f64 / 10.0 / span)
        })
        .fold(None, |sum: Option<f64>, share| Some(sum.unwrap_or(0.0) + share))
}

fn measured(
    mut outcome: Outcome,
    running: usize,
    memory: u64,
    cpu: Option<f64>,
    age: Option<f64>,
) -> Outcome {
    for (name, value, unit) in [
        ("processes", Some(running as f64), ""),
        ("memory_bytes", (running > 0).then_some(memory as f64), "bytes"),
        ("cpu_percent", cpu, "percent"),
        ("age_seconds", age, "seconds"),
    ] {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            outcome = outcome.metric(name, value, unit);
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
