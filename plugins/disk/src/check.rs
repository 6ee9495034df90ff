//! The judgement: figures of a filesystem to an outcome. No IO, no clock.

use pihook_plugin::filesystems::{Error, Usage};
use pihook_plugin::settings::Share;
use pihook_plugin::text::size;
use pihook_plugin::{Failure, Outcome, Status};

use crate::growth::{Growth, used, worded};
use crate::settings::{Limit, Limits, Settings};

/// Judges what was measured, at a time in milliseconds since 1970 UTC.
///
/// # Errors
/// A [`Failure`] if nothing was measured for a reason that is not the disk's fault.
pub fn judge(
    settings: &Settings,
    seen: Result<Usage, Error>,
    growth: &Growth,
    now: i64,
) -> Result<Outcome, Failure> {
    let usage = match seen {
        Ok(usage) => usage,
        Err(Error::NotFound(text) | Error::Timeout(text)) => return Ok(Outcome::down(text)),
        Err(Error::Forbidden(text) | Error::Other(text)) => return Err(Failure::Other(text)),
    };
    if let Some(fault) = fault_of_place(settings, &usage) {
        return Ok(Outcome::down(fault));
    }
    let mount = &settings.mount.0;
    let used_percent = percent(used(&usage), usage.available_bytes).ok_or_else(|| {
        Failure::Settings(format!("{mount} is a filesystem of the kind {}, which has no size", usage.on.kind))
    })?;
    let inodes_percent = percent(usage.inodes.saturating_sub(usage.free_inodes), usage.free_inodes)
        .filter(|_| usage.inodes > 0);
    let full_in_days = growth.full_in_days(&usage, now);

    let mut faults: Vec<(Status, String)> = Vec::new();
    faults.extend(worst(settings.space(), |limit| space_fault(*limit, used_percent, &usage)));
    if let Some(percent) = inodes_percent {
        faults.extend(worst(settings.inodes(), |limit| inode_fault(*limit, percent, &usage)));
    }
    let status = match faults.iter().any(|(status, _)| *status == Status::Down) {
        true => Status::Down,
        false if faults.is_empty() => Status::Up,
        false => Status::Degraded,
    };
    let mut parts: Vec<String> = faults.into_iter().map(|(_, text)| text).collect();
    // The same text each time: the figures are in the metrics, and equal summaries take less room in the history.
    let summary = if parts.is_empty() {
        format!("{mount} has enough room")
    } else {
        parts.extend(full_in_days.map(worded));
        format!("{mount} {}", parts.join("; "))
    };
    let mut outcome = Outcome::new(status, summary)
        .metric("used_bytes", used(&usage) as f64, "bytes")
        .metric("free_bytes", usage.available_bytes as f64, "bytes")
        .metric("used_percent", used_percent, "percent");
    if let Some(percent) = inodes_percent {
        outcome = outcome.metric("inodes_used_percent", percent, "percent");
    }
    if let Some(days) = full_in_days {
        outcome = outcome.metric("full_in_days", days, "days");
    }
    Ok(outcome)
}

/// What is wrong with where the folder is, such as `nothing is mounted at /mnt/usb: it is a folder of /`.
#[must_use]
pub fn fault_of_place(settings: &Settings, usage: &Usage) -> Option<String> {
    let (mount, on) = (&settings.mount.0, &usage.on.mount_point);
    let elsewhere = settings.mounted && on.trim_end_matches('/') != mount.trim_end_matches('/');
    elsewhere.then(|| format!("nothing is mounted at {mount}: it is a folder of {on}"))
}

/// The share in percent as `df` has it: what is reserved for root counts neither as used nor as free.
fn percent(used: u64, available: u64) -> Option<f64> {
    let all = used as f64 + available as f64;
    (all > 0.0).then(|| used as f64 / all * 100.0)
}

/// A threshold that is crossed.
struct Crossed {
    /// Such as `is 91 % full`.
    what: String,
    /// Such as `at 90 %`.
    threshold: String,
    /// What follows, such as `, 9.8 GiB free`.
    rest: String,
}

/// The fault by the worst of the thresholds that is crossed.
fn worst<T>(limits: Limits<T>, crossed: impl Fn(&T) -> Option<Crossed>) -> Option<(Status, String)> {
    let by = |limit: Option<T>, status, name: &str| {
        let Crossed { what, threshold, rest } = crossed(&limit?)?;
        Some((status, format!("{what} ({name} {threshold}){rest}")))
    };
    by(limits.critical, Status::Down, "critical").or_else(|| by(limits.warn, Status::Degraded, "warn"))
}

fn space_fault(limit: Limit, percent: f64, usage: &Usage) -> Option<Crossed> {
    let free = size(usage.available_bytes);
    match limit {
        Limit::Used(share) if percent >= share.0 => Some(Crossed {
            what: format!("is {} full", floored(percent, share)),
            threshold: format!("at {share}"),
            rest: format!(", {free} free"),
        }),
        Limit::Free(least) if usage.available_bytes < least.0 => Some(Crossed {
            what: format!("has {free} free"),
            threshold: format!("below {least}"),
            rest: String::new(),
        }),
        Limit::Used(_) | Limit::Free(_) => None,
    }
}

fn inode_fault(limit: Share, percent: f64, usage: &Usage) -> Option<Crossed> {
    (percent >= limit.0).then(|| Crossed {
        what: format!("has used {} of its inodes", floored(percent, limit)),
        threshold: format!("at {limit}"),
        rest: format!(", {} are free", usage.free_inodes),
    })
}

/// Rounded down, as finely as the threshold is written: rounded up, it could seem to have reached the next one.
fn floored(percent: f64, limit: Share) -> String {
    if limit.0.fract() == 0.0 {
        format!("{} %", percent.floor())
    } else {
        format!("{} %", (percent * 100.0).floor() / 100.0)
    }
}

#[cfg(test)]
mod tests;
