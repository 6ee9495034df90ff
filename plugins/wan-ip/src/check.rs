//! The judgement: what the echoes and DNS say to an outcome. No IO, no clock.

use std::net::IpAddr;
use std::time::Duration;

use pihook_plugin::http::{Error, Request, Response};
use pihook_plugin::text::one_line;
use pihook_plugin::{Failure, Outcome, Run, Status};

use crate::address;
use crate::entry::{Entry, Leads, Lookup};
pub use crate::memory::Memory;
use crate::poll::{Failed, Poll};
use crate::settings::{Address, Echo, Family, Settings};

/// How long all echoes together may take at least; the host ends a run after 120 s.
const PATIENCE: Duration = Duration::from_secs(100);

/// No address and no JSON around one is longer.
const MAX_BODY_BYTES: u32 = 4096;

/// How much of one fault is told, in characters: the summary has room for four.
const FAULT_CHARS: usize = 100;

/// The question to an echo. Where there are many and they may all hang, each gets its share of the time.
#[must_use]
pub fn request(echo: &Echo, settings: &Settings, run: &Run) -> Request {
    let one = run.connect_timeout.saturating_add(run.read_timeout);
    let all = one.saturating_mul(u32::try_from(settings.echoes.0.len()).unwrap_or(u32::MAX));
    let most = PATIENCE.max(one.saturating_mul(2));
    let share = if all > most { most.as_secs_f64() / all.as_secs_f64() } else { 1.0 };
    Request {
        connect_timeout: run.connect_timeout.mul_f64(share),
        read_timeout: run.read_timeout.mul_f64(share),
        max_redirects: 0,
        max_body_bytes: MAX_BODY_BYTES,
        ..Request::get(echo.url(), run)
    }
}

/// The address that an echo names.
///
/// # Errors
/// Why it names none.
pub fn read(answer: Result<Response, Error>, family: Family) -> Result<IpAddr, Failed> {
    match answer {
        Ok(response) if (200..300).contains(&response.status) => {
            address::read(&response.text(), family).map_err(Failed::Useless)
        }
        Ok(response) => Err(Failed::Useless(format!("answers HTTP {}", response.status))),
        Err(error) => Err(match error.clone().into_verdict() {
            Err(failure) => Failed::Own(failure),
            Ok(_) => Failed::Unreachable(error.to_string()),
        }),
    }
}

/// Judges what was found at a time in milliseconds since 1970 UTC, and says what to remember of it.
///
/// # Errors
/// A [`Failure`] if nobody could be asked for a reason that is not the way out's fault.
pub fn judge(
    settings: &Settings,
    poll: &Poll,
    lookup: Option<Lookup>,
    memory: &Memory,
    now_ms: i64,
) -> Result<(Outcome, Memory), Failure> {
    let agreeing = poll.winner().map_or(0, |address| poll.voters(address).count());
    let measured = |outcome: Outcome| {
        outcome.metric("echoes_agreeing", agreeing as f64, "").metric(
            "echoes_failed",
            poll.failures().len() as f64,
            "",
        )
    };
    let Some(address) = poll.winner() else {
        return Ok((measured(without_address(poll)?), memory.clone()));
    };
    let before = memory.address.filter(|before| *before != address);
    let name = settings.expect_dns.as_ref().zip(lookup).map(|(name, lookup)| Entry { name: &name.0, lookup });
    let stale_since_ms = match name.as_ref().map(|entry| entry.leads_to(address)) {
        None | Some(Leads::Here) => None,
        Some(Leads::Elsewhere) => Some(memory.stale_since_ms.unwrap_or(now_ms)),
        Some(Leads::CannotTell) => memory.stale_since_ms,
    };
    let stale_for = stale_since_ms.map(|since| u64::try_from(now_ms.saturating_sub(since)).unwrap_or(0));
    let known_stale = memory.stale_since_ms.is_some();
    let mut outcome =
        measured(verdict(settings, address, name.as_ref(), before, stale_for.filter(|_| known_stale)));
    outcome = outcome.metric("changed", f64::from(u8::from(before.is_some())), "");
    if let Some(ms) = stale_for {
        outcome = outcome.metric("dns_stale_seconds", ms as f64 / 1000.0, "seconds");
    }
    if let Some(before) = before {
        outcome = outcome.notice(format!("the public address changed from {before} to {address}"));
    }
    Ok((outcome, Memory { address: Some(address), stale_since_ms }))
}

/// The echoes do not name an address, or not with one voice.
fn without_address(poll: &Poll) -> Result<Outcome, Failure> {
    let failures = poll.failures();
    let faults = || failures.iter().map(|(echo, failed)| fault(echo, failed)).collect::<Vec<_>>().join("; ");
    match poll.counts().as_slice() {
        [] if failures.is_empty() => Err(Failure::Settings(String::from("there is no echo to ask"))),
        [] => {
            if let Some(failure) = own_fault(failures) {
                return Err(failure);
            }
            let useless = failures.iter().any(|(_, failed)| matches!(failed, Failed::Useless(_)));
            let what = if useless { "no echo names the address" } else { "no way out" };
            Ok(Outcome::down(format!("{what}: {}", faults())))
        }
        [(address, _)] => {
            let voters: Vec<&str> = poll.voters(*address).collect();
            let what = format!("only {} names an address, {address}", voters.join(", "));
            Ok(Outcome::new(Status::Unknown, format!("{what}; {}", faults())))
        }
        several => {
            let camps = several.iter().map(|(address, _)| {
                format!("{address} ({})", poll.voters(*address).collect::<Vec<_>>().join(", "))
            });
            Ok(Outcome::degraded(format!("the echoes disagree: {}", camps.collect::<Vec<_>>().join(", "))))
        }
    }
}

fn fault(echo: &str, failed: &Failed) -> String {
    let text = one_line(failed.text(), FAULT_CHARS);
    match failed {
        Failed::Useless(_) => format!("{echo} {text}"),
        Failed::Unreachable(_) | Failed::Own(_) => format!("{echo}: {text}"),
    }
}

/// PiHook's own fault, if nobody else is to blame.
fn own_fault(failures: &[(String, Failed)]) -> Option<Failure> {
    let mut own = failures.iter().map(|(echo, failed)| match failed {
        Failed::Own(failure) => Some(match failure {
            Failure::Settings(text) => Failure::Settings(format!("{echo}: {text}")),
            Failure::Denied(text) => Failure::Denied(format!("{echo}: {text}")),
            Failure::Other(text) => Failure::Other(format!("{echo}: {text}")),
        }),
        Failed::Unreachable(_) | Failed::Useless(_) => None,
    });
    let first = own.next()??;
    own.all(|failure| failure.is_some()).then_some(first)
}

fn verdict(
    settings: &Settings,
    address: IpAddr,
    entry: Option<&Entry<'_>>,
    before: Option<IpAddr>,
    stale_for: Option<u64>,
) -> Outcome {
    let unexpected = settings.expect.filter(|Address(expected)| *expected != address);
    let faults: Vec<String> = [
        unexpected.map(|Address(expected)| format!("the address is {address}, expected {expected}")),
        entry.and_then(|entry| entry.fault(address, before, stale_for)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let doubt = entry.and_then(Entry::doubt);
    match (faults.is_empty(), doubt) {
        (true, None) => Outcome::up(address.to_string()),
        (true, Some(doubt)) => {
            Outcome::new(Status::Unknown, format!("the address is {address}, but {doubt}"))
        }
        (false, doubt) => Outcome::degraded(faults.into_iter().chain(doubt).collect::<Vec<_>>().join("; ")),
    }
}

#[cfg(test)]
mod tests;
