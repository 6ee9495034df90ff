//! The judgement of a unit. No IO, no clock.

use pihook_plugin::text::{count, one_line};
use pihook_plugin::units::Unit;
use pihook_plugin::{Outcome, Status};

use crate::settings::Settings;

/// Judges the unit, at a time in milliseconds since 1970 UTC, given how often it had been restarted at the check before.
#[must_use]
pub fn judge(settings: &Settings, unit: &Unit, restarts_before: Option<u32>, now_ms: i64) -> Outcome {
    let name = &settings.unit.0;
    let (status, text) = verdict(settings, unit);
    let mut outcome = Outcome::new(status, format!("{name} {text}"));
    if unit.load_state == "not-found" && !as_wanted(settings, unit) {
        outcome.summary = format!("there is no unit {name}: a typo?");
        return outcome;
    }
    // One that was stopped and started by hand counts from 0 again.
    let restarts = restarts_before.map_or(0, |before| unit.restarts.saturating_sub(before));
    if restarts > 0 && outcome.status != Status::Down {
        outcome.status = Status::Degraded;
        let times = count(restarts.into(), "time");
        outcome.summary += &format!(", but was restarted {times} since the last check");
    }
    outcome = outcome.metric("restarts", f64::from(unit.restarts), "");
    if unit.since_ms > 0 {
        let age = now_ms.saturating_sub(unit.since_ms).max(0);
        outcome = outcome.metric("state_age_seconds", (age / 1000) as f64, "seconds");
    }
    outcome
}

fn as_wanted(settings: &Settings, unit: &Unit) -> bool {
    settings.states.iter().any(|state| state.name() == unit.active_state)
}

/// What the unit does, behind its name.
fn verdict(settings: &Settings, unit: &Unit) -> (Status, String) {
    let word = |text: &str| one_line(text, 40);
    let state = word(&unit.active_state);
    let shown =
        if unit.sub_state.is_empty() { state } else { format!("{state} ({})", word(&unit.sub_state)) };
    if as_wanted(settings, unit) {
        let wanted = &settings.substates;
        return match () {
            () if !wanted.is_empty() && !wanted.contains(&unit.sub_state) => {
                (Status::Down, format!("is {shown}, expected {}", one_line(&wanted.join(" or "), 100)))
            }
            () if unit.load_state == "not-found" => {
                (Status::Degraded, format!("is {shown}, but its file is gone"))
            }
            () => (Status::Up, format!("is {shown}")),
        };
    }
    let cause = cause(&unit.reason);
    match (unit.load_state.as_str(), unit.active_state.as_str(), unit.sub_state.as_str()) {
        (_, "failed", _) => (Status::Down, format!("has failed{cause}")),
        (_, "activating", "auto-restart" | "auto-restart-queued") => {
            (Status::Down, format!("has ended{cause} and waits to be restarted"))
        }
        ("masked", ..) => (Status::Down, "is masked, so it cannot be started".to_owned()),
        ("error" | "bad-setting", ..) => {
            let name = &settings.unit.0;
            (
                Status::Down,
                format!("is {shown}: its file has a mistake, which `systemctl status {name}` shows"),
            )
        }
        // On its way to what is wanted.
        (_, "activating" | "reloading" | "refreshing", _) => (Status::Degraded, format!("is {shown}")),
        _ => {
            let wanted: Vec<&str> = settings.states.iter().map(|state| state.name()).collect();
            (Status::Down, format!("is {shown}{cause}, expected {}", wanted.join(" or ")))
        }
    }
}

/// Why it ended, where that says something.
fn cause(reason: &str) -> String {
    match reason {
        "" | "success" => String::new(),
        "exit-code" => " (it ended with an error: exit-code)".to_owned(),
        "signal" => " (a signal ended it)".to_owned(),
        "core-dump" => " (it crashed: core-dump)".to_owned(),
        "oom-kill" => " (out of memory: oom-kill)".to_owned(),
        "start-limit-hit" => " (it was restarted too often: start-limit-hit)".to_owned(),
        "timeout" => " (it took too long: timeout)".to_owned(),
        "watchdog" => " (it gave no sign of life: watchdog)".to_owned(),
        other => format!(" ({})", one_line(other, 40)),
    }
}

#[cfg(test)]
mod tests;
