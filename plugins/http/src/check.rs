//! The judgement: settings to a request, and an answer to an outcome. No IO, no clock.

use pihook_plugin::http::{Certificate, Credentials, Error, Request, Response};
use pihook_plugin::settings::Millis;
use pihook_plugin::text::{span, span_of};
use pihook_plugin::{Failure, Outcome, Run};

use crate::settings::{Auth, Basic, Expect, Settings};
use crate::{answer, certificate};

/// The request that the settings ask for.
#[must_use]
pub fn request(settings: &Settings, run: &Run) -> Request {
    Request {
        headers: settings.headers.0.clone(),
        body: settings.body.clone().map(String::into_bytes),
        credentials: settings.auth.clone().map(|auth| match auth {
            Auth::Basic(Basic { user, password }) => Credentials::Basic { user, password },
            Auth::Bearer(token) => Credentials::Bearer(token),
        }),
        verify: settings.verify,
        ca_file: settings.ca_file.clone().map(|path| path.0),
        max_redirects: settings.redirects,
        ..Request::new(settings.method.as_str(), settings.url.0.as_str(), run)
    }
}

/// Judges what came back, at a time in milliseconds since 1970 UTC.
///
/// # Errors
/// A [`Failure`] if nothing came back for a reason that is not the service's fault.
pub fn judge(expect: &Expect, answer: Result<Response, Error>, now_ms: i64) -> Result<Outcome, Failure> {
    match answer {
        Ok(response) => Ok(measured(verdict(expect, &response, now_ms), &response, now_ms)),
        Err(Error::CertificateExpired { since_ms: Some(since_ms) }) => {
            Ok(Outcome::down(certificate::expired(since_ms, now_ms)))
        }
        Err(error) => error.into_verdict(),
    }
}

fn verdict(expect: &Expect, response: &Response, now_ms: i64) -> Outcome {
    if let Some(fault) = status_fault(expect, response.status) {
        return Outcome::down(fault);
    }
    let shown = response.certificate.as_ref();
    let left = expect.certificate_valid_for.zip(shown).map(|(wanted, shown)| (wanted, shown.not_after_ms));
    let mut faults = answer::faults(expect, response);
    faults.extend(
        left.filter(|(_, until)| *until <= now_ms).map(|(_, until)| certificate::expired(until, now_ms)),
    );
    if !faults.is_empty() {
        return Outcome::down(format!("HTTP {}, but {}", response.status, faults.join(" and ")));
    }
    let doubts: Vec<String> = [
        slowness(expect, response),
        left.and_then(|(wanted, until)| certificate::expires_soon(until, now_ms, wanted)),
        certificate_missing(expect, shown),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !doubts.is_empty() {
        return Outcome::degraded(doubts.join("; "));
    }
    // The same text each time: the timings are in the metrics, and equal summaries take less room in the history.
    Outcome::up(format!("HTTP {}", response.status))
}

fn status_fault(expect: &Expect, status: u16) -> Option<String> {
    match &expect.status {
        Some(ranges) if ranges.contains(status.into()) => None,
        Some(ranges) => Some(format!("HTTP {status}, expected {ranges}")),
        None if status < 400 => None,
        None => Some(format!("HTTP {status}, expected below 400")),
    }
}

fn slowness(expect: &Expect, response: &Response) -> Option<String> {
    let limit = expect.max_response_time?.0;
    let total = response.timings.total_ms;
    if total <= limit as f64 {
        return None;
    }
    let (took, allowed) = (span_of(total), span(limit));
    // Rounded, a near miss would read like none.
    let (took, allowed) = if took == allowed {
        (format!("{} ms", total.ceil() as u64), format!("{limit} ms"))
    } else {
        (took, allowed)
    };
    Some(format!("HTTP {} in {took}, slower than {allowed}", response.status))
}

fn certificate_missing(expect: &Expect, shown: Option<&Certificate>) -> Option<String> {
    let Millis(_) = expect.certificate_valid_for?;
    shown
        .is_none()
        .then(|| String::from("the answer came without TLS, so there is no certificate to be valid"))
}

fn measured(mut outcome: Outcome, response: &Response, now_ms: i64) -> Outcome {
    let timings = &response.timings;
    outcome.response_ms = Some(timings.total_ms);
    for (name, value) in [
        ("dns_ms", timings.dns_ms),
        ("connect_ms", Some(timings.connect_ms)),
        ("tls_ms", timings.tls_ms),
        ("first_byte_ms", Some(timings.first_byte_ms)),
        ("total_ms", Some(timings.total_ms)),
    ] {
        if let Some(value) = value {
            outcome = outcome.metric(name, value, "ms");
        }
    }
    outcome = outcome.metric("body_bytes", response.body.len() as f64, "bytes");
    if let Some(shown) = &response.certificate {
        let days = certificate::days_left(shown.not_after_ms, now_ms);
        outcome = outcome.metric("certificate_days_left", days as f64, "days");
        outcome =
            outcome.metric("certificate_not_after_seconds", shown.not_after_ms as f64 / 1000.0, "seconds");
    }
    outcome
}

#[cfg(test)]
mod tests;
