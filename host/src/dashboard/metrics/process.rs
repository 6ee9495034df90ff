//! The daemon itself, under the names that every client library of Prometheus uses.

use std::fs;

use super::families::{Families, Help, Kind};

const CPU: Help = ("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
const MEMORY: Help = ("process_resident_memory_bytes", "Resident memory size in bytes.");
const FILES: Help = ("process_open_fds", "Number of open file descriptors.");

/// Adds what the kernel tells of this process; nothing where it does not.
pub(super) fn add(families: &mut Families) {
    if let Some(seconds) = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat)) {
        families.add(CPU, Kind::Counter, &[], seconds);
    }
    if let Some(pages) = fs::read_to_string("/proc/self/statm").ok().and_then(|statm| resident(&statm)) {
        families.add(MEMORY, Kind::Gauge, &[], pages * rustix::param::page_size() as f64);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        families.add(FILES, Kind::Gauge, &[], files.count() as f64);
    }
}

/// User and system time in seconds. The program's name may hold anything, so what counts is behind its last bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some((user + system) / rustix::param::clock_ticks_per_second() as f64)
}

/// Resident pages.
fn resident(statm: &str) -> Option<f64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 11 0 5 1 2";
        assert_eq!(cpu_seconds(stat), Some(200.0 / rustix::param::clock_ticks_per_second() as f64));
        assert_eq!(resident("5000 4711 3 4 0 5 0"), Some(4711.0));
        assert_eq!((cpu_seconds(""), cpu_seconds("7 (a) S"), resident("1")), (None, None, None));
    }
}
