//! The judgement: settings to echo requests, and what came back to an outcome. No IO.

use std::time::Duration;

use pihook_plugin::icmp::{Answer, Request};
use pihook_plugin::net::Error;
use pihook_plugin::text::{count, one_line, slower_than};
use pihook_plugin::{Failure, Outcome, Run};

use crate::settings::Settings;

/// The echo requests that the settings ask for.
#[must_use]
pub fn request(settings: &Settings, run: &Run) -> Request {
    Request {
        host: settings.host.0.clone(),
        count: settings.count,
        interval: Duration::from_millis(settings.interval.0),
        timeout: run.connect_timeout,
        payload_bytes: settings.payload,
    }
}

/// Judges what came back.
///
/// # Errors
/// A [`Failure`] if nothing was sent for a reason that is not the host's fault.
pub fn judge(settings: &Settings, answer: Result<Answer, Error>) -> Result<Outcome, Failure> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return error.into_verdict(),
    };
    let Some(seen) = Seen::of(&answer) else {
        return Err(Failure::Other("no echo request was sent".to_owned()));
    };
    let mut outcome = verdict(settings, &answer, &seen).metric("loss_percent", seen.loss(), "percent");
    if let Some(trips) = &seen.trips {
        outcome = outcome
            .response_ms(trips.average)
            .metric("rtt_min_ms", trips.least, "ms")
            .metric("rtt_avg_ms", trips.average, "ms")
            .metric("rtt_max_ms", trips.greatest, "ms");
        if let Some(jitter) = trips.jitter {
            outcome = outcome.metric("jitter_ms", jitter, "ms");
        }
    }
    Ok(outcome)
}

fn verdict(settings: &Settings, answer: &Answer, seen: &Seen) -> Outcome {
    let host = named(&settings.host.0, &answer.address);
    let complaint = match one_line(&answer.complaint, 100) {
        complaint if complaint.is_empty() => complaint,
        complaint => format!(" ({complaint})"),
    };
    let sent = count(seen.sent, "echo request");
    let Some(trips) = &seen.trips else {
        return Outcome::down(format!("no answer from {host} to {sent}{complaint}"));
    };
    let loss = settings.expect.max_loss;
    let lossy = (seen.loss() > loss.0).then(|| {
        let lost = format!("{} of {sent} to {host} lost", seen.lost);
        if loss.0 > 0.0 {
            format!("{lost}, more than {loss}{complaint}")
        } else {
            format!("{lost}{complaint}")
        }
    });
    let slow = settings.expect.max_round_trip.and_then(|limit| slower_than(trips.average, limit.0));
    let slow = slow.map(|slow| format!("{host} answers in {slow}"));
    let doubts: Vec<String> = [lossy, slow].into_iter().flatten().collect();
    if doubts.is_empty() {
        Outcome::up(format!("{host} answers"))
    } else {
        Outcome::degraded(doubts.join("; "))
    }
}

/// The host, and its address if it is a name.
fn named(host: &str, address: &str) -> String {
    let same = host.parse::<std::net::IpAddr>().is_ok() || address.is_empty();
    let host = one_line(host, 100);
    if same { host } else { format!("{host} ({})", one_line(address, 45)) }
}

/// What the answers come to.
struct Seen {
    sent: u64,
    lost: u64,
    /// None if nothing came back.
    trips: Option<Trips>,
}

/// Times of round trips, in milliseconds.
struct Trips {
    least: f64,
    average: f64,
    greatest: f64,
    /// How much one differs from the one before, on average; none if there is no other.
    jitter: Option<f64>,
}

impl Seen {
    /// None if nothing was sent.
    fn of(answer: &Answer) -> Option<Seen> {
        let sent = answer.round_trips_ms.len();
        // No time is negative; what is not a number did not come back.
        let came = answer.round_trips_ms.iter().flatten().filter(|ms| ms.is_finite()).map(|ms| ms.max(0.0));
        let came: Vec<f64> = came.collect();
        (sent > 0).then(|| Seen {
            sent: sent as u64,
            lost: sent.saturating_sub(came.len()) as u64,
            trips: Trips::of(&came),
        })
    }

    fn loss(&self) -> f64 {
        self.lost as f64 * 100.0 / self.sent as f64
    }
}

impl Trips {
    fn of(came: &[f64]) -> Option<Trips> {
        let differences: Vec<f64> =
            came.iter().zip(came.iter().skip(1)).map(|(before, after)| (after - before).abs()).collect();
        Some(Trips {
            least: came.iter().copied().reduce(f64::min)?,
            average: mean(came)?,
            greatest: came.iter().copied().reduce(f64::max)?,
            jitter: mean(&differences),
        })
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    // Divided first, so that even absurd values have a finite sum.
    let length = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().map(|value| value / length).sum())
}

#[cfg(test)]
mod tests;
