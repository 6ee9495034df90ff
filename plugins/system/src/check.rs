//! The judgement of the machine. No IO, no clock.

use std::fmt::Display;

use pihook_plugin::system::{Machine, Sensor};
use pihook_plugin::text::{one_line, size};
use pihook_plugin::{Failure, Outcome, Status};

use crate::figures::{Figures, Sample, reboot};
use crate::settings::{Degrees, Limits, Reboot, Settings, TEMPERATURE, Verdict};
use crate::throttle;

/// What is judged.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The machine now.
    pub machine: Machine,
    /// What the check before kept.
    pub before: Option<Sample>,
    /// The throttling word of a Raspberry Pi.
    pub throttled: Option<u32>,
}

/// Judges the machine.
///
/// # Errors
/// A [`Failure`] if all is well as far as can be seen, but a temperature that is asked for cannot be.
pub fn judge(settings: &Settings, seen: &Seen) -> Result<Outcome, Failure> {
    let machine = &seen.machine;
    let figures = Figures::of(machine, seen.before.as_ref());
    let (hot, blind) = temperature(settings, &machine.temperatures);
    let findings: Vec<Finding> = [
        beyond(&settings.cpu, figures.cpu, |cpu| format!("the processor is {cpu:.1} % busy")),
        beyond(&settings.memory, figures.memory, |used| format!("memory is {used:.1} % used"))
            .map(|found| found.and(size(machine.memory_available_bytes) + " available")),
        beyond(&settings.swap, figures.swap, |used| format!("swap is {used:.1} % used")),
        beyond(&settings.load_per_core, figures.load_per_core, |load| {
            format!("the load per core is {load:.2}")
        }),
        hot,
        seen.throttled
            .filter(|_| settings.throttling == Verdict::Degraded)
            .and_then(throttle::now)
            .map(Finding::degraded),
    ]
    .into_iter()
    .flatten()
    .collect();
    let down = findings.iter().any(|finding| finding.status == Status::Down);
    let outcome = match (findings.is_empty(), blind) {
        (true, Some(failure)) => return Err(failure),
        (true, None) => Outcome::up(well(settings, &figures, seen)),
        (false, _) => Outcome::new(if down { Status::Down } else { Status::Degraded }, told(findings)),
    };
    let outcome = match reboot(seen.before.as_ref(), machine) {
        Some(news) if settings.reboot == Reboot::Notice => outcome.notice(news),
        _ => outcome,
    };
    Ok(measured(outcome, &figures, machine, settings))
}

/// The text of a machine that is well, as constant as can be.
fn well(settings: &Settings, figures: &Figures, seen: &Seen) -> String {
    let first = figures.cpu.is_none() && settings.cpu != Limits::default();
    let first = first.then(|| "how busy the processor is shows from the next check on".to_owned());
    let earlier =
        seen.throttled.filter(|_| settings.throttling == Verdict::Degraded).and_then(throttle::earlier);
    let parts: Vec<String> =
        [Some("within its limits".to_owned()), first, earlier].into_iter().flatten().collect();
    parts.join("; ")
}

/// The worst first.
fn told(mut findings: Vec<Finding>) -> String {
    findings.sort_by_key(|finding| finding.status != Status::Down);
    findings.into_iter().map(|finding| finding.text).collect::<Vec<_>>().join("; ")
}

/// Something that is not as it should be.
struct Finding {
    status: Status,
    text: String,
}

impl Finding {
    fn degraded(text: String) -> Finding {
        Finding { status: Status::Degraded, text }
    }

    fn and(self, more: String) -> Finding {
        Finding { text: format!("{}, {more}", self.text), ..self }
    }
}

/// What is found at the limits, if the figure is known and beyond one.
fn beyond<T: Copy + Display + Into<f64>>(
    limits: &Limits<T>,
    figure: Option<f64>,
    text: impl Fn(f64) -> String,
) -> Option<Finding> {
    let figure = figure?;
    let reached = |limit: &Option<T>| limit.filter(|limit| figure >= (*limit).into());
    let (status, word, limit) = match (reached(&limits.critical), reached(&limits.warn)) {
        (Some(limit), _) => (Status::Down, "critical", limit),
        (None, Some(limit)) => (Status::Degraded, "warn", limit),
        (None, None) => return None,
    };
    Some(Finding { status, text: format!("{} ({word} at {limit})", text(figure)) })
}

/// The sensor that the settings mean.
fn sensor<'a>(settings: &Settings, sensors: &'a [Sensor]) -> Option<&'a Sensor> {
    match &settings.sensor {
        Some(part) => sensors.iter().find(|sensor| sensor.name.contains(part.as_str())),
        None => sensors.first(),
    }
}

/// What is too hot, or why that cannot be told though it is asked for.
fn temperature(settings: &Settings, sensors: &[Sensor]) -> (Option<Finding>, Option<Failure>) {
    let limits = settings.temperature.as_ref().unwrap_or(&TEMPERATURE);
    if let Some(sensor) = sensor(settings, sensors) {
        let name = one_line(&sensor.name, 60);
        return (
            beyond(limits, Some(sensor.celsius), |celsius| format!("{name} is at {celsius:.1} °C")),
            None,
        );
    }
    let off = *limits == Limits::<Degrees>::default();
    let text = match &settings.sensor {
        Some(part) if sensors.is_empty() => format!("this machine has no sensors, so none is named `{part}`"),
        Some(part) => {
            let names: Vec<String> = sensors.iter().map(|sensor| one_line(&sensor.name, 60)).collect();
            format!("no sensor's name has `{part}` in it; there are {}", names.join(", "))
        }
        None if settings.temperature.is_some() && !off => {
            "this machine has no temperature sensor: leave `temperature` out of the settings".to_owned()
        }
        None => return (None, None),
    };
    (None, Some(Failure::Other(text)))
}

fn measured(mut outcome: Outcome, figures: &Figures, machine: &Machine, settings: &Settings) -> Outcome {
    let celsius = sensor(settings, &machine.temperatures).map(|sensor| sensor.celsius);
    for (name, value, unit) in [
        ("cpu_percent", figures.cpu, "percent"),
        ("memory_used_percent", figures.memory, "percent"),
        ("swap_used_percent", figures.swap, "percent"),
        ("load1", Some(machine.load1), ""),
        ("load_per_core", figures.load_per_core, ""),
        ("temperature_celsius", celsius, "celsius"),
        ("uptime_seconds", Some(machine.uptime_seconds), "seconds"),
    ] {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            outcome = outcome.metric(name, value, unit);
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
