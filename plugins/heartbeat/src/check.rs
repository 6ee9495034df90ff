//! The judgement: what is known of a job's signs of life to an outcome. No IO, no clock.

use pihook_plugin::heartbeat::Beat;
use pihook_plugin::text::span;
use pihook_plugin::{Failure, Outcome};

use crate::settings::Settings;

/// What is known of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its newest sign of life.
    pub last: Option<Beat>,
    /// How long the service has been waited for, in milliseconds.
    pub waited_ms: u64,
    /// How long PiHook has been able to hear without a break, in milliseconds; none while it cannot.
    pub listening_ms: Option<u64>,
    /// What the check before has found.
    pub before: Standing,
}

/// Whether a sign of life is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None is.
    Heard,
    /// One is, and that was said.
    Missed,
}

/// Judges, and says what the next check has to know.
///
/// # Errors
/// A [`Failure`] while PiHook could not hear the job, however well it is.
pub fn judge(settings: &Settings, observed: &Observed) -> Result<(Outcome, Standing), Failure> {
    let Some(listening_ms) = observed.listening_ms else {
        let why = "PiHook cannot hear signs of life: it does not listen on the dashboard's address; \
                   its log says why, and `dashboard: listen:` may name another one";
        return Err(Failure::Other(why.to_owned()));
    };
    let silent_ms = observed.last.as_ref().map_or(observed.waited_ms, |beat| beat.ago_ms);
    let due = silent_ms > settings.allowed_ms();
    // What was sent while PiHook was off was not heard: unless it was missed before, there is its grace to send another.
    let excused = observed.before == Standing::Heard && listening_ms < settings.grace_ms();
    let standing = if due && !excused { Standing::Missed } else { Standing::Heard };
    let outcome = match (&observed.last, standing) {
        (last, Standing::Missed) => Outcome::down(missed(settings, last.as_ref(), silent_ms)),
        (None, Standing::Heard) => Outcome::up("waiting for the first sign of life"),
        (Some(beat), Standing::Heard) if !beat.ok => Outcome::down(with("reported a failure", beat)),
        // The same text each time: equal summaries take less room in the history.
        (Some(_), Standing::Heard) if due => {
            Outcome::up("waiting for a sign of life: one may have been sent while PiHook was off")
        }
        (Some(beat), Standing::Heard) => Outcome::up(with("signs of life come in time", beat)),
    };
    Ok((measured(outcome, observed.last.as_ref()), standing))
}

fn missed(settings: &Settings, last: Option<&Beat>, silent_ms: u64) -> String {
    let silence = match last {
        None => format!("no sign of life yet, after {}", span(silent_ms)),
        Some(_) => format!("no sign of life for {}", span(silent_ms)),
    };
    let grace = match settings.grace_ms() {
        0 => String::new(),
        grace => format!(", {} of grace", span(grace)),
    };
    let failed = last.filter(|beat| !beat.ok);
    let failure = failed.map(|beat| with("; the last one reported a failure", beat)).unwrap_or_default();
    format!("{silence} (expected every {}{grace}){failure}", span(settings.period.0))
}

fn with(what: &str, beat: &Beat) -> String {
    if beat.message.is_empty() { what.to_owned() } else { format!("{what}: {}", beat.message) }
}

fn measured(mut outcome: Outcome, last: Option<&Beat>) -> Outcome {
    let Some(beat) = last else { return outcome };
    outcome = outcome.metric("seconds_since_last", beat.ago_ms as f64 / 1000.0, "seconds");
    if let Some(took) = beat.took_ms.filter(|took| took.is_finite() && *took >= 0.0) {
        outcome = outcome.response_ms(took).metric("took_ms", took, "ms");
    }
    outcome
}

#[cfg(test)]
mod tests;
