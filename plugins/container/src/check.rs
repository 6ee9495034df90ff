//! The judgement of a container. No IO, no clock.

use pihook_plugin::containers::Container;
use pihook_plugin::text::{count, one_line};
use pihook_plugin::{Outcome, Status};

use crate::settings::Settings;

/// Judges the container, at a time in milliseconds since 1970 UTC, given how often it had been restarted at the check
/// before.
#[must_use]
pub fn judge(
    settings: &Settings,
    container: &Container,
    restarts_before: Option<u32>,
    now_ms: i64,
) -> Outcome {
    let name = &settings.container.0;
    let (status, text) = verdict(settings, container);
    let mut outcome = Outcome::new(status, format!("{name} {text}"));
    // One that was started by hand counts from 0 again.
    let restarts = restarts_before.map_or(0, |before| container.restarts.saturating_sub(before));
    if restarts > 0 && outcome.status != Status::Down {
        outcome.status = Status::Degraded;
        let times = count(restarts.into(), "time");
        outcome.summary += &format!(", but was restarted {times} since the last check");
    }
    outcome = outcome.metric("restarts", f64::from(container.restarts), "");
    if container.started_ms > 0 && matches!(container.state.as_str(), "running" | "paused") {
        let age = now_ms.saturating_sub(container.started_ms).max(0);
        outcome = outcome.metric("uptime_seconds", (age / 1000) as f64, "seconds");
    }
    outcome
}

/// What the container does, behind its name.
fn verdict(settings: &Settings, container: &Container) -> (Status, String) {
    let end = end(container);
    match container.state.as_str() {
        "running" => running(settings, container),
        "paused" => (Status::Degraded, "is paused".to_owned()),
        "restarting" => (Status::Down, format!("keeps ending{end} and being restarted")),
        "exited" | "stopped" => (Status::Down, format!("has ended{end}")),
        "created" | "configured" | "initialized" => (Status::Down, "was never started".to_owned()),
        other => (Status::Down, format!("is {}", one_line(other, 40))),
    }
}

fn running(settings: &Settings, container: &Container) -> (Status, String) {
    let health = container.health.as_deref().filter(|_| settings.healthy);
    match health {
        Some("unhealthy") => {
            let output = one_line(container.health_output.trim(), 150);
            let output = if output.is_empty() { output } else { format!(": {output}") };
            (Status::Down, format!("is running, but unhealthy by its own health check{output}"))
        }
        // It has not failed yet; whether it ever will be healthy, the health check says in the end.
        Some("starting") => (Status::Up, "is running; its health check has not decided yet".to_owned()),
        Some("healthy") => (Status::Up, "is running and healthy".to_owned()),
        _ => (Status::Up, "is running".to_owned()),
    }
}

/// How it ended.
fn end(container: &Container) -> String {
    let code = container.exit_code;
    match (container.out_of_memory, code) {
        (true, _) => format!(" with code {code}, out of memory"),
        (false, 137) => " with code 137: it was killed".to_owned(),
        (false, 143) => " with code 143: it was told to end".to_owned(),
        (false, _) => format!(" with code {code}"),
    }
}

#[cfg(test)]
mod tests;
