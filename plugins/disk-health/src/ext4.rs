//! Errors that ext4 and btrfs have counted.

use pihook_plugin::calendar::Civil;
use pihook_plugin::text::{count, one_line};

use crate::memory::Memory;

/// What ext4 has noted of its errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ext4 {
    /// The device, such as `sda1`.
    pub device: String,
    /// How many there were.
    pub errors: u64,
    /// When the first one was, in seconds since 1970 UTC; 0 if it is not known.
    pub first: i64,
    /// When the last one was, likewise.
    pub last: i64,
    /// The function of the kernel that found the last one.
    pub function: String,
}

/// What btrfs has noted of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Btrfs {
    /// The filesystem's UUID.
    pub filesystem: String,
    /// The device's number in it.
    pub device: String,
    /// The counts by their names, such as `corruption_errs`.
    pub counts: Vec<(String, u64)>,
    /// Whether it is not there.
    pub missing: bool,
}

/// What is wrong, such as `ext4 on sda1 counted 5 errors, the last on 2026-11-20 in ext4_lookup; run e2fsck`.
pub fn ext4_fault(seen: &Ext4, memory: &mut Memory, now: i64) -> Option<String> {
    let grew = memory.note(&format!("ext4 {}", seen.device), seen.errors, now);
    if seen.errors == 0 {
        return None;
    }
    let date = |seconds: i64| Civil::from_ms(seconds.saturating_mul(1000)).date().to_string();
    let mut when = String::new();
    if seen.first > 0 {
        when.push_str(&format!(", the first on {}", date(seen.first)));
    }
    if seen.last > 0 {
        when.push_str(&format!(", the last on {}", date(seen.last)));
    }
    if !seen.function.is_empty() {
        when.push_str(&format!(" in {}", one_line(&seen.function, 40)));
    }
    let device = one_line(&seen.device, 40);
    Some(format!("ext4 on {device} counted {}{grew}{when} (e2fsck repairs)", count(seen.errors, "error")))
}

/// What is wrong, such as `btrfs 1c2b3a4d, device 1, counted 3 corruption errors`.
pub fn btrfs_fault(seen: &Btrfs, memory: &mut Memory, now: i64) -> Option<String> {
    let name = format!(
        "btrfs {}, device {},",
        one_line(&seen.filesystem, 9).trim_end_matches('…'),
        one_line(&seen.device, 9)
    );
    let mut parts = Vec::new();
    if seen.missing {
        parts.push("is missing".to_owned());
    }
    for (kind, errors) in &seen.counts {
        let grew = memory.note(&format!("btrfs {} {} {kind}", seen.filesystem, seen.device), *errors, now);
        if *errors > 0 {
            let kind = one_line(kind.trim_end_matches("_errs"), 20);
            parts.push(format!("counted {}{grew}", count(*errors, &format!("{kind} error"))));
        }
    }
    (!parts.is_empty()).then(|| format!("{name} {}", parts.join(" and ")))
}

/// The counts of `error_stats`: a name and a number each line.
#[must_use]
pub fn parse_error_stats(text: &str) -> Vec<(String, u64)> {
    let pair = |line: &str| {
        let (name, count) = line.trim().split_once(' ')?;
        name.ends_with("_errs").then_some(())?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_348_800_000;

    #[test]
    fn errors_are_told_with_when_and_where() {
        let mut memory = Memory::default();
        let mut seen = Ext4 { device: "sda1".into(), ..Ext4::default() };
        assert_eq!(ext4_fault(&seen, &mut memory, NOW), None);
        seen = Ext4 {
            errors: 2,
            first: 1_795_000_000,
            last: 1_795_300_000,
            function: "ext4_lookup".into(),
            ..seen
        };
        assert_eq!(
            ext4_fault(&seen, &mut memory, NOW).as_deref(),
            Some(
                "ext4 on sda1 counted 2 errors, 2 more on 2026-11-22, the first on 2026-11-18, the last on 2026-11-21 in \
                 ext4_lookup (e2fsck repairs)"
            )
        );
        let odd = Ext4 { errors: 1, last: i64::MAX, ..Ext4::default() };
        assert!(ext4_fault(&odd, &mut memory, i64::MIN).is_some());
    }

    #[test]
    fn btrfs_counts_by_kind() {
        let stats =
            "write_errs 0\nread_errs 1\nflush_errs 0\ncorruption_errs 3\ngeneration_errs 0\nodd\nx_errs -1\n";
        let counts = parse_error_stats(stats);
        assert_eq!(counts.len(), 5);
        let mut seen =
            Btrfs { filesystem: "1c2b3a4d-aaaa".into(), device: "1".into(), counts, missing: false };
        let mut memory = Memory::default();
        let told = btrfs_fault(&seen, &mut memory, NOW);
        assert_eq!(
            told.as_deref(),
            Some("btrfs 1c2b3a4d, device 1, counted 1 read error and counted 3 corruption errors")
        );
        seen.counts.clear();
        assert_eq!(btrfs_fault(&seen, &mut memory, NOW), None);
        seen.missing = true;
        assert_eq!(
            btrfs_fault(&seen, &mut memory, NOW).as_deref(),
            Some("btrfs 1c2b3a4d, device 1, is missing")
        );
    }
}
