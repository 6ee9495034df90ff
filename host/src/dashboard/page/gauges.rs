//! The machine's own figures, from the checks that watch it.

use pihook_core::Status;

use crate::board::{Entry, Picture};

/// One figure.
pub(super) struct Gauge {
    /// What it is.
    pub(super) name: String,
    /// With its unit.
    pub(super) value: String,
    /// Percent, where it is a share.
    pub(super) share: Option<f64>,
    /// How its check found it.
    pub(super) status: &'static str,
}

/// Gauges that are shown at most.
const MOST: usize = 12;

/// The check, its figure, what people call it, and its unit. A name of `""` is the service's own.
const SHOWN: [(&str, &str, &str, Unit); 5] = [
    ("system", "cpu_percent", "CPU", Unit::Percent),
    ("system", "memory_used_percent", "Memory", Unit::Percent),
    ("system", "temperature_celsius", "Temperature", Unit::Celsius),
    ("disk", "used_percent", "", Unit::Percent),
    ("apt-updates", "pending", "", Unit::Updates),
];

#[derive(Clone, Copy)]
enum Unit {
    Percent,
    Celsius,
    Updates,
}

/// The gauges that there are, in the file's order of their services.
pub(super) fn of(picture: &Picture) -> Vec<Gauge> {
    picture.entries.iter().flat_map(|entry| of_entry(entry)).take(MOST).collect()
}

fn of_entry(entry: &Entry) -> impl Iterator<Item = Gauge> + '_ {
    let outcome = entry.last.as_ref();
    SHOWN.iter().filter(|(check, ..)| *check == &*entry.listed.check).filter_map(
        move |(_, figure, name, unit)| {
            let value = outcome?.metrics.iter().find(|metric| metric.name == *figure)?.value;
            let name = if name.is_empty() { entry.listed.name.to_string() } else { (*name).to_owned() };
            let (value, share) = match unit {
                Unit::Percent => (format!("{value:.0} %"), Some(value.clamp(0.0, 100.0))),
                Unit::Celsius => (format!("{value:.0} °C"), None),
                Unit::Updates => (format!("{value:.0} pending"), None),
            };
            Some(Gauge { name, value, share, status: entry.status().map_or("pending", Status::as_str) })
        },
    )
}
