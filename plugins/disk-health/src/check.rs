//! The judgement: what was seen to an outcome. No IO, no clock.

use pihook_plugin::text::count;
use pihook_plugin::{Outcome, Status};

use crate::memory::Memory;
use crate::seen::Seen;
use crate::settings::Settings;
use crate::smart::{Answer, Disk};
use crate::{ext4, mdstat, mounts, smart};

/// How many gaps are told in one line.
const MOST_GAPS: usize = 3;

/// Judges what was seen, at a time in milliseconds since 1970 UTC.
pub fn judge(settings: &Settings, seen: &Seen, memory: &mut Memory, now: i64) -> Outcome {
    let mut faults: Vec<(Status, String)> = Vec::new();
    let (filesystems, read_only) = mounts::judge(settings, &seen.mounts, seen.fstab.as_deref(), memory);
    let read_only_count = read_only.len();
    faults.extend(read_only.into_iter().map(|text| (Status::Down, text)));
    let arrays = mdstat::parse(seen.mdstat.as_deref().unwrap_or_default());
    faults.extend(arrays.iter().filter_map(mdstat::Array::fault));
    let degraded = |text| (Status::Degraded, text);
    faults.extend(seen.ext4.iter().filter_map(|one| ext4::ext4_fault(one, memory, now)).map(degraded));
    faults.extend(seen.btrfs.iter().filter_map(|one| ext4::btrfs_fault(one, memory, now)).map(degraded));
    let (mut disks, mut gaps): (Vec<&Disk>, Vec<String>) = (Vec::new(), Vec::new());
    for answer in &seen.disks {
        match answer {
            Answer::Told(disk) => disks.push(disk),
            Answer::Asleep => {}
            Answer::Nothing(why) => gaps.push(why.clone()),
        }
    }
    faults.extend(disks.iter().filter_map(|disk| smart::fault(disk, settings, memory, now)));
    gaps.extend(disks.iter().filter_map(|disk| smart::staleness(disk, now)));
    gaps.extend(seen.gaps.iter().cloned());

    // The worst comes first, as only so much of a line is kept.
    let (mut faults, lesser): (Vec<_>, Vec<_>) =
        faults.into_iter().partition(|(status, _)| *status == Status::Down);
    faults.extend(lesser);
    let status = match faults.first() {
        Some((status, _)) => *status,
        None if gaps.is_empty() => Status::Up,
        None => Status::Unknown,
    };
    let mut parts: Vec<String> = faults.into_iter().map(|(_, text)| text).collect();
    parts.extend(gaps.into_iter().take(MOST_GAPS));
    if parts.is_empty() {
        parts.push(well(filesystems, arrays.len(), seen.disks.len()));
    }
    let outcome = Outcome::new(status, parts.join("; "));
    let sick_arrays = arrays.iter().filter(|array| array.fault().is_some()).count();
    measured(outcome, seen, read_only_count, sick_arrays, &disks).metric("arrays", arrays.len() as f64, "")
}

/// Such as `nothing wrong with 2 filesystems, 1 array and 1 disk`: the same as long as the machine is.
fn well(filesystems: usize, arrays: usize, disks: usize) -> String {
    let named: Vec<String> = [(filesystems, "filesystem"), (arrays, "array"), (disks, "disk")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number as u64, noun))
        .collect();
    match named.as_slice() {
        [] => "nothing wrong, and no disk that would say so".to_owned(),
        [one] => format!("nothing wrong with {one}"),
        [some @ .., last] => format!("nothing wrong with {} and {last}", some.join(", ")),
    }
}

fn measured(
    mut outcome: Outcome,
    seen: &Seen,
    read_only: usize,
    sick_arrays: usize,
    disks: &[&Disk],
) -> Outcome {
    let sum = |value: fn(&Disk) -> Option<u64>| {
        disks.iter().filter_map(|disk| value(disk)).reduce(u64::saturating_add).map(|sum| sum as f64)
    };
    let ext4 = seen.ext4.iter().map(|one| one.errors).reduce(u64::saturating_add).map(|sum| sum as f64);
    let btrfs = seen.btrfs.iter().flat_map(|one| &one.counts).map(|(_, errors)| *errors);
    let btrfs = btrfs.reduce(u64::saturating_add).map(|sum| sum as f64);
    let warmest = disks.iter().filter_map(|disk| disk.temperature).reduce(f64::max);
    let most_worn = disks.iter().filter_map(|disk| disk.wear).max().map(|wear| wear as f64);
    for (name, value, unit) in [
        ("read_only_filesystems", Some(read_only as f64), ""),
        ("arrays_degraded", Some(sick_arrays as f64), ""),
        ("ext4_errors", ext4, ""),
        ("btrfs_errors", btrfs, ""),
        ("reallocated_sectors", sum(|disk| disk.reallocated), ""),
        ("pending_sectors", sum(|disk| disk.pending), ""),
        ("uncorrectable_sectors", sum(|disk| disk.uncorrectable), ""),
        ("media_errors", sum(|disk| disk.media_errors), ""),
        ("wear_percent", most_worn, "percent"),
        ("temperature_celsius", warmest, "celsius"),
    ] {
        if let Some(value) = value {
            outcome = outcome.metric(name, value, unit);
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
