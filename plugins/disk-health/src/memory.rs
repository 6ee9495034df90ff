//! What is remembered from run to run: which filesystems could be written to, and how high the counts were.

use std::collections::{BTreeMap, BTreeSet};

use pihook_plugin::calendar::Civil;
use serde_json::{Value, json};

const MOST_MOUNTS: usize = 200;
const MOST_COUNTS: usize = 400;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Mount points that could be written to once.
    writable: BTreeSet<String>,
    counts: BTreeMap<String, Count>,
}

/// A count that only ever grows on a disk that is well kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    value: u64,
    /// By how much it grew, and when in milliseconds since 1970 UTC; since it was first seen.
    grew: Option<(u64, i64)>,
}

impl Memory {
    /// What was kept. What makes no sense is as if there were nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Memory {
        let kept: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let writable = kept["writable"].as_array().into_iter().flatten();
        let counts = kept["counts"].as_object().into_iter().flatten();
        let count = |kept: &Value| {
            let grew = kept[1].as_u64().zip(kept[2].as_i64());
            Some(Count { value: kept[0].as_u64()?, grew })
        };
        Memory {
            writable: writable.filter_map(Value::as_str).take(MOST_MOUNTS).map(str::to_owned).collect(),
            counts: counts
                .filter_map(|(key, kept)| Some((key.clone(), count(kept)?)))
                .take(MOST_COUNTS)
                .collect(),
        }
    }

    /// What is to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = |count: &Count| match count.grew {
            Some((by, at)) => json!([count.value, by, at]),
            None => json!([count.value]),
        };
        let counts: BTreeMap<&String, Value> =
            self.counts.iter().map(|(key, kept)| (key, count(kept))).collect();
        json!({ "writable": self.writable, "counts": counts }).to_string().into_bytes()
    }

    /// Whether the mount could be written to once.
    #[must_use]
    pub fn was_writable(&self, mount_point: &str) -> bool {
        self.writable.contains(mount_point)
    }

    /// Remembers that it can be.
    pub fn note_writable(&mut self, mount_point: &str) {
        if self.writable.len() < MOST_MOUNTS {
            self.writable.insert(mount_point.to_owned());
        }
    }

    /// Remembers a count, and says by how much it grew last, such as `, 3 more on 2026-11-24`; nothing if it never did.
    pub fn note(&mut self, key: &str, value: u64, now: i64) -> String {
        let known = self.counts.get(key).copied();
        let grew = match known {
            Some(known) if value > known.value => Some((value - known.value, now)),
            // Whoever sets it back has looked at it.
            Some(known) if value < known.value => None,
            Some(known) => known.grew,
            None => None,
        };
        if known.is_some() || self.counts.len() < MOST_COUNTS {
            self.counts.insert(key.to_owned(), Count { value, grew });
        }
        grew.map(|(by, at)| format!(", {by} more on {}", Civil::from_ms(at).date())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn growth_is_told_until_the_count_is_set_back() {
        let day = |day: i64| 1_795_348_800_000 + day * 86_400_000;
        let mut memory = Memory::default();
        for (value, at, expected) in [
            (5, 0, ""),
            (5, 1, ""),
            (8, 2, ", 3 more on 2026-11-24"),
            (8, 9, ", 3 more on 2026-11-24"),
            (9, 10, ", 1 more on 2026-12-02"),
            (0, 11, ""),
            (0, 12, ""),
        ] {
            assert_eq!(memory.note("ext4 sda1", value, day(at)), expected, "{at}");
            memory = Memory::parse(&memory.to_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_memory_is_borne(bytes in any::<Vec<u8>>(), value: u64, now: i64, key in any::<String>()) {
            let mut memory = Memory::parse(&bytes);
            memory.note(&key, value, now);
            memory.note(&key, value.saturating_add(1), now);
            memory.note_writable(&key);
            prop_assert_eq!(Memory::parse(&memory.to_bytes()), memory);
        }
    }
}
