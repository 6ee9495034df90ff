//! The judgement: settings to a question, and an answer to an outcome. No IO.

use pihook_plugin::dns::{Answer, Query, Record};
use pihook_plugin::net::Error;
use pihook_plugin::text::{one_line, slower_than};
use pihook_plugin::{Failure, Outcome, Run};

use crate::settings::{Settings, Wanted};

/// Values that a summary names, and the characters of each.
const MOST_NAMED: usize = 4;
const LONGEST_NAMED: usize = 60;

/// The question that the settings ask.
#[must_use]
pub fn query(settings: &Settings, run: &Run) -> Query {
    Query {
        name: settings.name.0.clone(),
        kind: settings.kind.as_str().to_owned(),
        server: settings.server.clone().map(|server| server.0),
        timeout: run.read_timeout,
    }
}

/// Judges what came back.
///
/// # Errors
/// A [`Failure`] if nothing came back for a reason that is not the server's fault.
pub fn judge(settings: &Settings, answer: Result<Answer, Error>) -> Result<Outcome, Failure> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return error.into_verdict(),
    };
    // An alias comes with what it leads to; what was asked for is of one type.
    let records: Vec<&Record> =
        answer.records.iter().filter(|record| record.kind == settings.kind.as_str()).collect();
    let mut outcome = verdict(settings, &answer, &records).response_ms(answer.took_ms);
    outcome = outcome.metric("records", records.len() as f64, "");
    if let Some(ttl) = records.iter().map(|record| record.ttl).min() {
        outcome = outcome.metric("ttl_seconds", f64::from(ttl), "seconds");
    }
    Ok(outcome)
}

fn verdict(settings: &Settings, answer: &Answer, records: &[&Record]) -> Outcome {
    let kind = settings.kind;
    let name = one_line(&settings.name.0, LONGEST_NAMED);
    let mut found: Vec<String> = records.iter().map(|record| kind.canonical(&record.value)).collect();
    found.sort_unstable();
    found.dedup();
    let seen = if found.is_empty() {
        format!("{name} has no {} record", kind.as_str())
    } else {
        format!("{name} has {} {}", kind.as_str(), listed(&found))
    };
    if let Some(fault) = code_fault(settings, answer, &name, &seen) {
        return Outcome::down(fault);
    }
    let expected_code = settings.expect.code.as_str();
    let good = if expected_code == "NOERROR" {
        if found.is_empty() {
            return Outcome::down(format!("{seen}, says {}", answer.server));
        }
        if let Some(expected) = value_fault(settings, &found) {
            return Outcome::down(format!("{seen}, {expected}"));
        }
        seen
    } else {
        format!("{} answers {expected_code} for {name}, as expected", answer.server)
    };
    let limit = settings.expect.max_response_time.map(|limit| limit.0);
    match limit.and_then(|limit| slower_than(answer.took_ms, limit)) {
        Some(slow) => Outcome::degraded(format!("{} answers for {name} in {slow}", answer.server)),
        None => Outcome::up(good),
    }
}

fn code_fault(settings: &Settings, answer: &Answer, name: &str, seen: &str) -> Option<String> {
    let (expected, code, server) = (settings.expect.code.as_str(), answer.code.as_str(), &answer.server);
    if code == expected {
        return None;
    }
    let fault = match code {
        "NOERROR" => seen.to_owned(),
        "NXDOMAIN" => format!("{name} does not exist, says {server} (NXDOMAIN)"),
        "SERVFAIL" => format!("{server} cannot resolve {name} (SERVFAIL)"),
        "REFUSED" => format!("{server} refuses to resolve {name} (REFUSED)"),
        other => format!("{server} answers {} for {name}", one_line(other, 20)),
    };
    Some(if expected == "NOERROR" { fault } else { format!("{fault}, expected {expected}") })
}

/// What was expected of the values, if they are not so.
fn value_fault(settings: &Settings, found: &[String]) -> Option<String> {
    let canonical = |wanted: &[Wanted]| -> Vec<String> {
        wanted.iter().map(|value| settings.kind.canonical(&value.0)).collect()
    };
    let (values, only) = (canonical(&settings.expect.values), canonical(&settings.expect.only));
    let missing: Vec<String> =
        values.iter().chain(&only).filter(|value| !found.contains(value)).cloned().collect();
    let surplus = !only.is_empty() && found.iter().any(|value| !only.contains(value));
    match (missing.is_empty(), surplus) {
        (true, false) => None,
        (true, true) => Some(format!("expected only {}", listed(&only))),
        (false, _) if !only.is_empty() => Some(format!("expected {}", listed(&only))),
        (false, _) if missing.len() < values.len() => Some(format!("expected {} too", listed(&missing))),
        (false, _) => Some(format!("expected {}", listed(&missing))),
    }
}

fn listed(values: &[String]) -> String {
    let named: Vec<_> = values.iter().take(MOST_NAMED).map(|value| one_line(value, LONGEST_NAMED)).collect();
    match values.len().saturating_sub(MOST_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests;
