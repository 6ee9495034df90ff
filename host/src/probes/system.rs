//! The machine itself: processor time, memory, load, uptime and temperatures.

mod stat;

use std::fs;
use std::time::Duration;

use sysinfo::{Components, System};

use super::lane::{Lane, Stuck};

/// More sensors are not told.
const SENSORS: usize = 64;
/// Checks that look at the machine at once.
const AT_ONCE: usize = 2;

/// Looks at the machine. Nothing is kept between two looks but the places for them.
pub struct SystemProbe {
    lane: Lane,
}

/// The machine at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineFigures {
    /// Processors that are online.
    pub cores: u32,
    /// Time that all processors together spent working since the boot.
    pub cpu_busy: Duration,
    /// Time that all processors together spent in any way since the boot.
    pub cpu_total: Duration,
    /// All memory, in bytes.
    pub memory_total: u64,
    /// Memory that programs could still have without swapping, in bytes.
    pub memory_available: u64,
    /// All swap, in bytes; 0 without any.
    pub swap_total: u64,
    /// Swap in use, in bytes.
    pub swap_used: u64,
    /// The load averages of one, five and fifteen minutes.
    pub load: [f64; 3],
    /// How long the machine has been up.
    pub uptime: Duration,
    /// What names this boot; empty if the machine does not say.
    pub boot_id: String,
    /// All temperatures, the processor's first where it is known.
    pub temperatures: Vec<Temperature>,
}

/// A temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// The sensor's name.
    pub name: String,
    /// In degrees Celsius.
    pub celsius: f64,
}

/// The machine did not tell; the text for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SystemError(String);

impl Default for SystemProbe {
    fn default() -> Self {
        Self { lane: Lane::new(AT_ONCE) }
    }
}

impl SystemProbe {
    /// The machine now.
    ///
    /// # Errors
    /// If `/proc` does not tell, or a sensor's driver hangs for longer than this.
    pub async fn snapshot(&self, within: Duration) -> Result<MachineFigures, SystemError> {
        let looked = self.lane.run("looking at the machine", within, look).await;
        looked.map_err(|error| match error {
            Stuck::Late(_) => SystemError(format!(
                "looking at the machine took longer than {} ms (read timeout): does a sensor hang?",
                within.as_millis()
            )),
            Stuck::Broke(text) => SystemError(text),
        })?
    }
}

fn look() -> Result<MachineFigures, SystemError> {
    let untold =
        |error: sysinfo::Error| SystemError(format!("the machine's figures cannot be read: {error}"));
    let text = fs::read_to_string("/proc/stat")
        .map_err(|error| SystemError(format!("/proc/stat cannot be read: {error}")))?;
    let times = stat::parse(&text, rustix::param::clock_ticks_per_second())
        .ok_or_else(|| SystemError("/proc/stat is not what it should be".to_owned()))?;
    // A new one each time: what it keeps of itself is small, but memory that is not held is smaller.
    let mut system = System::new().map_err(untold)?;
    system.refresh_memory();
    let load = System::load_average().map_err(untold)?;
    Ok(MachineFigures {
        cores: times.cores,
        cpu_busy: times.busy,
        cpu_total: times.total,
        memory_total: system.total_memory(),
        memory_available: system.available_memory(),
        swap_total: system.total_swap(),
        swap_used: system.used_swap(),
        load: [load.one, load.five, load.fifteen],
        uptime: Duration::from_secs(System::uptime().map_err(untold)?),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        temperatures: temperatures(),
    })
}

/// A file's content in one line; empty if it cannot be read.
fn line(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().chars().take(64).collect()).unwrap_or_default()
}

fn temperatures() -> Vec<Temperature> {
    let components = Components::new_with_refreshed_list();
    let mut found: Vec<Temperature> = components
        .iter()
        .flat_map(|components| components.iter())
        .filter_map(|component| {
            let celsius = f64::from(component.temperature().filter(|celsius| celsius.is_finite())?);
            let id = component.id().unwrap_or_default();
            let name = match component.label() {
                // Where there are no labels, the kernel's thermal zones are what is seen.
                "" => line(&format!("/sys/class/thermal/{id}/type")),
                label => label.to_owned(),
            };
            let name = if name.is_empty() { id.to_owned() } else { name };
            Some(Temperature { name, celsius: (celsius * 1000.0).round() / 1000.0 })
        })
        .collect();
    found.sort_by(|a, b| rank(&a.name).cmp(&rank(&b.name)).then_with(|| a.name.cmp(&b.name)));
    found.truncate(SENSORS);
    found
}

/// The processor's sensors come first, and of them the one for the whole of it.
fn rank(name: &str) -> u8 {
    const WHOLE: [&str; 5] = ["cpu_thermal", "cpu-thermal", "x86_pkg_temp", "Package id 0", "Tctl"];
    const PROCESSOR: [&str; 5] = ["coretemp", "k10temp", "zenpower", "soc_thermal", "cpu"];
    match name {
        _ if WHOLE.iter().any(|part| name.contains(part)) => 0,
        _ if PROCESSOR.iter().any(|part| name.contains(part)) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_plausible() {
        let probe = SystemProbe::default();
        let within = Duration::from_secs(30);
        let first = probe.snapshot(within).await.unwrap();
        assert!(first.cores > 0 && first.memory_total > 0, "{first:?}");
        assert!(first.memory_available <= first.memory_total && first.swap_used <= first.swap_total);
        assert!(first.cpu_busy <= first.cpu_total && first.uptime > Duration::ZERO, "{first:?}");
        assert!(first.load.iter().all(|load| load.is_finite()));
        assert_eq!(first.boot_id.len(), 36, "{first:?}");
        let second = probe.snapshot(within).await.unwrap();
        assert_eq!(first.boot_id, second.boot_id);
        assert!(second.cpu_total >= first.cpu_total && second.uptime >= first.uptime);
    }

    #[test]
    fn the_processor_comes_first() {
        let mut names = [
            "nvme Composite",
            "coretemp Core 0",
            "rp1_adc temp1",
            "coretemp Package id 0",
            "cpu_thermal temp1",
        ];
        names.sort_by_key(|name| rank(name));
        assert_eq!(
            names,
            [
                "coretemp Package id 0",
                "cpu_thermal temp1",
                "coretemp Core 0",
                "nvme Composite",
                "rp1_adc temp1"
            ]
        );
    }
}
