//! The judgement. No IO, no clock.

use pihook_plugin::text::{count, span};
use pihook_plugin::{Outcome, Status};

use crate::settings::{Reboot, Settings};
use crate::survey::{Restart, Survey};

/// Packages that a summary names.
const NAMED: usize = 5;

/// Judges what was found, at a time in milliseconds since 1970 UTC.
#[must_use]
pub fn judge(settings: &Settings, survey: &Survey, now_ms: i64) -> Outcome {
    let updates = &survey.found.updates;
    let age_ms = u64::try_from(now_ms.saturating_sub(survey.fetched_ms)).unwrap_or(0);
    let mut status = Status::Up;
    let mut said = vec![pending(survey)];
    if settings.security_critical.reached(updates.security) {
        status = Status::Down;
    } else if settings.warn.reached(updates.pending.len()) {
        status = Status::Degraded;
    }
    let mut doubt = |text: String| {
        said.push(text);
        if status == Status::Up {
            status = Status::Degraded;
        }
    };
    if age_ms > settings.lists_max_age.0 {
        let days = age_ms / 86_400_000;
        let age = if days > 1 { count(days, "day") } else { span(age_ms) };
        doubt(format!(
            "the package lists are {age} old, so newer updates are unknown: run `apt-get update`, or have apt do so daily"
        ));
    } else if let Some(old) = outdated(settings, survey, now_ms) {
        doubt(format!(
            "the lists of {old} are no longer valid, so newer updates from there are unknown: see what `apt-get update` says of them"
        ));
    }
    if let (Some(restart), Reboot::Warn) = (&survey.restart, settings.reboot_required) {
        doubt(match restart {
            Restart::Asked(packages) if packages.is_empty() => "a restart is required".to_owned(),
            Restart::Asked(packages) => format!("a restart is required for {}", named(packages)),
            Restart::KernelGone(release) => {
                format!("a restart is required: the running kernel {release} is no longer installed")
            }
        });
    }
    measured(Outcome::new(status, said.join("; ")), survey, age_ms)
}

/// A repository that was not fetched for so long that what it said is no longer to be believed, though others were.
fn outdated<'s>(settings: &Settings, survey: &'s Survey, now_ms: i64) -> Option<&'s str> {
    let validity = survey.found.ends_first.as_ref()?;
    let max_age = i64::try_from(settings.lists_max_age.0).unwrap_or(i64::MAX);
    (now_ms > validity.until_ms.max(validity.from_ms.saturating_add(max_age))).then_some(&validity.suite)
}

fn pending(survey: &Survey) -> String {
    let found = &survey.found;
    let updates = &found.updates;
    let mut text = match (updates.pending.len(), updates.security) {
        (0, _) => "no updates".to_owned(),
        (all, 0) if found.knows_security => {
            format!("{}, none of them security: {}", count(all as u64, "update"), named(&updates.pending))
        }
        (all, 0) => format!("{}: {}", count(all as u64, "update"), named(&updates.pending)),
        (1, _) => format!("1 security update: {}", named(&updates.pending)),
        (all, security) if all == security => format!("{all} security updates: {}", named(&updates.pending)),
        (all, security) => format!("{all} updates, {security} of them security: {}", named(&updates.pending)),
    };
    if !updates.held.is_empty() {
        text += &format!("; held back by hand: {}", named(&updates.held));
    }
    if !updates.phased.is_empty() {
        text += &format!("; not for everybody yet: {}", named(&updates.phased));
    }
    if let Some(file) = &found.pinned_by {
        text += &format!(" (approximate: the pins in {file} are not followed)");
    }
    text
}

/// A few of them, and how many more there are.
fn named(packages: &[String]) -> String {
    let first: Vec<&str> = packages.iter().take(NAMED).map(String::as_str).collect();
    match packages.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn measured(outcome: Outcome, survey: &Survey, age_ms: u64) -> Outcome {
    let updates = &survey.found.updates;
    let mut outcome = outcome.metric("pending", updates.pending.len() as f64, "");
    // Without a list that tells, 0 would be a claim.
    if survey.found.knows_security {
        outcome = outcome.metric("security", updates.security as f64, "");
    }
    outcome
        .metric("held", updates.held.len() as f64, "")
        .metric("phased", updates.phased.len() as f64, "")
        .metric("lists_age_seconds", (age_ms / 1000) as f64, "seconds")
        .metric("reboot_required", if survey.restart.is_some() { 1.0 } else { 0.0 }, "")
}

#[cfg(test)]
mod tests;
